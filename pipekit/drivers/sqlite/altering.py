# Changing a column of an SQLite table, whose own ALTER can rename and little else. Looks and text; knows no connection.
"""The table is made anew beside itself from its own text, filled, and put in its place, in one transaction.

That keeps indexes, triggers, views, foreign keys, row numbers, what AUTOINCREMENT and ANALYZE know. SQLite's own DROP
COLUMN refuses columns with an index, a key or a foreign key, and there is none for types.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from pipekit.drivers.altering import MOST_TOLD, Standing, build_misfits
from pipekit.drivers.base import TableColumn, TableName
from pipekit.drivers.sqlite.catalogue import read_words
from pipekit.drivers.sqlite.typemap import bare_type, get_affinity, to_neutral
from pipekit.drivers.sqltext import READINGS, tokens
from pipekit.models.altering import Change
from pipekit.runner_contract import Query, Statement

Quote = Callable[[str], str]

_SQLITE = READINGS[1]
_ANEW = "pipekit_anew"
_FITS = "pipekit_fits"
_ALL: frozenset[Change] = frozenset({"drop", "retype", "rename"})
# What a column's type ends at, and what an entry begins with that is no column.
_CONSTRAINTS = frozenset(
    ["CONSTRAINT", "PRIMARY", "NOT", "NULL", "UNIQUE", "CHECK", "DEFAULT", "COLLATE", "REFERENCES", "GENERATED", "AS"]
)
_TABLE_CONSTRAINTS = frozenset(["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"])

_TABLE = "SELECT name, sql FROM main.sqlite_master WHERE type = 'table' AND name = {table} COLLATE NOCASE"
_ON_IT = """\
SELECT type, name, sql FROM main.sqlite_master
WHERE type IN ('index', 'trigger') AND sql IS NOT NULL AND tbl_name = {table} COLLATE NOCASE ORDER BY type, rowid"""
_ELSEWHERE = """\
SELECT type, name, sql FROM main.sqlite_master
WHERE type IN ('view', 'trigger') AND tbl_name <> {table} COLLATE NOCASE ORDER BY type, rowid"""
_COLUMNS = "SELECT name, hidden, pk, type FROM pragma_table_xinfo({table}, 'main') WHERE hidden <> 1 ORDER BY cid"
_CHILDREN = """\
SELECT DISTINCT m.name FROM main.sqlite_master m JOIN pragma_foreign_key_list(m.name, 'main') f
WHERE m.type = 'table' AND (f."table" = {table} COLLATE NOCASE OR m.name = {table} COLLATE NOCASE) ORDER BY 1"""
_HAS = "SELECT 1 FROM main.sqlite_master WHERE name = '{name}'"
_ANALYZED = "SELECT 1 FROM main.sqlite_stat1 WHERE tbl = {table} COLLATE NOCASE LIMIT 1"
_CHANGED = """\
SELECT (SELECT group_concat(sql, '; ') FROM (SELECT sql FROM main.sqlite_master
WHERE sql IS NOT NULL AND tbl_name = {table} COLLATE NOCASE ORDER BY type, name)) IS NOT {seen}"""


@dataclass(slots=True)
class _Word:
    """A word of the table's text: where it stands, what it says without quotes, and whether it had some."""

    start: int
    end: int
    text: str
    quoted: bool
    depth: int

    def is_one_of(self, words: frozenset[str]) -> bool:
        return not self.quoted and self.depth == 1 and self.text.upper() in words


@dataclass(slots=True)
class _Entry:
    """What stands between two commas of the outer parentheses."""

    start: int
    end: int = 0
    words: list[_Word] = field(default_factory=list)

    def is_column(self, name: str) -> bool:
        first = self.words[0] if self.words else None
        is_name = first is not None and (first.quoted or not first.is_one_of(_TABLE_CONSTRAINTS))
        return is_name and first is not None and first.text.lower() == name.lower()

    def names(self, name: str) -> bool:
        """Whether it speaks of a column, wherever it does."""
        return any(word.text.lower() == name.lower() for word in self.words)


