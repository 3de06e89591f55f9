# The procedures of SYSIBM that jt400 calls for java.sql.DatabaseMetaData. Knows no bytes of the wire.
"""`find_procedure`: its result set, as JDBC describes it."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping

from tests.databases.ibmi import columns as c
from tests.databases.ibmi.answers import Answer, Called, Row, fail
from tests.databases.ibmi.catalogue import get_columns, get_key, list_tables, name_key
from tests.databases.ibmi.columns import Column
from tests.databases.ibmi.dialect import Names
from tests.databases.ibmi.spelling import tell_type

RDB = "DOUBLE"
# java.sql.Types, and the name where it is not that of SYSCOLUMNS.
_JDBC = {c.SMALLINT: (5, ""), c.INTEGER: (4, ""), c.BIGINT: (-5, ""), c.DECIMAL: (3, ""), c.NUMERIC: (2, ""),
    c.DECFLOAT: (1111, ""), c.FLOAT: (8, "DOUBLE"), c.CHAR: (1, ""), c.VARCHAR: (12, ""), c.GRAPHIC: (1, ""),
    c.VARGRAPHIC: (12, "VARGRAPHIC"), c.BINARY: (-2, ""), c.VARBINARY: (-3, "VARBINARY"), c.DATE: (91, ""),
    c.TIME: (92, ""), c.TIMESTAMP: (93, "TIMESTAMP"), c.BLOB_LOCATOR: (2004, ""), c.CLOB_LOCATOR: (2005, ""),
    c.DBCLOB_LOCATOR: (2005, ""), c.XML_LOCATOR: (2009, ""), c.ROWID: (-8, "")}  # fmt: skip
# Columns of results; a # marks a number.
_TABLES = "TABLE_CAT TABLE_SCHEM TABLE_NAME TABLE_TYPE REMARKS TYPE_CAT TYPE_SCHEM TYPE_NAME SELF_REFERENCING_COL_NAME"
_TABLES += " REF_GENERATION"
_COLUMNS = "TABLE_CAT TABLE_SCHEM TABLE_NAME COLUMN_NAME DATA_TYPE# TYPE_NAME COLUMN_SIZE# BUFFER_LENGTH#"
_COLUMNS += " DECIMAL_DIGITS# NUM_PREC_RADIX# NULLABLE# REMARKS COLUMN_DEF SQL_DATA_TYPE# SQL_DATETIME_SUB#"
_COLUMNS += " CHAR_OCTET_LENGTH# ORDINAL_POSITION# IS_NULLABLE SCOPE_CATALOG SCOPE_SCHEMA SCOPE_TABLE SOURCE_DATA_TYPE#"
_COLUMNS += " IS_AUTOINCREMENT IS_GENERATEDCOLUMN"
_KEY = "TABLE_CAT TABLE_SCHEM TABLE_NAME COLUMN_NAME KEY_SEQ# PK_NAME"
_FOREIGN = "PKTABLE_CAT PKTABLE_SCHEM PKTABLE_NAME PKCOLUMN_NAME FKTABLE_CAT FKTABLE_SCHEM FKTABLE_NAME FKCOLUMN_NAME"
_FOREIGN += " KEY_SEQ# UPDATE_RULE# DELETE_RULE# FK_NAME PK_NAME DEFERRABILITY#"
_INDEXES = "TABLE_CAT TABLE_SCHEM TABLE_NAME NON_UNIQUE# INDEX_QUALIFIER INDEX_NAME TYPE# ORDINAL_POSITION# COLUMN_NAME"
_INDEXES += " ASC_OR_DESC CARDINALITY# PAGES# FILTER_CONDITION"

Tell = Callable[[sqlite3.Connection, Row], Iterator[Row]]


def find_procedure(db: sqlite3.Connection, call: str) -> Answer:
    """The answer to a CALL."""
    name = call.partition("(")[0].rpartition(".")[2].strip()
    if name not in _PROCEDURES:
        return fail(-440, "42884", f"Routine {name} in SYSIBM not found with specified parameters.")
    text, tell = _PROCEDURES[name]
    return Called(_describe(text), lambda given: tell(db, given))


def _describe(text: str) -> list[Column]:
    return [c.integer(name[:-1]) if name.endswith("#") else c.varchar(name, 128) for name in text.split()]


def _names(given: Row) -> Names:
    """The second and the third argument; names come as patterns, in which an underline is escaped."""
    schema, table = (str(name).replace("\\", "") for name in given[1:3])
    return Names(schema, table)


def _tell_tables(db: sqlite3.Connection, given: Row) -> Iterator[Row]:
    wanted = _names(given)
    for names in list_tables(db):
        if wanted.schema in ("%", names.schema) and wanted.table in ("%", names.table):
            yield (RDB, names.schema, names.table, "TABLE", *[None] * 6)


def _tell_columns(db: sqlite3.Connection, given: Row) -> Iterator[Row]:
    names = _names(given)
    for place, column in enumerate(get_columns(db, names), start=1):
        word, size, scale, _, digits = tell_type(column)
        code, name = _JDBC[column.type]
        yield (
            *(RDB, names.schema, names.table, column.name, code, name or word, size, column.length, scale or digits),
            *(10, int(column.nullable), None, None, code, None, size, place, "YES" if column.nullable else "NO"),
            *(None, None, None, None, "NO", "NO"),
        )


def _tell_key(db: sqlite3.Connection, given: Row) -> Iterator[Row]:
    names = _names(given)
    for place, name in enumerate(get_key(db, names), start=1):
        yield (RDB, names.schema, names.table, name, place, name_key(names))


def _tell_indexes(db: sqlite3.Connection, given: Row) -> Iterator[Row]:
    names = _names(given)
    for place, name in enumerate(get_key(db, names), start=1):
        key = name_key(names)
        yield (RDB, names.schema, names.table, 0, names.schema, key, 3, place, name, "A", None, None, None)


def _tell_nothing(db: sqlite3.Connection, given: Row) -> Iterator[Row]:
    """The double's tables refer to nothing."""
    return iter(())


_PROCEDURES: Mapping[str, tuple[str, Tell]] = {
    "SQLTABLES": (_TABLES, _tell_tables),
    "SQLCOLUMNS": (_COLUMNS, _tell_columns),
    "SQLPRIMARYKEYS": (_KEY, _tell_key),
    "SQLFOREIGNKEYS": (_FOREIGN, _tell_nothing),
    "SQLSTATISTICS": (_INDEXES, _tell_indexes),
}
