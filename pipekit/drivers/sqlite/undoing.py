# What a merge in SQLite keeps of what it changes, and how it is taken back. Pure text; knows no connection.
"""Temporary triggers, there for the merge alone, note each row that it touches; a `full` load notes all rows instead.

A row is known by a unique key without NULLs, else by all that it holds, and where equal rows are one as good as the
other their number counts. What is kept may name a row twice, where a trigger has changed it again: what cancels out is
left out.
"""

from collections.abc import Callable, Iterator, Sequence

from pipekit.drivers.base import MergePlan, TableColumn, TableName
from pipekit.drivers.facts import Keeping
from pipekit.drivers.sqlite.typemap import bare_type
from pipekit.drivers.undoing import IN_THE_WAY, NO_LONGER, NOT_BACK, SIDE, UNDO_FIRST, Fires, Kept, Undo, build_look
from pipekit.runner_contract import Query, Statement

Quote = Callable[[str], str]

_TRIGGERS = {"insert": ((1, "NEW"),), "delete": ((-1, "OLD"),), "update": ((-1, "OLD"), (1, "NEW"))}
# The number of a row, under the first of its names that no column has.
_ROW_NUMBERS = ("rowid", "_rowid_", "oid")
_ROW = "pipekit_row"


def find_unkept(names: Sequence[str]) -> str:
    """Why nothing can be kept of a table with these columns; `""` when it can."""
    is_hidden = {*_ROW_NUMBERS}.issubset(name.lower() for name in names)
    return f"its columns hide the numbers of its rows ({', '.join(_ROW_NUMBERS)})" if is_hidden else ""


def find_kept(query: Query, images: TableName, columns: Sequence[TableColumn], quote: Quote) -> Kept | None:
    """What the table of a run holds."""
    if not columns:
        return None
    sides = f"coalesce(sum({SIDE} = -1), 0), coalesce(sum({SIDE} = 1), 0)"
    row = query(f"SELECT {sides} FROM {quote(images.name)}").rows[0]
    return Kept(images=images, columns=tuple(columns[1:]), before=int(row[0] or 0), after=int(row[1] or 0))


def find_triggers(query: Query, literal: str, quote: Quote) -> tuple[Fires, ...]:
    """The triggers of a table; one is switched off by dropping it, and on by its own text."""
    sql = "SELECT name, sql FROM main.sqlite_master WHERE type = 'trigger' AND tbl_name = {} COLLATE NOCASE ORDER BY 1"
    return tuple(
        Fires(name=name or "", off=f"DROP TRIGGER main.{quote(name or '')}", on=text or "")
        for name, text in query(sql.format(literal)).rows
    )


def build_begin(plan: MergePlan, quote: Quote) -> tuple[Statement, ...]:
    """In front of the merge's statements."""
    if plan.undo is None:
        return ()
    images, columns = f"main.{quote(plan.undo.images.name)}", plan.undo.columns
    create = Statement(sql=_build_table(images, columns, quote, plan.undo.note))
    if plan.undo.whole:
        return (create, _build_copy(plan, plan.undo, -1, quote))
    return (create, *_build_triggers(plan, plan.undo, quote))


def build_end(plan: MergePlan, quote: Quote) -> tuple[Statement, ...]:
    """Behind them."""
    if plan.undo is None:
        return ()
    kept = Statement(sql=f"SELECT count(*) FROM {quote(plan.undo.images.name)}", name="kept", value=True)
    if plan.undo.whole:
        return (_build_copy(plan, plan.undo, 1, quote), kept)
    return (*(Statement(sql=f"DROP TRIGGER temp.{_name_trigger(event)}") for event in _TRIGGERS), kept)


def _build_table(name: str, columns: Sequence[TableColumn], quote: Quote, note: str = "", more: str = "") -> str:
    """Types as the dest declares them, so that values stay what they are; ANY does so in a STRICT table alone."""
    declared = ", ".join(f"{quote(column.name)} {column.type}".rstrip() for column in columns)
    strict = " STRICT" if any(bare_type(column.type).upper() == "ANY" for column in columns) else ""
    told = f" /* {note.replace('*/', '* /')} */" if note else ""
    return f"CREATE TABLE {name}{told} ({SIDE} INTEGER, {declared}{more}){strict}"


def _build_copy(plan: MergePlan, keeping: Keeping, side: int, quote: Quote) -> Statement:
    chosen = ", ".join(f"dest.{quote(name)}" for name in keeping.names)
    into = f"INSERT INTO {quote(keeping.images.name)}"
    return Statement(sql=f"{into}\nSELECT {side}, {chosen} FROM {quote(plan.dest.name)} AS dest")


