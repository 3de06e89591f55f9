# What Db2 for i says of its tables in QSYS2. Asks with `query`, knows no connection.
"""Libraries, tables, columns and what a dest table can promise.

Names come both ways: a table is found by its SQL name and by its system name of ten characters, and is listed by the
first. Labels are taken for comments, as most tables of an IBM i have those and no others.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Literal as OneOf

from pipekit.drivers.base import TableColumn, TableFacts, TableInfo, TableName
from pipekit.drivers.db2i.marks import Journal
from pipekit.drivers.jdbc.asking import build_ask
from pipekit.errors import StatementFailed
from pipekit.runner_contract import Query

Literal = Callable[[str], str]

_SCHEMAS = """\
SELECT SCHEMA_NAME FROM QSYS2.SYSSCHEMAS
WHERE SCHEMA_NAME NOT LIKE 'Q%' AND SCHEMA_NAME NOT IN ({system}, {staging})
ORDER BY SCHEMA_NAME"""

_TABLES = """\
SELECT TABLE_NAME, TABLE_TYPE, COALESCE(TABLE_TEXT, LONG_COMMENT)
FROM QSYS2.SYSTABLES
WHERE TABLE_SCHEMA = {schema} AND TABLE_TYPE IN ('T', 'P', 'V', 'L', 'A', 'M') AND COALESCE(FILE_TYPE, 'D') <> 'S'
ORDER BY TABLE_NAME"""

_COLUMNS = """\
SELECT c.TABLE_NAME, c.COLUMN_NAME, c.SYSTEM_COLUMN_NAME, c.DATA_TYPE, c.LENGTH, c.NUMERIC_SCALE, c.CCSID,
  c.DATETIME_PRECISION, c.IS_NULLABLE, c.HAS_DEFAULT, k.COLUMN_NAME, c.COLUMN_TEXT, c.COLUMN_HEADING, c.LONG_COMMENT
FROM QSYS2.SYSCOLUMNS c
LEFT JOIN (
  SELECT p.TABLE_SCHEMA, p.TABLE_NAME, n.COLUMN_NAME
  FROM QSYS2.SYSCST p
  JOIN QSYS2.SYSKEYCST n ON n.CONSTRAINT_SCHEMA = p.CONSTRAINT_SCHEMA AND n.CONSTRAINT_NAME = p.CONSTRAINT_NAME
  WHERE p.CONSTRAINT_TYPE = 'PRIMARY KEY'
) k ON k.TABLE_SCHEMA = c.TABLE_SCHEMA AND k.TABLE_NAME = c.TABLE_NAME AND k.COLUMN_NAME = c.COLUMN_NAME
WHERE c.TABLE_SCHEMA = {schema}{table}
ORDER BY c.TABLE_NAME, c.ORDINAL_POSITION"""

# A physical file that DDS made has its key in its own definition, without a constraint. One row for each member.
_FILE_KEY = """\
SELECT DISTINCT COLUMN_NAMES
FROM QSYS2.SYSPARTITIONINDEXES
WHERE TABLE_SCHEMA = {schema} AND TABLE_NAME = {table} AND INDEX_TYPE = 'PHYSICAL' AND "UNIQUE" = 'UNIQUE'"""

_FACTS = """\
SELECT TABLE_TYPE, IS_INSERTABLE_INTO, SYSTEM_TABLE_SCHEMA, SYSTEM_TABLE_NAME, FILE_TYPE
FROM QSYS2.SYSTABLES
WHERE TABLE_SCHEMA = {schema} AND (TABLE_NAME = {table} OR SYSTEM_TABLE_NAME = {table})"""

_NAMED = """\
SELECT TABLE_SCHEMA, TABLE_NAME FROM QSYS2.SYSTABLES
WHERE TABLE_SCHEMA = {schema} AND (TABLE_NAME = {table} OR SYSTEM_TABLE_NAME = {table})"""

_JOURNAL = """\
SELECT COUNT(*) FROM QSYS2.JOURNALED_OBJECTS
WHERE OBJECT_LIBRARY = {library} AND OBJECT_NAME = {file} AND OBJECT_TYPE = '*FILE'"""

_JOURNAL_OF = """\
SELECT j.JOURNAL_LIBRARY, j.JOURNAL_NAME, j.OBJECT_LIBRARY, j.OBJECT_NAME FROM QSYS2.JOURNALED_OBJECTS AS j
JOIN QSYS2.SYSTABLES AS t ON t.SYSTEM_TABLE_SCHEMA = j.OBJECT_LIBRARY AND t.SYSTEM_TABLE_NAME = j.OBJECT_NAME
WHERE t.TABLE_SCHEMA = {schema} AND t.TABLE_NAME = {table} AND j.OBJECT_TYPE = '*FILE'"""

_SCHEMA_TABLES = """\
SELECT (SELECT COUNT(*) FROM QSYS2.SYSSCHEMAS WHERE SCHEMA_NAME = {schema}),
  (SELECT COUNT(*) FROM QSYS2.SYSTABLES WHERE TABLE_SCHEMA = {schema} AND TABLE_NAME = {table})
