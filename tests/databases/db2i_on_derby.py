# Db2 for i's driver on Derby: QSYS2 made of views, and what Derby spells otherwise. Knows no test.
"""`Db2iOnDerby` and `make_qsys2`.

Nothing here speaks to an IBM i. Derby refuses what Db2 for i refuses (WITH within a table expression, LIMIT), and
answers the driver's catalogue queries from views of the same names and columns as QSYS2's. Types, journals and labels,
which Derby does not have, stand in tables of the schema IBMI, which a test fills.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from pipekit.drivers.base import Address, Driver, StagedColumn, TableColumn, TableName
from pipekit.drivers.db2i.driver import Db2iDriver
from pipekit.drivers.db2i.product import DB2I
from pipekit.drivers.jdbc.driver import JdbcDriver
from pipekit.drivers.jdbc.products import DERBY, Product
from pipekit.runner_contract import ResultColumn
from tests.databases.over_jdbc import JdbcDatabase

_VIEWS = (
    "CREATE SCHEMA IBMI",
    "CREATE SCHEMA QSYS2",
    "CREATE TABLE IBMI.TABLES (SCHEMA_NAME VARCHAR(128), TABLE_NAME VARCHAR(128), SYSTEM_NAME CHAR(10),"
    " LABEL VARCHAR(50))",
    "CREATE TABLE IBMI.COLUMNS (SCHEMA_NAME VARCHAR(128), TABLE_NAME VARCHAR(128), COLUMN_NAME VARCHAR(128),"
    " SYSTEM_NAME CHAR(10), DATA_TYPE VARCHAR(8), LENGTH INTEGER, SCALE INTEGER, CCSID INTEGER, DIGITS INTEGER,"
    " NULLABLE CHAR(1), HAS_DEFAULT CHAR(1), LABEL VARCHAR(50), IN_KEY SMALLINT)",
    "CREATE TABLE IBMI.JOURNALED (LIBRARY VARCHAR(10), NAME VARCHAR(10))",
    "CREATE TABLE IBMI.FILE_KEYS (SCHEMA_NAME VARCHAR(128), TABLE_NAME VARCHAR(128), MEMBER VARCHAR(10),"
    " KIND VARCHAR(11), UNIQUENESS VARCHAR(21), NAMES VARCHAR(1024))",
    "CREATE VIEW QSYS2.SYSSCHEMAS (SCHEMA_NAME) AS SELECT SCHEMANAME FROM SYS.SYSSCHEMAS"
    " WHERE SCHEMANAME NOT LIKE 'SYS%' AND SCHEMANAME NOT IN ('IBMI', 'NULLID', 'SQLJ', 'APP')",
    "CREATE VIEW QSYS2.SYSTABLES (TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, TABLE_TEXT, LONG_COMMENT, FILE_TYPE,"
    " IS_INSERTABLE_INTO, SYSTEM_TABLE_SCHEMA, SYSTEM_TABLE_NAME) AS"
    " SELECT s.SCHEMANAME, t.TABLENAME, t.TABLETYPE, i.LABEL, CAST(NULL AS VARCHAR(2000)), 'D',"
    " CASE WHEN t.TABLETYPE = 'T' THEN 'YES' ELSE 'NO' END, CAST(SUBSTR(s.SCHEMANAME, 1, 10) AS CHAR(10)),"
    " COALESCE(i.SYSTEM_NAME, CAST(SUBSTR(t.TABLENAME, 1, 10) AS CHAR(10)))"
    " FROM SYS.SYSTABLES t JOIN SYS.SYSSCHEMAS s ON s.SCHEMAID = t.SCHEMAID"
    " LEFT JOIN IBMI.TABLES i ON i.SCHEMA_NAME = s.SCHEMANAME AND i.TABLE_NAME = t.TABLENAME",
    "CREATE VIEW QSYS2.SYSCOLUMNS (TABLE_SCHEMA, TABLE_NAME, SYSTEM_TABLE_NAME, COLUMN_NAME, SYSTEM_COLUMN_NAME,"
    " ORDINAL_POSITION, DATA_TYPE, LENGTH, NUMERIC_SCALE, CCSID, DATETIME_PRECISION, IS_NULLABLE, HAS_DEFAULT,"
    " COLUMN_TEXT, COLUMN_HEADING, LONG_COMMENT) AS"
    " SELECT t.TABLE_SCHEMA, t.TABLE_NAME, t.SYSTEM_TABLE_NAME, c.COLUMNNAME, i.SYSTEM_NAME, c.COLUMNNUMBER,"
    " i.DATA_TYPE, i.LENGTH, i.SCALE, i.CCSID, i.DIGITS, i.NULLABLE, i.HAS_DEFAULT, i.LABEL,"
    " CAST(NULL AS VARCHAR(60)), CAST(NULL AS VARCHAR(2000))"
    " FROM SYS.SYSCOLUMNS c JOIN SYS.SYSTABLES b ON b.TABLEID = c.REFERENCEID"
    " JOIN SYS.SYSSCHEMAS s ON s.SCHEMAID = b.SCHEMAID"
    " JOIN QSYS2.SYSTABLES t ON t.TABLE_SCHEMA = s.SCHEMANAME AND t.TABLE_NAME = b.TABLENAME"
    " JOIN IBMI.COLUMNS i ON i.SCHEMA_NAME = s.SCHEMANAME AND i.TABLE_NAME = b.TABLENAME"
    " AND i.COLUMN_NAME = c.COLUMNNAME",
    "CREATE VIEW QSYS2.SYSCST (CONSTRAINT_SCHEMA, CONSTRAINT_NAME, CONSTRAINT_TYPE, TABLE_SCHEMA, TABLE_NAME) AS"
    " SELECT DISTINCT SCHEMA_NAME, 'Q_' || TABLE_NAME, 'PRIMARY KEY', SCHEMA_NAME, TABLE_NAME FROM IBMI.COLUMNS"
    " WHERE IN_KEY = 1",
    "CREATE VIEW QSYS2.SYSKEYCST (CONSTRAINT_SCHEMA, CONSTRAINT_NAME, COLUMN_NAME) AS"
    " SELECT SCHEMA_NAME, 'Q_' || TABLE_NAME, COLUMN_NAME FROM IBMI.COLUMNS WHERE IN_KEY = 1",
    'CREATE VIEW QSYS2.SYSPARTITIONINDEXES (TABLE_SCHEMA, TABLE_NAME, TABLE_PARTITION, INDEX_TYPE, "UNIQUE",'
    " COLUMN_NAMES) AS SELECT * FROM IBMI.FILE_KEYS",
    "CREATE VIEW QSYS2.JOURNALED_OBJECTS (OBJECT_LIBRARY, OBJECT_NAME, OBJECT_TYPE) AS"
    " SELECT LIBRARY, NAME, '*FILE' FROM IBMI.JOURNALED",
    "CREATE VIEW QSYS2.SYSTRIGGERS (TRIGGER_NAME, EVENT_MANIPULATION, EVENT_OBJECT_SCHEMA, EVENT_OBJECT_TABLE, ENABLED)"
    " AS SELECT t.TRIGGERNAME, t.EVENT, s.SCHEMANAME, b.TABLENAME, 'Y' FROM SYS.SYSTRIGGERS t"
    " JOIN SYS.SYSTABLES b ON b.TABLEID = t.TABLEID JOIN SYS.SYSSCHEMAS s ON s.SCHEMAID = b.SCHEMAID",
)


class Db2iOnDerby(Db2iDriver):
    """The driver as it is but for the address, the spelling of new columns, and LABEL ON, which Derby does not know."""

    supports_comments: ClassVar[bool] = False
    product: ClassVar[Product] = replace(DB2I, spellings=DERBY.spellings, as_text=DERBY.as_text, no_text=DERBY.no_text)

    def parse_url(self, jdbc_url: str) -> Address:
        return Address(database=jdbc_url)

    def build_connect_url(self, jdbc_url: str) -> str:
        return jdbc_url

    def build_staging_sql(
        self, staging: TableName, dest: TableName, columns: Sequence[StagedColumn]
    ) -> tuple[str, ...]:
        return tuple(
            sql.replace("TIMESTAMP(6)", "TIMESTAMP") for sql in super().build_staging_sql(staging, dest, columns)
        )

    def stage_column(self, source: ResultColumn, source_driver: Driver, dest: TableColumn) -> StagedColumn:
        """Derby has no code pages and no graphic types: its texts hold every character."""
        return JdbcDriver.stage_column(self, source, source_driver, dest)

    def build_comment_sql(self, table: TableName, column: str, comment: str) -> str:
        return ""


@dataclass(frozen=True, slots=True)
class Field:
    """A column as Derby makes it, and as SYSCOLUMNS tells it: type, length, scale, CCSID and digits of a second."""

    name: str
    derby_type: str
    told: tuple[str, int, int | None, int | None, int | None]
    label: str = ""
    system_name: str = ""
    in_key: bool = False


def make_qsys2(database: JdbcDatabase) -> None:
    """Makes the views."""
    database.execute(*_VIEWS)


def make_table(
    database: JdbcDatabase,
    name: str,
    fields: Sequence[Field],
    *,
    system_name: str = "",
    label: str = "",
    journaled: bool = True,
) -> None:
    """Makes a table in SHOP and tells the catalogue of it."""
    lines = ", ".join(f'"{f.name}" {f.derby_type}{" NOT NULL" if f.in_key else ""}' for f in fields)
    keys = ", ".join(f'"{f.name}"' for f in fields if f.in_key)
    key = f", PRIMARY KEY ({keys})" if keys else ""
    short = system_name or name[:10]
    database.execute(
        f'CREATE TABLE SHOP."{name}" ({lines}{key})',
        f"INSERT INTO IBMI.TABLES VALUES ('SHOP', '{name}', '{short}', {_text(label)})",
        *(_build_told(name, field) for field in fields),
        *([f"INSERT INTO IBMI.JOURNALED VALUES ('SHOP', '{short}')"] if journaled else []),
    )


def tell_file_key(
    database: JdbcDatabase, table: str, names: str, *, unique: str = "UNIQUE", kind: str = "PHYSICAL", member: str = "M"
) -> None:
    """Tells the catalogue of an index over a table of SHOP; `names` are its columns, separated by commas."""
    values = f"'SHOP', '{table}', '{member}', '{kind}', '{unique}', '{names}'"
    database.execute(f"INSERT INTO IBMI.FILE_KEYS VALUES ({values})")


def _build_told(table: str, field: Field) -> str:
    data_type, *numbers = field.told
    told = ", ".join("NULL" if number is None else str(number) for number in numbers)
    system_name = field.system_name or field.name[:10]
    return (
        f"INSERT INTO IBMI.COLUMNS VALUES ('SHOP', '{table}', '{field.name}', '{system_name}', '{data_type}', {told},"
        f" '{'N' if field.in_key else 'Y'}', 'N', {_text(field.label)}, {int(field.in_key)})"
    )


def _text(text: str) -> str:
    return f"'{text}'" if text else "NULL"
