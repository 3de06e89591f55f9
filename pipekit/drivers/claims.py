# Whose a staging table is, as a row of the dest's ledger. Pure text, the same for every kind; knows no connection.
"""`Claim` and its statements.

A staging table is called after its module, and so may be wanted by two runs at once: of a module that took the name of
another, or of two installations with one dest. So a run writes down in the ledger that the name is its own before it
makes the table; the row's key is the name. Its merge changes that row, in its own transaction: while it goes on nobody
can take the name, and a run whose name was taken does not merge. A dead run's row can be taken over.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pipekit.drivers.base import Driver, TableName
from pipekit.runner_contract import Expect, QueryResult, Statement

# What a row says in place of its owner while the table is being dropped where DROP commits by itself.
LEAVING = " leaving"
_PREFIX = "staging:"
NOT_OURS = "The staging table was taken over by another run, as this one was taken for dead; nothing was merged."


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """A run's claim of a staging table. `module` is `name@instance`, `since_s` seconds since 1970."""

    staging: TableName
    run_key: str
    run_id: int
    module: str
    since_s: int = 0
    is_leaving: bool = False

    @property
    def owner(self) -> str:
        """What stands in the ledger's column `module`; a module's own rows never hold a blank there."""
        return f"{self.run_key} {self.module}"

    @property
    def instance(self) -> str:
        """The installation."""
        return self.module.rpartition("@")[2]

    @property
    def application_name(self) -> str:
        """What the run's sessions are called."""
        return f"pipekit:{self.run_id}@{self.instance}"


def build_find_sql(driver: Driver, staging: TableName) -> str:
    """One row when somebody has claimed the table, read by `read_claim`."""
    names = ", ".join(map(driver.quote_identifier, ("run_id", "module", "rows")))
    table = driver.quote_table(driver.ledger_table())
    return f"SELECT {names}\nFROM {table}{driver.dirty_read}\nWHERE {_is_row(driver, staging)}"


def read_claim(staging: TableName, found: QueryResult) -> Claim | None:
    """The claim in the answer to `build_find_sql`."""
    return _read(staging, found.rows[0]) if found.rows else None


def _read(staging: TableName, row: Sequence[str | None]) -> Claim:
    run_id, owner, since_s = row[:3]
    run_key, _, module = (owner or "").partition(" ")
    return Claim(
        staging=staging,
        run_key=run_key,
        run_id=int(run_id or 0),
        module=module.removesuffix(LEAVING),
        since_s=int(since_s or 0),
        is_leaving=module.endswith(LEAVING),
    )


def build_list_sql(driver: Driver) -> str:
    """All claims there are, read by `read_claims`."""
    names = ", ".join(map(driver.quote_identifier, ("run_key", "run_id", "module", "rows")))
    table, key = driver.quote_table(driver.ledger_table()), driver.quote_identifier("run_key")
    return f"SELECT {names}\nFROM {table}{driver.dirty_read}\nWHERE {key} LIKE '{_PREFIX}%'"


def read_claims(driver: Driver, found: QueryResult) -> list[Claim]:
    """The claims in the answer to `build_list_sql`. Their tables are named in small letters, as the rows are."""
    prefixes = _PREFIX, f"{driver.staging_schema}."
    names = [(row[0] or "").removeprefix(prefixes[0]).removeprefix(prefixes[1]) for row in found.rows]
    return [_read(driver.staging_table(name), row[1:]) for name, row in zip(names, found.rows, strict=True)]


def build_take_sql(driver: Driver, claim: Claim) -> Statement:
    """Claims a name that nobody has; the ledger's primary key refuses a second."""
    row = {
        "run_key": driver.quote_literal(_row_key(claim.staging)),
        "run_id": str(int(claim.run_id)),
        "module": driver.quote_literal(claim.owner),
        "fence": "0",
        "rows": str(int(claim.since_s)),
        # The ledgers of earlier versions allow no word of its own; and it is true: no run of this key ever merges.
        "state": "'fenced'",
        "committed_at": "CURRENT_TIMESTAMP",
    }
    names = ", ".join(map(driver.quote_identifier, row))
    table = driver.quote_table(driver.ledger_table())
    return Statement(sql=f"INSERT INTO {table} ({names})\nVALUES ({', '.join(row.values())})", name="claim")


def build_take_over_sql(driver: Driver, claim: Claim, dead: Claim) -> Statement:
    """Makes a claim this run's; counts 0 when it is no longer the dead run's."""
    changes = {
        "run_id": str(int(claim.run_id)),
        "module": driver.quote_literal(claim.owner),
        "rows": str(int(claim.since_s)),
    }
    return _build_update(driver, dead.staging, changes, dead.owner + (LEAVING if dead.is_leaving else ""))


def build_hold_sql(driver: Driver, claim: Claim) -> Statement:
    """Keeps the claim until the transaction ends; counts 0 when it is another run's."""
    fence = driver.quote_identifier("fence")
    return _build_update(driver, claim.staging, {"fence": f"{fence} + 1"}, claim.owner)


def build_look_sql(driver: Driver, claim: Claim) -> str:
    """One row while the claim is this run's."""
    table, key = driver.quote_table(driver.ledger_table()), driver.quote_identifier("run_key")
    return f"SELECT {key}\nFROM {table}\nWHERE {_is_row(driver, claim.staging, claim.owner)}"


def build_leave_sql(driver: Driver, claim: Claim, now_s: int) -> Statement:
    """Says that the table is about to be dropped, so that nobody takes the name before it is."""
    changes = {"module": driver.quote_literal(claim.owner + LEAVING), "rows": str(int(now_s))}
    return _build_update(driver, claim.staging, changes, claim.owner)


def build_release_sql(driver: Driver, claim: Claim, *, leaving: bool = False) -> Statement:
    """Gives the name up; counts 0 when it was another run's."""
    owner = claim.owner + (LEAVING if leaving else "")
    sql = f"DELETE FROM {driver.quote_table(driver.ledger_table())}\nWHERE {_is_row(driver, claim.staging, owner)}"
    return Statement(sql=sql, name="released")


def expect_claim(name: str = "claim") -> Expect:
    """That the one statement about a claim met its row."""
    return Expect(names=(name,), equals=1, message=NOT_OURS)


def _build_update(driver: Driver, staging: TableName, changes: dict[str, str], owner: str) -> Statement:
    sets = ", ".join(f"{driver.quote_identifier(name)} = {value}" for name, value in changes.items())
    table = driver.quote_table(driver.ledger_table())
    return Statement(sql=f"UPDATE {table} SET {sets}\nWHERE {_is_row(driver, staging, owner)}", name="claim")


def _is_row(driver: Driver, staging: TableName, owner: str | None = None) -> str:
    key = f"{driver.quote_identifier('run_key')} = {driver.quote_literal(_row_key(staging))}"
    return key if owner is None else f"{key} AND {driver.quote_identifier('module')} = {driver.quote_literal(owner)}"


def _row_key(staging: TableName) -> str:
    """In small letters: in many databases `A` and `a` are one table."""
    return f"{_PREFIX}{staging.name.lower()}"
