# The text of SQLite's checks, merges and ledger. Knows no connection and opens nothing.
"""Staging checks, the four strategies and the ledger as SQLite statements.

In every comparison the dest's column stands on the left: SQLite compares by the left side's collation. Every column is
named with its table: a quoted name that SQLite cannot find would be a text constant, or the outer table's column.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from pipekit.drivers.base import LedgerEntry, MergePlan, TableName
from pipekit.drivers.foreseen import Foreseen, Rows
from pipekit.drivers.rebuilding import build_drop, build_make
from pipekit.drivers.sqlite.comparing import read_keys
from pipekit.drivers.sqlite.typemap import bare_type, get_affinity
from pipekit.drivers.vanishing import VanishingText
from pipekit.drivers.versions import VersionsText
from pipekit.errors import Invalid
from pipekit.runner_contract import Statement

Quote = Callable[[str], str]

LEDGER_COLUMNS = """  run_key TEXT NOT NULL PRIMARY KEY,
  run_id INTEGER NOT NULL,
  module TEXT NOT NULL,
  fence INTEGER NOT NULL,
  rows INTEGER,
  state TEXT NOT NULL CHECK (state IN ('merged', 'fenced')),
  committed_at TEXT NOT NULL"""


class MergeText:
    """The statements of one merge; `quote` quotes an identifier, `literal` a text constant."""

    def __init__(self, plan: MergePlan, quote: Quote, literal: Quote) -> None:
        self._plan = plan
        self._quote = quote
        self._literal = literal
        self._dest = quote(plan.dest.name)
        self._staging = quote(plan.staging.name)
        self._names = [quote(column.dest.name) for column in plan.columns]
        self._values = read_keys(plan, quote)
        self._is_padded = not self._values.padded.isdisjoint(plan.key)
        self._key_index = quote(f"{plan.staging.name}.key")

    def build_versions(self, rows: VanishingText) -> VersionsText:
        """Of a plan that keeps versions; `rows` are those of the dest."""
        return VersionsText(
            rows=rows,
            staging=f"{self._staging} AS staging",
            same=self._match(),
            differs=" OR ".join(map(_build_differs, self._list_changed())) or "0",
            values=[f"staging.{name}" for name in self._names],
        )

    def build_null_key(self) -> str:
        missing = " OR ".join(f"{name} IS NULL" for name in self._staged_keys())
        return f"SELECT count(*), min({self._example()}) FROM {self._staging} AS staging WHERE {missing}"

    def build_repeated_key(self) -> str:
        keys = self._values.build_list(self._keys(), "staging")
        grouped = f"SELECT {self._example()} AS example FROM {self._staging} AS staging GROUP BY {keys}"
        return f"SELECT count(*), min(keys.example) FROM ({grouped} HAVING count(*) > 1) AS keys"

    def build(self) -> tuple[Statement, ...]:
        if self._plan.filled:
            return build_make(self._plan)
        return (*self._build_columns_look(), *self._build_strategy())

    def build_onward(self) -> tuple[Statement, ...]:
        """Strategies that compare nothing, up to where further rows may come."""
        emptied = (self._build_empty(),) if self._plan.strategy == "full" else ()
        return (*self._build_columns_look(), *build_drop(self._plan), *emptied, self._build_insert())

    def _build_strategy(self) -> tuple[Statement, ...]:
        strategy, drop, make = self._plan.strategy, build_drop(self._plan), build_make(self._plan)
        if strategy == "full" and self._plan.mends and self._plan.row_key:
            return self._build_mending()
        if strategy == "full":
            return (*drop, self._build_empty(), self._build_insert(), *make)
        if strategy == "incremental" and not self._plan.leaves:
            index = self._build_key_index() if self._plan.null_keys else ()
            return (*index, self._build_keyed_delete(), *drop, self._build_insert(), *make)
        if strategy in ("incremental", "upsert"):
            index = self._build_key_index() if self._is_padded else ()
            return (*index, *self._build_update(), self._build_insert_missing())
        return (*drop, self._build_insert(), *make)

    def _build_mending(self) -> tuple[Statement, ...]:
        """Rows that are gone, those that differ, those that are new: by a unique key, and no others."""
        by_key = replace(self._plan, strategy="upsert", key=self._plan.row_key, leaves=True, mends=False)
        text = MergeText(by_key, self._quote, self._literal)
        count = Statement(sql=f"SELECT count(*) FROM {self._dest}", name="before", value=True)
        found = f"SELECT 1 FROM {self._staging} AS staging WHERE {text._match()}"
        gone = Statement(sql=f"DELETE FROM {self._dest} AS dest WHERE NOT EXISTS ({found})", name="deleted")
        return (*text._build_key_index(), count, gone, *text._build_strategy())

    def _build_empty(self) -> Statement:
        """DELETE without WHERE is SQLite's truncate; it rolls back, and its count is the rows there were before."""
        return Statement(sql=f"DELETE FROM {self._dest}", name="deleted")

    def _build_columns_look(self) -> tuple[Statement, ...]:
        """Where rows go over whole, by place: that each column stands where the plan found it."""
        if not self._inserts_whole():
            return ()
        held, staged = (
            f"SELECT cid, name FROM pragma_table_info({self._literal(name)}, 'main')"
            for name in (self._plan.dest.name, self._plan.staging.name)
        )
        differ = f"(SELECT count(*) FROM ({held} EXCEPT {staged})) + (SELECT count(*) FROM ({staged} EXCEPT {held}))"
        refusal = f"The columns of {self._plan.dest.name} were changed while the run was under way; nothing was merged."
        return (
            Statement(sql=f"SELECT {differ}", name="moved", value=True, refusal=refusal, hint="Run the module again."),
        )

    def _inserts_whole(self) -> bool:
        return self._plan.whole and self._plan.strategy != "upsert" and not self._plan.leaves

    def _build_insert(self, where: str = "") -> Statement:
        """OR ABORT overrides a REPLACE or IGNORE in the dest's own constraints, which lose rows silently.

        Without names, and between tables that are alike, SQLite copies rows as they lie there and reads no column.
        """
        if self._inserts_whole():
            return Statement(sql=f"INSERT OR ABORT INTO {self._dest}\nSELECT * FROM {self._staging}", name="inserted")
        into = f"INSERT OR ABORT INTO {self._dest} ({', '.join(self._names)})"
        chosen = ", ".join(f"staging.{name}" for name in self._names)
        return Statement(sql=f"{into}\nSELECT {chosen} FROM {self._staging} AS staging{where}", name="inserted")

    def _build_key_index(self) -> tuple[Statement, ...]:
        """For what can use neither the list that `IN` makes nor an index of SQLite's own: `IS`, expressions."""
        listed = self._values.build_list(self._plan.key)
        return (Statement(sql=f"CREATE INDEX IF NOT EXISTS {self._key_index} ON {self._staging} ({listed})"),)

    def _build_keyed_delete(self) -> Statement:
        return Statement(sql=f"DELETE FROM {self._dest} AS dest WHERE {self._build_scope()}", name="deleted")

    def _build_scope(self) -> str:
        """Whether a dest row's key was staged."""
        if self._plan.null_keys:
            return f"EXISTS (SELECT 1 FROM {self._staging} AS staging WHERE {self._match()})"
        held = self._values.build_tuple(self._keys(), "dest")
        staged = self._values.build_list(self._keys(), "staging")
        return f"{held} IN (SELECT {staged} FROM {self._staging} AS staging)"

    def _build_update(self) -> tuple[Statement, ...]:
        """With nothing but the key to write, the key is written over itself, so that the matches are counted.

        Where rows may be left, those that differ in nothing are not written; without a unique key they are counted.
        """
        plan, changed = self._plan, self._list_changed()
        key = [self._quote(name) for name in self._keys()]
        sets = ", ".join(f"{name} = staging.{name}" for name in changed or key)
        update = (
            f"UPDATE OR ABORT {self._dest} AS dest SET {sets}\nFROM {self._build_searched()}\nWHERE {self._match()}"
        )
        if not plan.leaves:
            return (Statement(sql=update, name="updated"),)
        counted = Statement(sql=f"SELECT count(*) FROM {self._build_met()}", name="matched", value=True)
        written = Statement(sql=f"{update}\n  AND ({' OR '.join(map(_build_differs, changed))})", name="updated")
        return (*(() if plan.unique else (counted,)), *((written,) if changed else ()))

    def _list_changed(self) -> list[str]:
        """The columns that an update writes."""
        same = {self._quote(name).lower() for name in self._keys()} - self._find_loose()
        return [name for name in self._names if name.lower() not in same]

    def _build_met(self) -> str:
        """Staged rows beside the dest rows of the same key."""
        return f"{self._build_searched()} JOIN {self._dest} AS dest ON {self._match()}"

    def _build_searched(self) -> str:
        """Staging in a join; SQLite would rather search by one column of an index of its own than by expressions."""
        return f"{self._staging} AS staging{f' INDEXED BY {self._key_index}' if self._is_padded else ''}"

    def _find_loose(self) -> set[str]:
        """Columns whose equal values may differ: 'AB' is 'ab' under NOCASE, and 1 is 1.0 where no type was declared."""
        columns = [column.dest for column in self._plan.columns]
        return {
            self._quote(column.name).lower()
            for column in columns
            if bare_type(column.type) != column.type.strip() or get_affinity(column.type) == "BLOB"
        }

    def _build_insert_missing(self) -> Statement:
        """By a list of row numbers: NOT EXISTS and NOT IN over several columns compare each row with each."""
        return self._build_insert(f"\nWHERE {self._build_missing()}")

    def _build_missing(self) -> str:
        return f"staging.rowid NOT IN (SELECT staging.rowid FROM {self._build_met()})"

    def build_foreseen(self) -> Foreseen:
        """What the merge would do; where it makes an index on staging, that is made for the look too."""
        plan, is_keyed = self._plan, self._plan.strategy in ("incremental", "upsert")
        needs_index = is_keyed and ((plan.null_keys and not plan.leaves) or self._is_padded)
        return Foreseen(
            rows=self._list_foreseen(),
            held=tuple(f"dest.{name}" for name in self._names),
            staged=tuple(f"staging.{name}" for name in self._names),
            before=self._build_key_index() if needs_index else (),
        )

    def _list_foreseen(self) -> Mapping[str, tuple[Rows, ...]]:
        plan = self._plan
        all_staged = (Rows(source=f"FROM {self._staging} AS staging", staged=True),)
        if plan.strategy in ("full", "append"):
            held = (Rows(source=f"FROM {self._dest} AS dest", held=True),)
            return {"inserted": all_staged} | ({"deleted": held} if plan.strategy == "full" else {})
        if plan.strategy == "incremental" and not plan.leaves:
            gone = Rows(source=f"FROM {self._dest} AS dest\nWHERE {self._build_scope()}", held=True)
            return {"deleted": (gone,), "inserted": all_staged}
        met = f"FROM {self._build_met()}"
        differs = " OR ".join(map(_build_differs, self._list_changed())) or "false"
        written = Rows(source=f"{met}\nWHERE {differs}" if plan.leaves else met, held=True, staged=True)
        new = Rows(source=f"FROM {self._staging} AS staging\nWHERE {self._build_missing()}", staged=True)
        counted = {"matched": (Rows(source=met, held=True, staged=True),)} if plan.leaves and not plan.unique else {}
        return {"updated": (written,), "inserted": (new,)} | counted

    def _match(self) -> str:
        equal = "IS" if self._plan.null_keys else "="
        # A plus keeps SQLite from searching the dest by one column instead of staging by its index.
        plus = "+" if self._is_padded else ""
        pairs = [(self._values.build(name, "dest"), self._values.build(name, "staging")) for name in self._keys()]
        return " AND ".join(f"{plus}{held} {equal} {staged}" for held, staged in pairs)

    def build_blank_key(self, padded: Collection[str]) -> str:
        """How many dest rows have a staged key but for blanks at its end, and one of them.

        The staged keys are put down as a table of their own, which SQLite finds a way to search; by an expression it
        would compare each row with each.
        """
        bare, same, other = [], [], []
        for number, name in enumerate(self._plan.key):
            dest, staged = f"dest.{self._quote(name)}", f"staging.{self._quote(name)}"
            form = "rtrim({})" if name in padded else "{}"
            bare.append(f"{form.format(staged)} AS bare{number}, {staged} AS key{number}")
            same.append(f"{form.format(dest)} = staged.bare{number}")
            other += [f"{dest} <> staged.key{number}"] if name in padded else []
        keys = f"SELECT {', '.join(bare)}, {self._example()} AS example FROM {self._staging} AS staging"
        return (
            f"WITH staged AS MATERIALIZED (\n{keys}\n)\nSELECT count(*), min(staged.example)\n"
            f"FROM {self._dest} AS dest JOIN staged ON {' AND '.join(same)}\nWHERE {' OR '.join(other)}"
        )

    def _keys(self) -> tuple[str, ...]:
        if not self._plan.key:
            raise Invalid(f"The strategy '{self._plan.strategy}' needs a merge key.", field="merge_key")
        return self._plan.key

    def _staged_keys(self) -> list[str]:
        return [f"staging.{self._quote(name)}" for name in self._keys()]

    def _example(self) -> str:
        """A key as text: `a = 1, b = 'x'`."""
        parts = [f"{self._literal(name + ' = ')} || quote(staging.{self._quote(name)})" for name in self._plan.key]
        return " || ', ' || ".join(parts)