def _read(sql: str) -> tuple[int, list[_Entry]]:
    """The place of the opening parenthesis and the entries of a CREATE TABLE, as SQLite keeps its text."""
    opening, depth, entries, plain = -1, 0, list[_Entry](), False
    for kind, start, end in tokens(sql, _SQLITE):
        text = sql[start:end]
        if kind == "other" and text == "(":
            depth += 1
            if depth == 1:
                opening, entries = start, [_Entry(start=end)]
        elif kind == "other" and text == ")":
            depth -= 1
            if depth == 0:
                entries[-1].end = start
                return opening, entries
        elif kind == "other" and text == "," and depth == 1:
            entries[-1].end = start
            entries.append(_Entry(start=end))
        elif depth and kind in ("name", "string"):
            entries[-1].words.append(_Word(start, end, _unquote(text), True, depth))
        elif depth and kind == "other" and plain and entries[-1].words and text not in ",":
            entries[-1].words[-1].end, entries[-1].words[-1].text = end, entries[-1].words[-1].text + text
        elif depth and kind == "other" and text != ",":
            entries[-1].words.append(_Word(start, end, text, False, depth))
        plain = kind == "other" and text not in "(),"
    return opening, entries


def _unquote(text: str) -> str:
    return text[1:-1].replace(text[-1] * 2, text[-1])


def find_retyped(sql: str, column: str, type_text: str) -> str:
    """The text of the table with another type for a column, which keeps its constraints."""
    _, entries = _read(sql)
    entry = next(item for item in entries if item.is_column(column))
    first, rest = entry.words[0], entry.words[1:]
    behind = next((word.start for word in rest if word.is_one_of(_CONSTRAINTS)), entry.end)
    has_collation = any(word.is_one_of(frozenset({"COLLATE"})) for word in rest)
    type_text = bare_type(type_text) if has_collation else type_text
    tail = sql[behind:]
    gap = "" if tail[:1] in (",", ")") else " "
    return f"{sql[: first.end]} {type_text}{gap}{tail}"


def find_dropped(sql: str, column: str) -> str:
    """The text of the table without a column."""
    opening, entries = _read(sql)
    kept = [sql[item.start : item.end] for item in entries if not item.is_column(column)]
    return f"{sql[: opening + 1]}{','.join(kept)}{sql[entries[-1].end :]}"


def find_constraints(sql: str, column: str) -> tuple[bool, bool]:
    """Whether a column is the primary key by its own text, and whether an entry of the table speaks of it."""
    _, entries = _read(sql)
    own = [item for item in entries if item.is_column(column)]
    others = [item for item in entries if not item.is_column(column) and item.names(column)]
    is_key = any(word.is_one_of(frozenset({"PRIMARY"})) for item in own for word in item.words[1:])
    return is_key, bool(others)


# -- what stands on it -------------------------------------------------------------------------------------------------


def find_standing(query: Query, literal: str, column: str) -> tuple[Standing, ...]:
    """Indexes and triggers of the table, and views and triggers elsewhere, that name it; a text is all that tells."""
    found = list(_list_constraints(query, literal, column))
    name = str(query(_TABLE.format(table=literal)).rows[0][0])
    for kind, item, sql in query(_ON_IT.format(table=literal)).rows:
        if _mentions(sql or "", column):
            blocks: frozenset[Change] = frozenset() if kind == "index" else frozenset({"drop"})
            found.append(Standing(name=f"{kind} {item}", blocks=blocks, falls=kind == "index"))
    for kind, item, sql in query(_ELSEWHERE.format(table=literal)).rows:
        if _mentions(sql or "", column) and _mentions(sql or "", name):
            found.append(Standing(name=f"{kind} {item}", blocks=frozenset({"drop"})))
    return tuple(found)


def _list_constraints(query: Query, literal: str, column: str) -> Iterator[Standing]:
    is_key, is_named = find_constraints(query(_TABLE.format(table=literal)).rows[0][1] or "", column)
    if is_key:
        yield Standing(name="the primary key", blocks=frozenset({"drop"}))
    if is_named:
        yield Standing(name="a constraint or a computed column of the table", blocks=frozenset({"drop"}))
    referring = f"""SELECT m.name FROM main.sqlite_master m JOIN pragma_foreign_key_list(m.name, 'main') f
        WHERE m.type = 'table' AND f."table" = {literal} COLLATE NOCASE AND f."to" = """
    quoted = "'" + column.replace("'", "''") + "'"
    for (child,) in query(f"{referring}{quoted} COLLATE NOCASE").rows:
        yield Standing(name=f"a foreign key of {child}", blocks=frozenset({"drop"}))