def _build_triggers(plan: MergePlan, keeping: Keeping, quote: Quote) -> Iterator[Statement]:
    images, dest = quote(keeping.images.name), quote(plan.dest.name)
    for event, sides in _TRIGGERS.items():
        rows = [f"({side}, {', '.join(f'{row}.{quote(name)}' for name in keeping.names)})" for side, row in sides]
        notes = "; ".join(f"INSERT INTO {images} VALUES {row}" for row in rows)
        yield Statement(
            sql=f"CREATE TEMP TRIGGER {_name_trigger(event)} AFTER {event.upper()} ON main.{dest}\nBEGIN {notes}; END"
        )


def _name_trigger(event: str) -> str:
    return f"pipekit_undo_{event}"


class UndoText:
    """The statements of one undo. `d` is a row of the dest, `a` and `b` are rows of the net of what is kept."""

    def __init__(self, undo: Undo, quote: Quote, literal: Quote) -> None:
        self._undo = undo
        self._quote = quote
        self._literal = literal
        self._names = [column.name for column in undo.kept.columns]
        self._dest = f"main.{quote(undo.dest.name)}"
        self._net = f"temp.{quote(f'{undo.kept.images.name}.net')}"

    def build_touched(self, later: Kept) -> str:
        """Rows that this run has written and a later one has found."""
        names = {column.name for column in later.columns}
        key = [f"k.{self._quote(name)}" for name in self._undo.key] if names.issuperset(self._undo.key) else []
        if not key and names != {*self._names}:
            return "SELECT 0"
        known = ", ".join(key) if key else f"{self._image('k')}"
        own, found = (self._quote(table.name) for table in (self._undo.kept.images, later.images))
        return (
            f"SELECT count(*) FROM (SELECT {known} FROM {own} AS k WHERE k.{SIDE} = 1\n"
            f"INTERSECT SELECT {known} FROM {found} AS k WHERE k.{SIDE} = -1)"
        )

    def build(self, triggers: Sequence[Fires]) -> tuple[Statement, ...]:
        """Everything between the ledger row and the commit."""
        silent = list(triggers) if self._undo.silent else []
        return (
            *self._build_net(),
            *self._build_looks(),
            *(Statement(sql=trigger.off) for trigger in silent),
            *self._build_changes(),
            *self._build_looks_after(),
            *(Statement(sql=trigger.on) for trigger in silent),
            Statement(sql=f"DROP TABLE {self._net}"),
            Statement(sql=f"DROP TABLE {self._quote(self._undo.kept.images.name)}"),
        )

    def _build_net(self) -> Iterator[Statement]:
        """Rows of each side without an equal one on the other; equal rows of one side as often as they are more."""
        columns = self._undo.kept.columns
        yield Statement(sql=_build_table(self._net, columns, self._quote, more=f", {_ROW} TEXT"))
        chosen = self._list("k")
        yield Statement(
            sql=f"""\
INSERT INTO {self._net} SELECT k.{SIDE}, {chosen}, k.{_ROW}
FROM (
  SELECT k.*, sum(k.{SIDE}) OVER (PARTITION BY k.{_ROW}) AS pipekit_sum,
    row_number() OVER (PARTITION BY k.{_ROW}, k.{SIDE}) AS pipekit_number
  FROM (SELECT k.*, {self._image("k")} AS {_ROW} FROM {self._quote(self._undo.kept.images.name)} AS k) AS k
) AS k
WHERE k.pipekit_sum * k.{SIDE} >= k.pipekit_number"""
        )
        if self._undo.key:
            name = f"temp.{self._quote(f'{self._undo.kept.images.name}.net.key')}"
            listed = ", ".join(map(self._quote, self._undo.key))
            table = self._net.removeprefix("temp.")
            yield Statement(sql=f"CREATE INDEX {name} ON {table} ({SIDE}, {listed})")
        for name, side in (("gone", 1), ("back", -1)):
            yield Statement(sql=f"SELECT count(*) FROM {self._net} AS k WHERE k.{SIDE} = {side}", name=name, value=True)

    def _image(self, alias: str) -> str:
        """A row as text, byte by byte: another type is another value."""
        values = [f"{alias}.{self._quote(name)}" for name in self._names]
        parts = [
            f"CASE typeof({value}) WHEN 'text' THEN 't' || hex({value}) WHEN 'blob' THEN 'b' || hex({value})"
            f" ELSE quote({value}) END"
            for value in values
        ]
        return " || ',' || ".join(parts)

    def _list(self, alias: str) -> str:
        return ", ".join(f"{alias}.{self._quote(name)}" for name in self._names)

    def _same(self, one: str, two: str) -> str:
        return " AND ".join(f"{one}.{self._quote(name)} = {two}.{self._quote(name)}" for name in self._undo.key)

    # -- looks ---------------------------------------------------------------------------------------------------------

    def _build_looks(self) -> Iterator[Statement]:
        """Whether the dest holds what the run left, and nothing where it left nothing."""
        yield self._tell(NO_LONGER, self._find_missing(1))
        if self._undo.key:
            yield self._tell(IN_THE_WAY, self._find_there(-1))

    def _build_looks_after(self) -> Iterator[Statement]:
        yield self._tell(NOT_BACK, self._find_missing(-1))
        if self._undo.key:
            yield self._tell(NOT_BACK, self._find_there(1))

    def _find_there(self, side: int) -> str:
        """Rows of the dest under keys that are on one side only."""
        return f"""\
SELECT {self._example("a")} AS example FROM {self._net} AS a JOIN {self._dest} AS d ON {self._same("d", "a")}
WHERE a.{SIDE} = {side}
  AND NOT EXISTS (SELECT 1 FROM {self._net} AS b WHERE b.{SIDE} = {-side} AND {self._same("b", "a")})"""

    def _find_missing(self, side: int) -> str:
        """Rows of one side that the dest does not hold, or not as often."""
        if self._undo.key:
            first = f"d.{self._quote(self._undo.key[0])}"
            return f"""\
SELECT {self._example("a")} AS example FROM {self._net} AS a LEFT JOIN {self._dest} AS d ON {self._same("d", "a")}
WHERE a.{SIDE} = {side} AND ({first} IS NULL OR {self._image("d")} <> a.{_ROW})"""
        example = f"(SELECT {self._example('k')} FROM {self._net} AS k WHERE k.{_ROW} = a.{_ROW} LIMIT 1)"
        return f"""\
SELECT {example} AS example
FROM (SELECT k.{_ROW}, count(*) AS number FROM {self._net} AS k WHERE k.{SIDE} = {side} GROUP BY 1) AS a
LEFT JOIN (SELECT {self._image("d")} AS held, count(*) AS number FROM {self._dest} AS d GROUP BY 1) AS h
  ON h.held = a.{_ROW}
WHERE coalesce(h.number, 0) < a.number"""

    def _tell(self, message: str, found: str) -> Statement:
        few = (
            "SELECT group_concat(substr(few.example, 1, 200), '; ')\n"
            f"FROM (SELECT example FROM (\n{found}\n) ORDER BY 1 LIMIT 3) AS few"
        )
        return build_look(f"SELECT count(*) FROM (\n{found}\n)", message, few, UNDO_FIRST)

    def _example(self, alias: str) -> str:
        names = self._undo.key or self._names
        parts = [f"{self._literal(f'{name} = ')} || quote({alias}.{self._quote(name)})" for name in names]
        return " || ', ' || ".join(parts)

    # -- changes -------------------------------------------------------------------------------------------------------

    def _build_changes(self) -> Iterator[Statement]:
        yield Statement(sql=self._build_delete(), name="deleted")
        names = ", ".join(map(self._quote, self._names))
        yield Statement(
            sql=f"INSERT OR ABORT INTO {self._dest} ({names})\n"
            f"SELECT {self._list('b')} FROM {self._net} AS b WHERE b.{SIDE} = -1",
            name="inserted",
        )

    def _build_delete(self) -> str:
        if self._undo.key:
            keys = [self._quote(name) for name in self._undo.key]
            held, kept = (", ".join(f"{alias}.{key}" for key in keys) for alias in ("d", "a"))
            held = f"({held})" if len(keys) > 1 else held
            gone = f"SELECT {kept} FROM {self._net} AS a WHERE a.{SIDE} = 1"
            return f"DELETE FROM {self._dest} AS d WHERE {held} IN (\n{gone}\n)"
        taken = {name.lower() for name in self._names}
        number = next(name for name in _ROW_NUMBERS if name not in taken)
        return f"""\
DELETE FROM {self._dest} WHERE {number} IN (
  SELECT i.place FROM (
    SELECT d.{number} AS place, {self._image("d")} AS held,
      row_number() OVER (PARTITION BY {self._image("d")}) AS number
    FROM {self._dest} AS d
  ) AS i JOIN (
    SELECT k.{_ROW}, count(*) AS number FROM {self._net} AS k WHERE k.{SIDE} = 1 GROUP BY 1
  ) AS a ON a.{_ROW} = i.held AND i.number <= a.number
)"""
