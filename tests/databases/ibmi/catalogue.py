# What the double's system says of its tables in QSYS2, kept in SQLite.
"""`make_catalogue`, `tell_table`, `forget_table`; `list_tables`, `get_columns`, `get_key`."""

import sqlite3
from collections.abc import Sequence
from dataclasses import replace

from tests.databases.ibmi.columns import Column
from tests.databases.ibmi.dialect import Names
from tests.databases.ibmi.spelling import parse_type, tell_type

_VIEWS = {
    "SYSSCHEMAS": "SCHEMA_NAME",
    "SYSTABLES": "TABLE_SCHEMA TABLE_NAME TABLE_TYPE TABLE_TEXT LONG_COMMENT FILE_TYPE IS_INSERTABLE_INTO"
    " SYSTEM_TABLE_SCHEMA SYSTEM_TABLE_NAME",
    "SYSCOLUMNS": "TABLE_SCHEMA TABLE_NAME SYSTEM_TABLE_NAME COLUMN_NAME SYSTEM_COLUMN_NAME ORDINAL_POSITION"
    " DATA_TYPE LENGTH NUMERIC_SCALE CCSID DATETIME_PRECISION IS_NULLABLE HAS_DEFAULT COLUMN_TEXT COLUMN_HEADING"
    " LONG_COMMENT",
    "SYSCST": "CONSTRAINT_SCHEMA CONSTRAINT_NAME CONSTRAINT_TYPE TABLE_SCHEMA TABLE_NAME",
    "SYSKEYCST": "CONSTRAINT_SCHEMA CONSTRAINT_NAME COLUMN_NAME",
    "SYSPARTITIONINDEXES": "TABLE_SCHEMA TABLE_NAME TABLE_PARTITION INDEX_TYPE UNIQUE COLUMN_NAMES",
    "JOURNALED_OBJECTS": "OBJECT_LIBRARY OBJECT_NAME OBJECT_TYPE JOURNAL_LIBRARY JOURNAL_NAME",
    "SYSTRIGGERS": "TRIGGER_NAME EVENT_MANIPULATION EVENT_OBJECT_SCHEMA EVENT_OBJECT_TABLE ENABLED",
    # What the double itself remembers: how a column was declared.
    "DECLARED": "TABLE_SCHEMA TABLE_NAME COLUMN_NAME TYPE NULLABLE",
}
_NUMBERS = ("ORDINAL_POSITION", "LENGTH", "NUMERIC_SCALE", "CCSID", "DATETIME_PRECISION")
# HAS_DEFAULT of what the system keeps by itself.
_KEPT = {"GENERATED ALWAYS AS IDENTITY": "I", "GENERATED ALWAYS FOR EACH ROW ON UPDATE AS ROW CHANGE TIMESTAMP": "E"}
_OF_TABLES = ("SYSTABLES", "SYSCOLUMNS", "DECLARED", "SYSCST")


def make_catalogue(db: sqlite3.Connection, libraries: Sequence[str]) -> None:
    """Makes what every system has, and tells of its libraries."""
    for view, names in _VIEWS.items():
        columns = ", ".join(f'"{name}"{" INTEGER" if name in _NUMBERS else ""}' for name in names.split())
        db.execute(f'CREATE TABLE QSYS2."{view}" ({columns})')
    db.execute("CREATE TABLE SYSIBM.SYSDUMMY1 (IBMREQD)")
    db.execute("INSERT INTO SYSIBM.SYSDUMMY1 VALUES ('Y')")
    db.execute("CREATE TABLE SYSIBMADM.ENV_SYS_INFO (OS_VERSION, OS_RELEASE)")
    db.execute("INSERT INTO SYSIBMADM.ENV_SYS_INFO VALUES ('7', '4')")
    db.executemany("INSERT INTO QSYS2.SYSSCHEMAS VALUES (?)", [(library,) for library in libraries])


def tell_table(db: sqlite3.Connection, names: Names, columns: Sequence[tuple[Column, str]], key: Sequence[str]) -> None:
    """A table that was made: its columns with their types as they were declared, and the names of its key."""
    schema, table, short = names.schema, names.table, names.table[:10]
    row = (schema, table, "T", None, None, "D", "YES", schema, short)
    db.execute("INSERT INTO QSYS2.SYSTABLES VALUES (?,?,?,?,?,?,?,?,?)", row)
    db.execute("INSERT INTO QSYS2.JOURNALED_OBJECTS VALUES (?,?,'*FILE',?,'QSQJRN')", (schema, short, schema))
    for place, (column, text) in enumerate(columns, start=1):
        told = (schema, table, short, column.name, column.name[:10], place, *tell_type(column), "NY"[column.nullable])
        kept = next((letter for words, letter in _KEPT.items() if words in text.upper()), "N")
        db.execute(f"INSERT INTO QSYS2.SYSCOLUMNS VALUES ({','.join('?' * 12)},?,NULL,NULL,NULL)", (*told, kept))
        declared = (schema, table, column.name, text, column.nullable)
        db.execute("INSERT INTO QSYS2.DECLARED VALUES (?,?,?,?,?)", declared)
    if key:
        constraint = name_key(names)
        db.execute("INSERT INTO QSYS2.SYSCST VALUES (?,?,'PRIMARY KEY',?,?)", (schema, constraint, schema, table))
        db.executemany("INSERT INTO QSYS2.SYSKEYCST VALUES (?,?,?)", [(schema, constraint, name) for name in key])


def forget_table(db: sqlite3.Connection, names: Names) -> None:
    """A table that was dropped."""
    for view in _OF_TABLES:
        where = (names.schema, names.table)
        db.execute(f"DELETE FROM QSYS2.{view} WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?", where)
    db.execute("DELETE FROM QSYS2.SYSKEYCST WHERE CONSTRAINT_NAME = ?", (name_key(names),))


def list_tables(db: sqlite3.Connection) -> list[Names]:
    """Every table that was made."""
    found = db.execute("SELECT DISTINCT TABLE_SCHEMA, TABLE_NAME FROM QSYS2.DECLARED")
    return [Names(schema, table) for schema, table in found]


def get_columns(db: sqlite3.Connection, names: Names) -> list[Column]:
    """The columns of a table as it was made; none where it is not there."""
    sql = "SELECT COLUMN_NAME, TYPE, NULLABLE FROM QSYS2.DECLARED WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?"
    rows = db.execute(f"{sql} ORDER BY rowid", (names.schema, names.table))
    return [replace(parse_type(name, text), nullable=bool(nullable)) for name, text, nullable in rows]


def get_key(db: sqlite3.Connection, names: Names) -> list[str]:
    """The names of a table's primary key, in their order."""
    sql = "SELECT COLUMN_NAME FROM QSYS2.SYSKEYCST WHERE CONSTRAINT_NAME = ? ORDER BY rowid"
    return [name for (name,) in db.execute(sql, (name_key(names),))]


def name_key(names: Names) -> str:
    """What the double calls a table's primary key."""
    return f"Q_{names.schema}_{names.table}"