def _build_differs(name: str) -> str:
    """Letter by letter, and of another type is another value: 1 is not 1.0."""
    held, staged = f"dest.{name}", f"staging.{name}"
    return f"{held} COLLATE BINARY IS NOT {staged} OR typeof({held}) <> typeof({staged})"


# -- ledger ------------------------------------------------------------------------------------------------------------


def build_ledger_setup(ledger: TableName, quote: Quote) -> tuple[str, ...]:
    """Makes the ledger, and what finds a module's newest fence in it."""
    table = quote(ledger.name)
    index = quote(f"{ledger.name}.module")
    return (
        f"CREATE TABLE IF NOT EXISTS {table} (\n{LEDGER_COLUMNS}\n)",
        f"CREATE INDEX IF NOT EXISTS {index} ON {table} (module, fence)",
    )


def build_ledger_row(table: str, entry: LedgerEntry, state: str, literal: Quote) -> str:
    """Writes the run's row unless it has one; a merge's row also gives way to a newer fence of its module."""
    values: Sequence[str] = (
        literal(entry.run_key),
        str(int(entry.run_id)),
        literal(entry.module),
        str(int(entry.fence)),
        "NULL" if entry.rows is None else str(int(entry.rows)),
        literal(state),
        "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')",
    )
    into = f"INSERT OR IGNORE INTO {table} (run_key, run_id, module, fence, rows, state, committed_at)"
    newer = f"SELECT 1 FROM {table} WHERE module = {literal(entry.module)} AND fence > {int(entry.fence)}"
    where = f"\nWHERE NOT EXISTS ({newer})" if state == "merged" else ""
    return f"{into}\nSELECT {', '.join(values)}{where}"
