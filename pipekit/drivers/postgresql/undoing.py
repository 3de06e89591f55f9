# How PostgreSQL takes a merge back from what it has kept. Pure text; knows no connection.
"""The net of what is kept, the rows of the dest that it is about, and the looks before and after.

A row is known by a unique key without NULLs, or by all that it holds: then equal rows are one as good as the other, and
their number counts. What is kept may name a row twice, where a trigger has changed it again: what cancels out is left
out, and so are rows that came back as they were.
"""

from collections.abc import Iterator, Sequence

from pipekit.drivers.base import TableName
from pipekit.drivers.facts import CHANGING, Reference
from pipekit.drivers.postgresql.catalogue import get_columns
from pipekit.drivers.postgresql.names import quote_identifier, quote_table, quote_text
from pipekit.drivers.postgresql.swap.changing import name_replaced
from pipekit.drivers.postgresql.undo import list_columns
from pipekit.drivers.undoing import IN_THE_WAY, NO_LONGER, NOT_BACK, SIDE, UNDO_FIRST, Fires, Kept, Undo, build_look
from pipekit.runner_contract import Query, Statement

# As text, byte by byte: there is nothing in a stored value that this does not show.
_IMAGE = 'CAST(ROW({columns}) AS text) COLLATE "C"'
_TEXT = "pipekit_row"
_TRIGGERS = """\
SELECT t.tgname, t.tgenabled FROM pg_catalog.pg_trigger AS t
WHERE t.tgrelid = CAST({dest} AS pg_catalog.regclass) AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')
ORDER BY t.tgname"""
_AGAIN = {"O": "ENABLE", "A": "ENABLE ALWAYS"}


def find_kept(query: Query, images: TableName) -> Kept | None:
    """What the table of a run holds; the rows before a swap lie in the table that was replaced."""
    columns = get_columns(query, quote_text, images)
    if not columns:
        return None
    old = name_replaced(images)
    replaced = bool(get_columns(query, quote_text, old))
    tables = [quote_table(table) for table in (images, *([old] if replaced else []))]
    size = " + ".join(f"pg_catalog.pg_total_relation_size({quote_text(table)})" for table in tables)
    before = f"(SELECT pg_catalog.count(*) FROM {quote_table(old)})" if replaced else _count(tables[0], -1)
    row = query(f"SELECT {before}, {_count(tables[0], 1)}, {size}").rows[0]
    return Kept(
        images=images,
        columns=tuple(columns[1:]),
        before=int(row[0] or 0),
        after=int(row[1] or 0),
        bytes=int(row[2] or 0),
        replaced=replaced,
    )


def _count(table: str, side: int) -> str:
    return f"(SELECT pg_catalog.count(*) FROM {table} WHERE {SIDE} = {side})"


def find_triggers(query: Query, dest: TableName) -> tuple[Fires, ...]:
    """The triggers that are enabled, always or but for replication."""
    table = quote_table(dest)
    found = query(_TRIGGERS.format(dest=quote_text(table))).rows
    switch = f"ALTER TABLE {table} {{}} TRIGGER {{}}"
    return tuple(
        Fires(
            name=name or "",
            off=switch.format("DISABLE", quote_identifier(name or "")),
            on=switch.format(_AGAIN[state or ""], quote_identifier(name or "")),
        )
        for name, state in found
    )


def build_touched_sql(undo: Undo, later: Kept) -> str:
    """Rows that this run has written and a later one has found."""
    names = [column.name for column in undo.kept.columns]
    key = list(undo.key) if {column.name for column in later.columns}.issuperset(undo.key) else []
    if not key and names != [column.name for column in later.columns]:
        return "SELECT 0"
    known = f"ROW({list_columns(key, 'k')})" if key else _image(names, "k")
    rows = f"SELECT {known} FROM {_rows(later)} AS k WHERE k.{SIDE} = -1"
    return (
        f"SELECT pg_catalog.count(*) FROM (SELECT DISTINCT {known} AS row FROM {_rows(undo.kept)} AS k\n"
        f"WHERE k.{SIDE} = 1) AS own WHERE own.row IN (\n{rows}\n)"
    )


def build_undo_sql(undo: Undo, triggers: Sequence[Fires]) -> tuple[Statement, ...]:
    """Everything between the ledger row and the commit."""
    return _Text(undo).build(triggers)


def build_drop_images_sql(images: TableName) -> tuple[str, ...]:
    """Both tables that may hold what is kept of a run."""
    return tuple(f"DROP TABLE IF EXISTS {quote_table(table)}" for table in (images, name_replaced(images)))


def _image(names: Sequence[str], alias: str) -> str:
    return _IMAGE.format(columns=list_columns(names, alias))


def _rows(kept: Kept) -> str:
    """What is kept, in one list."""
    images = quote_table(kept.images)
    if not kept.replaced:
        return images
    columns, old = list_columns([column.name for column in kept.columns]), quote_table(name_replaced(kept.images))
    return f"(SELECT {SIDE}, {columns} FROM {images} UNION ALL\n  SELECT CAST(-1 AS smallint), {columns} FROM {old})"