def _mentions(sql: str, name: str) -> bool:
    """As a word of its own, also behind a table's name or alias and a dot."""
    wanted = name.lower()
    return any(
        word.text.lower() == wanted or (not word.quoted and wanted in _split(word.text)) for word in read_words(sql)
    )


def _split(text: str) -> list[str]:
    """`o.id=new.id` -> o, id, new, id."""
    parts, part = [], ""
    for char in text.lower():
        if char.isalnum() or char in "_$":
            part += char
        else:
            parts.append(part)
            part = ""
    return [*parts, part]


# -- statements --------------------------------------------------------------------------------------------------------


def build_rename(table: TableName, column: str, name: str, quote: Quote) -> tuple[Statement, ...]:
    """SQLite's own, which follows into indexes, triggers and views."""
    return (Statement(sql=f"ALTER TABLE main.{quote(table.name)} RENAME COLUMN {quote(column)} TO {quote(name)}"),)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Rebuilt:
    """The table that is made anew: its text, the columns that are carried over, and what of it goes along."""

    name: str
    sql: str
    columns: tuple[str, ...]
    make: tuple[str, ...]
    counts: bool
    analyzed: bool


def build_retype(query: Query, table: str, column: TableColumn, quote: Quote, literal: Quote) -> tuple[Statement, ...]:
    """Makes the table anew with this type."""
    text = find_retyped(_read_sql(query, literal(table)), column.name, column.type)
    return _build(query, _find_rebuilt(query, table, text, "", literal), quote, literal)


def build_drop(query: Query, table: str, column: str, quote: Quote, literal: Quote) -> tuple[Statement, ...]:
    """Makes the table anew without the column, and without the indexes on it."""
    text = find_dropped(_read_sql(query, literal(table)), column)
    return _build(query, _find_rebuilt(query, table, text, column, literal), quote, literal)


def _read_sql(query: Query, literal: str) -> str:
    return query(_TABLE.format(table=literal)).rows[0][1] or ""


def _find_rebuilt(query: Query, table: str, text: str, gone: str, literal: Quote) -> _Rebuilt:
    name, own = literal(table), query(_COLUMNS.format(table=literal(table))).rows
    carried = tuple(str(row[0]) for row in own if row[1] == "0" and str(row[0]).lower() != gone.lower())
    on_it = [(str(kind), sql or "") for kind, _, sql in query(_ON_IT.format(table=name)).rows]
    words = {word.text.upper() for word in read_words(text) if not word.quoted}
    analyzed = bool(query(_HAS.format(name="sqlite_stat1")).rows) and bool(query(_ANALYZED.format(table=name)).rows)
    return _Rebuilt(
        name=str(query(_TABLE.format(table=name)).rows[0][0]),
        sql=text,
        columns=(*_list_row_number(text, carried, words), *carried),
        make=tuple(sql for kind, sql in on_it if not (gone and kind == "index" and _mentions(sql, gone))),
        counts="AUTOINCREMENT" in words,
        analyzed=analyzed,
    )


def _list_row_number(text: str, columns: Sequence[str], words: set[str]) -> tuple[str, ...]:
    """The number of a row that has no column of its own, so that each stays the row it was."""
    taken = "ROWID" in {name.upper() for name in columns} | words  # a column's own, or WITHOUT ROWID
    _, entries = _read(text)
    keys = [
        item for item in entries if any(word.is_one_of(frozenset({"PRIMARY"})) for word in item.words) and item.words
    ]
    return () if taken or any("INTEGER" in {word.text.upper() for word in item.words} for item in keys) else ("rowid",)


def _build(query: Query, rebuilt: _Rebuilt, quote: Quote, literal: Quote) -> tuple[Statement, ...]:
    old, new, name = f"main.{quote(rebuilt.name)}", f"main.{quote(_ANEW)}", literal(rebuilt.name)
    opening, _ = _read(rebuilt.sql)
    columns = ", ".join(quote(column) if column != "rowid" else column for column in rebuilt.columns)
    statements: list[str | Statement] = [
        _build_unchanged(query, rebuilt.name, literal),
        # Views and triggers elsewhere name the table while it is away.
        "PRAGMA legacy_alter_table = 1",
        f"CREATE TABLE {new} {rebuilt.sql[opening:]}",
        f"INSERT INTO {new} ({columns}) SELECT {columns} FROM {old}",
    ]
    if rebuilt.counts:
        statements.append(f"DELETE FROM main.sqlite_sequence WHERE name = '{_ANEW}'")
        last = f"SELECT '{_ANEW}', seq FROM main.sqlite_sequence WHERE name = {name}"
        statements.append(f"INSERT INTO main.sqlite_sequence (name, seq) {last}")
    statements += [f"DROP TABLE {old}", f"ALTER TABLE {new} RENAME TO {quote(rebuilt.name)}", *rebuilt.make]
    statements += [f"ANALYZE {old}"] if rebuilt.analyzed else []
    made = [item if isinstance(item, Statement) else Statement(sql=item) for item in statements]
    return (*made, *_build_kept(query, rebuilt.name, literal), Statement(sql="PRAGMA legacy_alter_table = 0"))