FROM SYSIBM.SYSDUMMY1"""

# Beside those whose names begin with Q, which are all IBM's.
_SYSTEM_SCHEMAS = ("SYSIBM", "SYSIBMADM", "SYSPROC", "SYSTOOLS", "SYSFUN", "SYSCAT", "SYSSTAT", "#LIBRARY")
_SIZED = {"CHAR": "CHAR", "VARCHAR": "VARCHAR", "CLOB": "CLOB", "GRAPHIC": "GRAPHIC", "VARG": "VARGRAPHIC",
    "DBCLOB": "DBCLOB", "BINARY": "BINARY", "VARBIN": "VARBINARY", "BLOB": "BLOB"}  # fmt: skip
_BYTES = ("BINARY", "VARBINARY", "BLOB")
_BIT_DATA = 65535
# Names the system made up itself, such as CUSTO00001, tell nobody anything.
_GENERATED_NAME = re.compile(r".{5}\d{5}\Z")

# By HAS_DEFAULT: always or by default, a number of the system's or the time of a row's last change.
_GROWS: Mapping[str, OneOf["identity", "row change"]] = {
    "I": "identity", "J": "identity", "E": "row change", "F": "row change"}  # fmt: skip

Row = tuple[str | None, ...]


def find_table(query: Query, literal: Literal, table: TableName) -> TableName | None:
    """A table by its SQL name or its system name, called by the first."""
    rows = query(_NAMED.format(schema=_schema(literal, table), table=literal(table.name))).rows
    return TableName(schema=rows[0][0], name=rows[0][1] or "") if rows else None


def find_session_schema(query: Query) -> str | None:
    """The library of names without one: that of the address, the first of `libraries`, or the login's own."""
    return query("SELECT CURRENT SCHEMA FROM SYSIBM.SYSDUMMY1").first_cell()


def list_schemas(query: Query, literal: Literal, staging_schema: str) -> list[str]:
    """Libraries except the system's and our own."""
    system = ", ".join(literal(name) for name in _SYSTEM_SCHEMAS)
    return [row[0] or "" for row in query(_SCHEMAS.format(system=system, staging=literal(staging_schema))).rows]


def list_tables(query: Query, literal: Literal, schema: str) -> list[TableInfo]:
    """Tables, physical and logical files, views and aliases of a library; source files are left out."""
    rows = query(_TABLES.format(schema=literal(schema))).rows
    return [
        TableInfo(schema=schema, name=name or "", is_view=(kind or "").strip() in ("V", "L"), comment=comment or None)
        for name, kind, comment in rows
    ]


def get_columns(query: Query, literal: Literal, table: TableName) -> list[TableColumn]:
    """A table's columns in order; none when there is no such table."""
    name = literal(table.name)
    where = f"\n  AND (c.TABLE_NAME = {name} OR c.SYSTEM_TABLE_NAME = {name})"
    rows = query(_COLUMNS.format(schema=_schema(literal, table), table=where)).rows
    columns = [_read_column(row) for row in rows]
    if not columns or any(column.in_key for column in columns):
        return columns
    key = _find_file_key(query, _schema(literal, table), literal(rows[0][0] or ""), rows)
    return [replace(column, in_key=column.name in key) for column in columns]


def _find_file_key(query: Query, schema: str, table: str, rows: Sequence[Row]) -> set[str]:
    """The columns of a physical file's own unique key; none where there is none, or the view does not tell it whole."""
    try:
        keys = query(_FILE_KEY.format(schema=schema, table=table)).rows
    except StatementFailed:
        return set()
    if len(keys) != 1:
        return set()
    by_name = {(row[2] or "").strip(): row[1] or "" for row in rows} | {row[1] or "": row[1] or "" for row in rows}
    names = [name.strip().strip('"') for name in (keys[0][0] or "").split(",")]
    return {by_name[name] for name in names} if all(name in by_name for name in names) else set()


def column_inventory(query: Query, literal: Literal, schema: str) -> dict[str, list[TableColumn]]:
    """The columns of every table of a library."""
    inventory: dict[str, list[TableColumn]] = {}
    for row in query(_COLUMNS.format(schema=literal(schema), table="")).rows:
        inventory.setdefault(row[0] or "", []).append(_read_column(row))
    return inventory


