# What a runner can do for the engine, and the records it takes and gives. Knows no database and no process.
"""The runner contract: query, execute, migrate."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Protocol

from pipekit.errors import CheckFailed


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """A database as a runner needs it: address, login, and the name its sessions carry.

    `base_dir` is where relative file names of embedded databases start; `read_only` asks for a session that cannot
    write. `jar`, `jar_sha256` and `driver_class` are of a registered JDBC driver, `java_home` overrides the bundled
    Java, `java_options` are added to its start; `trim_char` drops the trailing blanks of fixed-length text as it is
    read, and columns of bytes that `translate` names are text in these code pages (CCSID). With `bad_data` `null` a
    value that the database cannot give is NULL, and counted; `key` are the columns of a result by which an error names
    a row. `query_timeout_s` is what the database is told of how long a statement may take.
    """

    kind: str
    jdbc_url: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    application_name: str = "pipekit"
    base_dir: str = "."
    connect_timeout_s: float = 15.0
    read_only: bool = False
    jar: str = ""
    jar_sha256: str = ""
    driver_class: str = ""
    java_home: str = ""
    java_options: tuple[str, ...] = ()
    trim_char: bool = False
    bad_data: str = "refuse"
    key: tuple[str, ...] = ()
    translate: tuple[tuple[str, int], ...] = ()
    query_timeout_s: int | None = None

    def build_plain(self) -> "Endpoint":
        """The same session, its rows read as they are."""
        return replace(self, trim_char=False, translate=(), bad_data="refuse", key=(), query_timeout_s=None)


@dataclass(frozen=True, kw_only=True, slots=True)
class ResultColumn:
    """A column of a query's result. `type` is the database's own spelling, `""` where it cannot tell."""

    name: str
    type: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class QueryResult:
    """A query's columns and rows; every cell is text as the database spells it, or None for NULL."""

    columns: tuple[ResultColumn, ...]
    rows: tuple[tuple[str | None, ...], ...]

    def first_cell(self) -> str | None:
        """The first cell of the first row, None when there is no row."""
        return self.rows[0][0] if self.rows else None


def gather(blocks: Iterable[QueryResult]) -> QueryResult:
    """The blocks of a query's rows as one result."""
    rows: list[tuple[str | None, ...]] = []
    columns: tuple[ResultColumn, ...] = ()
    for block in blocks:
        columns = block.columns
        rows += block.rows
    return QueryResult(columns=columns, rows=tuple(rows))


Query = Callable[[str], QueryResult]


@dataclass(frozen=True, kw_only=True, slots=True)
class Statement:
    """One statement of a transaction. `name` keeps its count: affected rows, or with `value` its first cell, an int.

    With a `refusal` a count other than 0 ends the transaction there: the error may use `{got}`, and `{told}` for what
    the query `details` says then (the cells of its first row, put together).
    """

    sql: str
    name: str = ""
    value: bool = False
    refusal: str = ""
    details: str = ""
    hint: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Expect:
    """Before commit, the counts under `names` must add up to `equals` or the transaction rolls back with `message`.

    Counts under `minus` are taken off. `message` may use `{got}` and `{equals}`.
    """

    names: tuple[str, ...]
    equals: int
    message: str
    minus: tuple[str, ...] = ()
    hint: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadColumn:
    """How one source column is staged: its staging column, and the types on both sides as the databases spell them.

    `checked` as in `drivers.base.StagedColumn`: no format may be used in which values pass unseen.
    """

    source_name: str
    source_type: str
    stage_name: str
    stage_type: str
    checked: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Onward:
    """How the rows of a large load go on into the dest itself, where each is written once.

    When `after` rows have been staged, `statements` bring them over in the transaction in which they came; those that
    come behind them go into `table`, and the transaction is left open for `Runner.go_on`. `held_sql` gives the rows
    that have arrived; empty where only what was inserted can tell. The dest columns `filled` would get a value of the
    dest's own in place of a NULL, which is refused.
    """

    after: int
    table: str
    statements: tuple[Statement, ...]
    held_sql: str = ""
    filled: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    """Where rows go: the staging table, quoted for the dest, and its columns in the order of the source's result.

    With `exact` False the module accepts what the dest makes of a value it cannot hold exactly. `claim_sql` gives a row
    while the staging table is still the run's; empty where nobody else can want it. With statements `before` the rows
    come behind them in one transaction, which is left open for `Runner.go_on`; `freezes` says that these have emptied
    the table, and that rows may be seen by older snapshots. `onward` is for a sink that can do so.
    """

    table: str
    columns: tuple[LoadColumn, ...]
    exact: bool = True
    claim_sql: str = ""
    before: tuple[Statement, ...] = ()
    freezes: bool = False
    onward: Onward | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Loaded:
    """What a migrate did: rows the source delivered, rows the sink says it holds, and the format between them.

    `counts` are those of the statements before the rows, or of those by which rows `went_on` into the dest.
    `bad_values` says by column how many values became NULL, as `bad_data` asks, and where the first of them were.
    `bytes` is what the rows were in that format, None where nobody counts.
    """

    rows_read: int
    rows_staged: int
    format: str
    bytes: int | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    bad_values: Mapping[str, str] = field(default_factory=dict)
    went_on: bool = False