class _Text:
    """The statements of one undo. `d` is a row of the dest, `a` one as the run left it, `b` one as it was before."""

    def __init__(self, undo: Undo) -> None:
        self._undo = undo
        self._names = [column.name for column in undo.kept.columns]
        self._dest = f"{'ONLY ' if undo.only else ''}{quote_table(undo.dest)}"
        self._net = quote_table(TableName(schema=undo.kept.images.schema, name=f"{undo.kept.images.name}.net"))
        # Both sides of a key that is there before and after: the row stays, as others refer to it.
        self._stays = bool(undo.referring and undo.key)

    def build(self, triggers: Sequence[Fires]) -> tuple[Statement, ...]:
        silent = list(triggers) if self._undo.silent else []
        drops = (*build_drop_images_sql(self._undo.kept.images), f"DROP TABLE {self._net}")
        return (
            Statement(sql=f"LOCK TABLE {self._dest} IN SHARE ROW EXCLUSIVE MODE"),
            *self._build_net(),
            *self._build_looks(),
            *(Statement(sql=trigger.off) for trigger in silent),
            Statement(sql="SET CONSTRAINTS ALL DEFERRED"),
            *self._build_changes(),
            Statement(sql="SET CONSTRAINTS ALL IMMEDIATE"),
            *self._build_looks_after(),
            *(Statement(sql=trigger.on) for trigger in silent),
            *(Statement(sql=sql) for sql in drops),
        )

    def _build_net(self) -> tuple[Statement, ...]:
        """Rows of each side that have no equal one on the other; equal rows of one side as often as they are more."""
        columns = list_columns(self._names, "k")
        image = _image(self._names, "k")
        text = f"""\
CREATE UNLOGGED TABLE {self._net} AS
SELECT {columns}, k.{SIDE}, k.{_TEXT}
FROM (
  SELECT k.*, pg_catalog.sum(k.{SIDE}) OVER (PARTITION BY k.{_TEXT}) AS pipekit_sum,
    pg_catalog.row_number() OVER (PARTITION BY k.{_TEXT}, k.{SIDE}) AS pipekit_number
  FROM (SELECT k.*, {image} AS {_TEXT} FROM {_rows(self._undo.kept)} AS k) AS k
) AS k
WHERE k.pipekit_sum * k.{SIDE} >= k.pipekit_number"""
        counts = {
            "gone": f"SELECT pg_catalog.count(*) FROM {self._net} AS a WHERE a.{SIDE} = 1 AND NOT {self._other('a')}",
            "back": f"SELECT pg_catalog.count(*) FROM {self._net} AS b WHERE b.{SIDE} = -1 AND NOT {self._other('b')}",
            "changed": f"SELECT pg_catalog.count(*) FROM {self._net} AS a WHERE a.{SIDE} = 1 AND {self._other('a')}",
        }
        return (
            Statement(sql=text),
            Statement(sql=f"ANALYZE {self._net}"),
            *(Statement(sql=sql, name=name, value=True) for name, sql in counts.items()),
        )

    def _other(self, alias: str) -> str:
        """Whether the row is there on the other side too, under its key, and only changed."""
        if not self._stays:
            return "false"
        return f"EXISTS (SELECT FROM {self._net} AS o WHERE o.{SIDE} = -{alias}.{SIDE} AND {self._same('o', alias)})"

    def _same(self, one: str, two: str) -> str:
        return " AND ".join(
            f"{one}.{quote_identifier(name)} = {two}.{quote_identifier(name)}" for name in self._undo.key
        )

    # -- looks ---------------------------------------------------------------------------------------------------------

    def _build_looks(self) -> Iterator[Statement]:
        """Whether the dest holds what the run left, and nothing where it left nothing."""
        yield self._look(NO_LONGER, self._find_missing(1))
        if self._undo.key:
            again = f"""\
SELECT {self._example("b")} AS example FROM {self._net} AS b JOIN {self._dest} AS d ON {self._same("d", "b")}
WHERE b.{SIDE} = -1
  AND NOT EXISTS (SELECT FROM {self._net} AS a WHERE a.{SIDE} = 1 AND {self._same("a", "b")})"""
            yield self._look(IN_THE_WAY, again)
        for reference in self._undo.referring:
            if reference.parent is None and reference.on_delete in CHANGING:
                yield self._look_at_children(reference)

    def _look_at_children(self, reference: Reference) -> Statement:
        """Rows that would go along; of the dest's own those that go anyway do not count."""
        child, pairs = reference.child, zip(reference.columns, reference.referred, strict=True)
        own = f"EXISTS (SELECT FROM {self._net} AS o WHERE o.{SIDE} = 1 AND {self._same('o', 'c')})"
        others = f" AND NOT {own}" if reference.is_own else ""
        match = " AND ".join(f"c.{quote_identifier(one)} = a.{quote_identifier(two)}" for one, two in pairs)
        found = (
            f"SELECT {self._example('a')} AS example FROM {quote_table(child)} AS c JOIN {self._net} AS a ON {match}\n"
            f"WHERE a.{SIDE} = 1 AND NOT {self._other('a')}{others}"
        )
        hint = "Take those rows away yourself, or run the module again instead."
        return self._tell(f"Rows of {child} refer to rows that the run has inserted, and would go along", found, hint)

    def _build_looks_after(self) -> Iterator[Statement]:
        yield self._look(NOT_BACK, self._find_missing(-1))
        if self._undo.key:
            left = f"""\
SELECT {self._example("a")} AS example FROM {self._net} AS a JOIN {self._dest} AS d ON {self._same("d", "a")}
WHERE a.{SIDE} = 1
  AND NOT EXISTS (SELECT FROM {self._net} AS b WHERE b.{SIDE} = -1 AND {self._same("b", "a")})"""
            yield self._look(NOT_BACK, left)

    def _find_missing(self, side: int) -> str:
        """Rows of one side that the dest does not hold, or not as often."""
        if self._undo.key:
            first = f"d.{quote_identifier(self._undo.key[0])}"
            held, kept = list_columns(self._names, "d"), list_columns(self._names, "a")
            return f"""\
SELECT {self._example("a")} AS example FROM {self._net} AS a LEFT JOIN {self._dest} AS d ON {self._same("d", "a")}
WHERE a.{SIDE} = {side} AND ({first} IS NULL OR pg_catalog.record_image_ne(ROW({held}), ROW({kept})))"""
        return f"""\
SELECT a.{_TEXT} AS example
FROM (SELECT k.{_TEXT}, pg_catalog.count(*) AS number FROM {self._net} AS k WHERE k.{SIDE} = {side}
  GROUP BY 1) AS a
LEFT JOIN (SELECT {_image(self._names, "d")} AS held, pg_catalog.count(*) AS number FROM {self._dest} AS d
  GROUP BY 1) AS d ON d.held = a.{_TEXT}
WHERE coalesce(d.number, 0) < a.number"""

    def _look(self, message: str, found: str) -> Statement:
        return self._tell(message, found, UNDO_FIRST)

    def _tell(self, message: str, found: str, hint: str) -> Statement:
        few = (
            "SELECT pg_catalog.string_agg(pg_catalog.left(few.example, 200), '; ')\n"
            f"FROM (SELECT example FROM (\n{found}\n) AS found ORDER BY 1 LIMIT 3) AS few"
        )
        return build_look(f"SELECT pg_catalog.count(*) FROM (\n{found}\n) AS found", message, few, hint)

    def _example(self, alias: str) -> str:
        names = self._undo.key or self._names
        parts = [f"{quote_text(f'{name} = ')} || CAST({alias}.{quote_identifier(name)} AS text)" for name in names]
        return " || ', ' || ".join(parts)

    # -- changes -------------------------------------------------------------------------------------------------------

    def _build_changes(self) -> Iterator[Statement]:
        yield Statement(sql=self._build_delete(), name="deleted")
        written = [quote_identifier(name) for name in self._names if name not in self._undo.fixed]
        if self._stays and written:
            sets = ", ".join(f"{name} = b.{name}" for name in written)
            update = (
                f"UPDATE {self._dest} AS d SET {sets}\nFROM {self._net} AS b\n"
                f"WHERE b.{SIDE} = -1 AND {self._same('d', 'b')} AND {self._other('b')}"
            )
            yield Statement(sql=update, name="updated")
        columns = list_columns(self._names)
        insert = (
            f"INSERT INTO {quote_table(self._undo.dest)} ({columns}) OVERRIDING SYSTEM VALUE\n"
            f"SELECT {list_columns(self._names, 'b')} FROM {self._net} AS b\n"
            f"WHERE b.{SIDE} = -1 AND NOT {self._other('b')}"
        )
        yield Statement(sql=insert, name="inserted")

    def _build_delete(self) -> str:
        if self._undo.key:
            return (
                f"DELETE FROM {self._dest} AS d USING {self._net} AS a\n"
                f"WHERE a.{SIDE} = 1 AND {self._same('d', 'a')} AND NOT {self._other('a')}"
            )
        return f"""\
DELETE FROM {self._dest} AS d
USING (
  SELECT d.tableoid AS part, d.ctid AS place, {_image(self._names, "d")} AS held,
    pg_catalog.row_number() OVER (PARTITION BY {_image(self._names, "d")}) AS number
  FROM {self._dest} AS d
) AS i JOIN (
  SELECT k.{_TEXT}, pg_catalog.count(*) AS number FROM {self._net} AS k WHERE k.{SIDE} = 1 GROUP BY 1
) AS a ON a.{_TEXT} = i.held AND i.number <= a.number
WHERE d.tableoid = i.part AND d.ctid = i.place"""