def get_table_facts(query: Query, literal: Literal, table: TableName) -> TableFacts:
    """Whether rows can be written, and whether a merge can be rolled back."""
    rows = query(_FACTS.format(schema=_schema(literal, table), table=literal(table.name))).rows
    if not rows:
        return TableFacts(exists=False)
    kind, insertable, library, file, _ = (cell.strip() if cell else "" for cell in rows[0])
    if kind not in ("T", "P") or insertable == "NO":
        return TableFacts(exists=True, problem=f"{table} is not a table or physical file that takes rows")
    return TableFacts(exists=True, not_atomic=_find_undo_problem(query, literal, library, file))


def holds_rows(query: Query, literal: Literal, table: TableName) -> bool:
    """Whether a name is that of a table or a physical file."""
    rows = query(_FACTS.format(schema=_schema(literal, table), table=literal(table.name))).rows
    return bool(rows) and (rows[0][0] or "").strip() in ("T", "P")


def find_journal(query: Query, literal: Literal, table: TableName) -> Journal | None:
    """A table's journal; None where there is none that this login may see."""
    try:
        rows = query(_JOURNAL_OF.format(schema=_schema(literal, table), table=literal(table.name))).rows
    except StatementFailed:
        return None
    return Journal(*((cell or "").strip() for cell in rows[0])) if rows else None


def find_missing(query: Query, literal: Literal, ledger: TableName) -> tuple[bool, bool]:
    """Whether the staging library and the ledger are missing."""
    sql = _SCHEMA_TABLES.format(schema=literal(ledger.schema or ""), table=literal(ledger.name))
    schema, table = query(sql).rows[0]
    return schema == "0", table == "0"


def spell_type(data_type: str, length: int, scale: int, ccsid: int | None, digits: int | None) -> str:
    """A type as CREATE TABLE takes it, from the words of SYSCOLUMNS."""
    name = data_type.strip()
    if name in _SIZED:
        base = _SIZED[name]
        if ccsid == _BIT_DATA and base in ("CHAR", "VARCHAR"):
            return f"{base}({length}) FOR BIT DATA"
        return f"{base}({length})" + (f" CCSID {ccsid}" if ccsid and base not in _BYTES else "")
    if name in ("DECIMAL", "NUMERIC"):
        return f"{name}({length},{scale})"
    if name == "FLOAT":
        return "REAL" if length == 4 else "DOUBLE"
    if name == "DECFLOAT":
        return "DECFLOAT(16)" if length == 8 else "DECFLOAT(34)"
    if name == "TIMESTMP":
        return f"TIMESTAMP({6 if digits is None else digits})"
    return name


def _schema(literal: Literal, table: TableName) -> str:
    return literal(table.schema) if table.schema else "CURRENT SCHEMA"


def _find_undo_problem(query: Query, literal: Literal, library: str, file: str) -> str:
    """Why a merge cannot be rolled back; empty where it can. Without commitment control a journal is of no use."""
    if query(build_ask("isolation")).first_cell() == "none":
        return "the connection has no commitment control (`transaction isolation=none` in its address)"
    journal = _find_journal_problem(query, literal, library, file)
    return f"{journal}, and then it takes rows only over `transaction isolation=none` in the address" if journal else ""


def _find_journal_problem(query: Query, literal: Literal, library: str, file: str) -> str:
    """Why a merge cannot be rolled back; empty where it can, and where an older release cannot be asked."""
    try:
        count = query(_JOURNAL.format(library=literal(library), file=literal(file))).first_cell()
    except StatementFailed:
        return ""
    return "" if count != "0" else f"{library}/{file} is not journaled, or this login may not see its journal"


def _read_column(row: Row) -> TableColumn:
    _, name, system_name, data_type, length, scale, ccsid, digits, nullable, default, key, *texts = row
    return TableColumn(
        name=name or "",
        type=spell_type(data_type or "", _number(length) or 0, _number(scale) or 0, _number(ccsid), _number(digits)),
        nullable=nullable == "Y",
        has_default=(default or "N").strip() not in ("N", ""),
        generated=(default or "").strip() in ("A", "I", "E"),
        grows=_GROWS.get((default or "").strip(), ""),
        in_key=key is not None,
        comment=_build_comment(name or "", (system_name or "").strip(), texts),
    )


def _number(cell: str | None) -> int | None:
    return None if cell is None else int(cell)


def _build_comment(name: str, system_name: str, texts: list[str | None]) -> str | None:
    """The label, else the heading (whose three lines stand twenty characters apart), else the comment."""
    label = next((" ".join(text.split()) for text in texts if text and text.strip()), "")
    if system_name and system_name != name and not _GENERATED_NAME.match(system_name):
        label = f"{label} [{system_name}]" if label else f"[{system_name}]"
    return label or None