def _build_unchanged(query: Query, table: str, literal: Quote) -> Statement:
    """Nobody has changed the table since it was looked at."""
    name = literal(table)
    own = f"SELECT sql FROM main.sqlite_master WHERE sql IS NOT NULL AND tbl_name = {name} COLLATE NOCASE"
    seen = "; ".join(str(row[0]) for row in query(f"{own} ORDER BY type, name").rows)
    refusal = f"Somebody has changed {table} since the run looked at it."
    sql = _CHANGED.format(table=name, seen=literal(seen))
    return Statement(sql=sql, name="changed", value=True, refusal=refusal, hint="Run it again.")


def _build_kept(query: Query, table: str, literal: Quote) -> Iterator[Statement]:
    """Foreign keys, of the table and to it, hold as many rows as before."""
    for (child,) in query(_CHILDREN.format(table=literal(table))).rows:
        sql = f"SELECT count(*) FROM pragma_foreign_key_check({literal(str(child))}, 'main')"
        before = int(query(sql).first_cell() or 0)
        told = f"{{got}} more rows of {child} than before would refer to no row."
        yield Statement(sql=f"SELECT max(0, ({sql}) - {before})", name="orphans", value=True, refusal=told)


def build_fitting_looks(
    table: TableName, was: TableColumn, to: str, key: Sequence[str], names: tuple[Quote, Quote]
) -> tuple[Statement, ...]:
    """Puts the values into a column of the new type, and compares what it makes of them.

    A value fits that is the same or written the same, a number that is as large; for a column of numbers, no other.
    """
    quote, literal = names
    shown = " || ', ' || ".join(f"{literal(name + ' = ')} || coalesce({quote(name)}, 'NULL')" for name in key)
    shown = shown or "'row ' || rowid"
    affinity, neutral = get_affinity(to), to_neutral(to)
    both = "typeof(was) IN ('integer', 'real') AND typeof(now) IN ('integer', 'real') AND was = now"
    back = "typeof(was) = 'real' AND typeof(now) = 'text' AND CAST(now AS REAL) = was"
    same = f"(was IS now AND typeof(was) = typeof(now) OR {both} OR {back} OR typeof(was) = 'integer' AND was = now"
    # A text that is a number as SQLite writes it: '20' for 20.0, not '1.50'.
    number = "CAST(was AS NUMERIC)"
    same += f" OR typeof(was) = 'text' AND CAST({number} AS TEXT) = was AND {number} = now"
    same += " OR typeof(was) <> 'real' AND CAST(was AS TEXT) = CAST(now AS TEXT))"
    if affinity == "INTEGER":
        same += " AND typeof(now) = 'integer'"
    elif affinity == "REAL" or neutral.name == "decimal":
        same += " AND typeof(now) IN ('integer', 'real')"
    elif neutral.length is not None:
        same += f" AND (typeof(now) <> 'text' OR length(now) <= {neutral.length})"
    column, where = quote(was.name), f"WHERE was IS NOT NULL AND NOT ({same})"
    told = "SELECT group_concat(told || ': ' || quote(substr(was, 1, 100)), '; ') FROM"
    some = f"{told} (SELECT told, was FROM temp.{_FITS} {where} LIMIT {MOST_TOLD})"
    return (
        Statement(sql=f"CREATE TEMP TABLE {_FITS} (told TEXT, was, now {bare_type(to)})"),
        Statement(sql=f"INSERT INTO temp.{_FITS} SELECT {shown}, {column}, {column} FROM main.{quote(table.name)}"),
        build_misfits(f"SELECT count(*) FROM temp.{_FITS} {where}", was.name, to, some),
        Statement(sql=f"DROP TABLE temp.{_FITS}"),
    )
