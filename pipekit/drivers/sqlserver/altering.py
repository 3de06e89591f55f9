# Changing a column of a SQL Server table: statements, and what stands on it by the catalogue. Knows no connection.
"""SQL Server refuses what would break something else; ALTER COLUMN forgets what is not said again."""

from pipekit.drivers.altering import MOST_TOLD, Standing, build_misfits, is_wider
from pipekit.drivers.base import TableColumn, TableName
from pipekit.drivers.sqlserver.exact import build_changed, build_text
from pipekit.drivers.sqlserver.names import quote_identifier, quote_table, quote_text
from pipekit.drivers.sqlserver.types import TEXTS, parse_type, to_neutral
from pipekit.models.altering import Change
from pipekit.runner_contract import Query, Statement

_STANDING = """\
SELECT N'index ' + i.name FROM sys.index_columns AS ic
JOIN sys.indexes AS i ON i.object_id = ic.object_id AND i.index_id = ic.index_id
JOIN sys.columns AS c ON c.object_id = ic.object_id AND c.column_id = ic.column_id
WHERE ic.object_id = OBJECT_ID({table}) AND c.name = {column}
UNION
SELECT N'default ' + d.name FROM sys.default_constraints AS d
JOIN sys.columns AS c ON c.object_id = d.parent_object_id AND c.column_id = d.parent_column_id
WHERE d.parent_object_id = OBJECT_ID({table}) AND c.name = {column}
UNION
SELECT N'foreign key ' + OBJECT_NAME(f.constraint_object_id) FROM sys.foreign_key_columns AS f
JOIN sys.columns AS c ON c.name = {column} AND c.object_id = OBJECT_ID({table})
WHERE f.parent_object_id = c.object_id AND f.parent_column_id = c.column_id
  OR f.referenced_object_id = c.object_id AND f.referenced_column_id = c.column_id
UNION
SELECT N'object ' + OBJECT_NAME(e.referencing_id) FROM sys.sql_expression_dependencies AS e
JOIN sys.columns AS c ON c.object_id = e.referenced_id AND c.column_id = e.referenced_minor_id
WHERE e.referenced_id = OBJECT_ID({table}) AND c.name = {column}
ORDER BY 1"""
_BLOCKED: frozenset[Change] = frozenset({"drop"})


def find_standing(query: Query, table: TableName, column: str) -> tuple[Standing, ...]:
    """Indexes, defaults, foreign keys, and checks, computed columns and views that are bound to it: none falls."""
    sql = _STANDING.format(table=quote_text(quote_table(table)), column=quote_text(column))
    return tuple(Standing(name=str(row[0]), blocks=_BLOCKED) for row in query(sql).rows)


def build_lock(table: TableName) -> tuple[Statement, ...]:
    """No value comes between the look at all of them and the change."""
    held = f"SELECT TOP (1) 1 AS one FROM {quote_table(table)} WITH (TABLOCKX, HOLDLOCK)"
    return (Statement(sql=f"SELECT COUNT_BIG(*) FROM ({held}) AS held"),)


def build_rename(table: TableName, column: str, name: str) -> tuple[Statement, ...]:
    """The new name is one name, whatever stands in it."""
    place = quote_text(f"{quote_table(table)}.{quote_identifier(column)}")
    return (Statement(sql=f"EXEC sp_rename {place}, {quote_text(name)}, N'COLUMN'"),)


def build_drop(table: TableName, column: str) -> tuple[Statement, ...]:
    """Refused while something stands on it."""
    return (Statement(sql=f"ALTER TABLE {quote_table(table)} DROP COLUMN {quote_identifier(column)}"),)


def build_retype(table: TableName, column: TableColumn, was: str) -> tuple[Statement, ...]:
    """Whether it takes NULL, and its collation, would fall back to what the session and the database say."""
    kept = parse_type(was).collation if parse_type(column.type).base in TEXTS else ""
    type_text = column.type.partition(" COLLATE ")[0] if kept else column.type
    collate = f" COLLATE {kept}" if kept else ""
    null = "NULL" if column.nullable else "NOT NULL"
    name = quote_identifier(column.name)
    return (Statement(sql=f"ALTER TABLE {quote_table(table)} ALTER COLUMN {name} {type_text}{collate} {null}"),)


def build_fitting_looks(table: TableName, was: TableColumn, to: str, key: tuple[str, ...]) -> tuple[Statement, ...]:
    """There and back again, as a load is looked at."""
    if is_wider(to_neutral(was.type), to_neutral(to)):
        return ()
    name, source = quote_identifier(was.name), quote_table(table)
    where = f"WHERE {name} IS NOT NULL AND {build_changed(name, was.type, to)}"
    shown = " + N', ' + ".join(
        f"{quote_text(part + ' = ')} + COALESCE(CAST({quote_identifier(part)} AS nvarchar(100)), N'NULL')"
        for part in key
    )
    value = f"COALESCE({build_text(name, was.type, '100')}, N'')"
    told = f"{shown} + N': ' + {value}" if shown else value
    some = f"SELECT TOP ({MOST_TOLD}) {told} AS told FROM {source} {where}"
    details = f"SELECT STUFF((SELECT N'; ' + told FROM ({some}) AS few FOR XML PATH(N'')), 1, 2, N'')"
    return (build_misfits(f"SELECT COUNT_BIG(*) FROM {source} {where}", was.name, to, details),)
