# What SQLite's own tables say about a file's tables. Looks through a `query` callable; knows no connection.
"""Tables, columns and collations of a database file."""

from collections.abc import Iterator
from dataclasses import dataclass

from pipekit.drivers.base import TableColumn, TableFacts, TableInfo, TableName
from pipekit.drivers.sqltext import READINGS, strip_query, tokens
from pipekit.runner_contract import Query

STAGING_PREFIX = "pipekit_staging."

_SQLITE = READINGS[1]
_OWN = f"m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND substr(m.name, 1, {len(STAGING_PREFIX)}) <> '{STAGING_PREFIX}'"

# hidden: 1 is a virtual table's own column, 2 and 3 are generated. ANY keeps values as they are in STRICT tables only.
_COLUMNS = """SELECT m.name, x.name,
  CASE WHEN upper(x.type) = 'ANY' AND NOT l.strict THEN 'NUMERIC' ELSE x.type END,
  x."notnull", x.dflt_value IS NOT NULL, x.hidden, x.pk, l.wr, m.sql,
  (SELECT count(*) FROM pragma_table_xinfo(m.name, 'main') k WHERE k.pk > 0)
FROM sqlite_master m
JOIN pragma_table_list l ON l.schema = 'main' AND l.name = m.name
JOIN pragma_table_xinfo(m.name, 'main') x
WHERE m.type IN ('table', 'view') AND x.hidden <> 1 AND {which}
ORDER BY m.name, x.cid"""


# A file is read at this speed or better: what counting costs stays below a second.
MOST_COUNTED_BYTES = 1 << 30


def estimate_rows(query: Query, sql: str) -> int | None:
    """How many rows a query gives that reads one table of a file that is not too large: counted, as SQLite keeps no
    number of them. None for any other.
    """
    size = query("SELECT p.page_count * s.page_size FROM pragma_page_count AS p, pragma_page_size AS s").first_cell()
    if int(size or 0) > MOST_COUNTED_BYTES:
        return None
    plan = [row[-1] or "" for row in query(f"EXPLAIN QUERY PLAN {strip_query(sql)}").rows]
    if len(plan) != 1 or not plan[0].startswith("SCAN ") or "VIRTUAL TABLE" in plan[0]:
        return None
    return int(query(f"SELECT count(*) FROM (\n{strip_query(sql)}\n)").first_cell() or 0)


def list_tables(query: Query) -> list[TableInfo]:
    """Tables and views a person made, in order of name."""
    rows = query(
        f"SELECT m.name, m.type FROM sqlite_master m WHERE m.type IN ('table', 'view') AND {_OWN} ORDER BY 1"
    ).rows
    return [TableInfo(schema="main", name=str(name), is_view=kind == "view") for name, kind in rows]


def find_table(query: Query, literal: str) -> TableName | None:
    """A table or view by a text constant, called as the file calls it; names are equal whatever their case."""
    sql = f"SELECT m.name FROM sqlite_master m WHERE m.type IN ('table', 'view') AND m.name = {literal} COLLATE NOCASE"
    name = query(sql).first_cell()
    return None if name is None else TableName(schema=None, name=name)


def list_columns(query: Query, table_literal: str) -> list[TableColumn]:
    """The columns of one table, given as a text constant; names are equal whatever their case, as in SQLite."""
    rows = query(_COLUMNS.format(which=f"m.name = {table_literal} COLLATE NOCASE")).rows
    return list(_build_columns(rows))


def list_all_columns(query: Query) -> dict[str, list[TableColumn]]:
    """Every table's columns."""
    found: dict[str, list[tuple[str | None, ...]]] = {}
    for row in query(_COLUMNS.format(which=_OWN)).rows:
        found.setdefault(str(row[0]), []).append(row)
    return {name: list(_build_columns(rows)) for name, rows in found.items()}


def _build_columns(rows: list[tuple[str | None, ...]] | tuple[tuple[str | None, ...], ...]) -> Iterator[TableColumn]:
    collations = find_collations(rows[0][8] or "") if rows else {}
    for _, name, type_text, notnull, default, hidden, pk, without_rowid, _, key_columns in rows:
        collation = collations.get(str(name).lower(), "")
        # The one INTEGER PRIMARY KEY is the row's number: SQLite fills it in, also in place of a NULL.
        numbers_rows = key_columns == "1" and pk == "1" and str(type_text).upper() == "INTEGER" and without_rowid == "0"
        yield TableColumn(
            name=str(name),
            type=f"{type_text or ''} COLLATE {collation}".strip() if collation else type_text or "",
            nullable=notnull == "0" and not numbers_rows,
            has_default=default == "1" or numbers_rows,
            generated=hidden in ("2", "3"),
            in_key=pk != "0",
        )


def get_facts(query: Query, name: str, literal: str) -> TableFacts:
    """Whether a table is there and can be written to; emptying it rolls back like any other statement."""
    rows = query(
        "SELECT m.type, l.type FROM sqlite_master m JOIN pragma_table_list l ON l.schema = 'main' AND l.name = m.name"
        f" WHERE m.type IN ('table', 'view') AND m.name = {literal} COLLATE NOCASE"
    ).rows
    if name.lower().startswith("sqlite_"):
        return TableFacts(exists=bool(rows), can_truncate=False, problem=f"'{name}' belongs to SQLite itself.")
    if not rows:
        return TableFacts(exists=False)
    kind = rows[0][1] or rows[0][0]
    problem = "" if kind == "table" else f"'{name}' is a {kind} and not a plain table; rows go into tables only."
    return TableFacts(exists=True, can_truncate=True, problem=problem)


# -- collations --------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Word:
    """A word of SQL: unquoted text, and whether it stood in quotes."""

    text: str
    quoted: bool


def find_collations(create_sql: str) -> dict[str, str]:
    """Column name in lower case -> its collation, for the columns of a CREATE TABLE that name one other than BINARY.

    SQLite compares a column by its collation and has no other way to ask for it than the table's own text.
    """
    found: dict[str, str] = {}
    for words in _column_definitions(create_sql):
        for place, word in enumerate(words[1:-1], start=1):
            if not word.quoted and word.text.upper() == "COLLATE" and words[place + 1].text.upper() != "BINARY":
                found[words[0].text.lower()] = words[place + 1].text
    return found


def _column_definitions(create_sql: str) -> Iterator[list[Word]]:
    """The words of each entry between the outer parentheses; what stands in inner ones is left out."""
    depth, words = 0, list[Word]()
    for word in read_words(create_sql):
        if word.text == "(" and not word.quoted:
            depth += 1
        elif word.text == ")" and not word.quoted:
            depth -= 1
        elif word.text == "," and not word.quoted and depth == 1:
            yield words
            words = []
        elif depth == 1:
            words.append(word)
    if words:
        yield words


def read_words(sql: str) -> Iterator[Word]:
    """Tokens put together to words; punctuation stands alone."""
    plain = ""
    for kind, start, end in tokens(sql, _SQLITE):
        text = sql[start:end]
        if kind == "other" and text not in "(),":
            plain += text
            continue
        if plain:
            yield Word(plain, quoted=False)
            plain = ""
        if kind in ("name", "string"):
            yield Word(text[1:-1].replace(text[-1] * 2, text[-1]), quoted=True)
        elif kind == "other":
            yield Word(text, quoted=False)
    if plain:
        yield Word(plain, quoted=False)