ProgressCallback = Callable[[int], None]


class Runner(Protocol):
    """Does what is remote. Raises the errors of `errors.RunnerError`.

    With `sees_values` every value that is moved passes through Pipekit, which looks at those a column could change.
    """

    sees_values: bool

    def query(
        self, endpoint: Endpoint, sql: str, *, limit: int | None = None, longest: int | None = None
    ) -> QueryResult:
        """Runs one query; at most `limit` rows come back, cells cut to `longest` characters (None: whole)."""
        ...

    def look(
        self,
        endpoint: Endpoint,
        queries: Sequence[str],
        *,
        longest: int | None = None,
        opens: Endpoint | None = None,
    ) -> list[QueryResult]:
        """Runs Pipekit's own queries together, which read little and change nothing; columns may have no types.

        `opens` is a database that is connected to meanwhile; whether that went well is told when it is asked something.
        """
        ...

    def look_both(
        self, one: Endpoint, queries: Sequence[str], two: Endpoint, others: Sequence[str]
    ) -> tuple[list[QueryResult], list[QueryResult]]:
        """As `look` at two databases, of which the first thinks while the second does."""
        ...

    def stream(self, endpoint: Endpoint, sql: str) -> Iterator[QueryResult]:
        """Runs one query and yields its rows block by block; at least one block, so that the columns are known."""
        ...

    def execute(
        self,
        endpoint: Endpoint,
        statements: Sequence[Statement],
        expect: Sequence[Expect] = (),
        *,
        autocommit: bool = False,
    ) -> dict[str, int]:
        """Runs the statements in one transaction (with `autocommit` each on its own); returns the named counts."""
        ...

    def migrate(
        self, source: Endpoint, sql: str, dest: Endpoint, load: Load, on_progress: ProgressCallback | None = None
    ) -> Loaded:
        """Moves the query's rows into the staging table and commits it, unless `load` has statements before them."""
        ...

    def go_on(
        self, endpoint: Endpoint, statements: Sequence[Statement], expect: Sequence[Expect] = ()
    ) -> dict[str, int]:
        """As `execute`, in the transaction that `migrate` has left open; asked right after it."""
        ...

    def close(self) -> None:
        """Ends the runner in good order; safe to call twice."""
        ...


def to_wire(record: Any) -> dict[str, Any]:
    """A record of this module as plain JSON data."""
    data: dict[str, Any] = json.loads(json.dumps(asdict(record)))
    return data


def endpoint_from_wire(data: dict[str, Any]) -> Endpoint:
    """The `Endpoint` that `to_wire` wrote."""
    key, pages = tuple(data["key"]), tuple((name, ccsid) for name, ccsid in data["translate"])
    return Endpoint(**{**data, "java_options": tuple(data["java_options"]), "key": key, "translate": pages})


def load_from_wire(data: dict[str, Any]) -> Load:
    """The `Load` that `to_wire` wrote."""
    columns = tuple(LoadColumn(**column) for column in data["columns"])
    before = _read_statements(data["before"])
    onward = data["onward"]
    if onward:
        read = {"statements": _read_statements(onward["statements"]), "filled": tuple(onward["filled"])}
        onward = Onward(**{**onward, **read})
    return Load(**{**data, "columns": columns, "before": before, "onward": onward})


def _read_statements(data: list[dict[str, Any]]) -> tuple[Statement, ...]:
    return tuple(Statement(**statement) for statement in data)


def check_claim(query: Query, load: Load) -> None:
    """Raises CheckFailed when the staging table has become another run's: rows must not go into its table."""
    if load.claim_sql and not query(load.claim_sql).rows:
        message = "The staging table was taken over by another run, as this one was taken for dead."
        raise CheckFailed(message, hint="Run the module again.")
