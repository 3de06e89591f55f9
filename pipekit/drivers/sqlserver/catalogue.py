# Looking at SQL Server's catalogue: the queries, and reading their rows. Knows no connection; `query` is handed in.
"""Schemas, tables, columns and queries as the `sys` views tell them."""

from collections.abc import Sequence

from pipekit.drivers.base import TableColumn, TableInfo, TableName
from pipekit.drivers.sqlserver.faults import Fault, build_place
from pipekit.drivers.sqlserver.names import DEFAULT_SCHEMA, quote_table, quote_text
from pipekit.drivers.sqlserver.query import check_single
from pipekit.drivers.sqlserver.types import spell_type
from pipekit.drivers.sqltext import strip_query
from pipekit.errors import StatementFailed
from pipekit.runner_contract import Query, ResultColumn

# Ids from 16384 on are the schemas of the fixed database roles.
_SCHEMAS = """\
SELECT s.name
FROM sys.schemas AS s
WHERE s.schema_id < 16384 AND s.name NOT IN (N'sys', N'INFORMATION_SCHEMA', N'guest', {staging})
ORDER BY s.name"""

_NAMED = """\
SELECT s.name, o.name
FROM sys.objects AS o
JOIN sys.schemas AS s ON s.schema_id = o.schema_id
WHERE o.object_id = OBJECT_ID({name}) AND o.type IN ('U', 'V')"""

_TABLES = """\
SELECT o.name, CASE WHEN o.type = 'V' THEN 1 ELSE 0 END, p.row_count, CAST(e.value AS nvarchar(4000))
FROM sys.objects AS o
JOIN sys.schemas AS s ON s.schema_id = o.schema_id
LEFT JOIN (
  SELECT object_id, SUM([rows]) AS row_count FROM sys.partitions WHERE index_id IN (0, 1) GROUP BY object_id
) AS p ON p.object_id = o.object_id
LEFT JOIN sys.extended_properties AS e
  ON e.class = 1 AND e.major_id = o.object_id AND e.minor_id = 0 AND e.name = N'MS_Description'
WHERE s.name = {schema} AND o.type IN ('U', 'V') AND o.is_ms_shipped = 0
ORDER BY o.name"""

# A type of the database's own has a system type beneath it; only those of the CLR have none. The key is the primary
# one, else the first unique index over whole tables.
_COLUMNS = """\
SELECT o.name, c.name, COALESCE(b.name, t.name), c.max_length, c.precision, c.scale,
  CASE WHEN c.collation_name <> CAST(DATABASEPROPERTYEX(DB_NAME(), 'Collation') AS nvarchar(128))
    THEN c.collation_name END,
  c.is_nullable, CASE WHEN c.default_object_id <> 0 THEN 1 ELSE 0 END,
  CASE WHEN c.is_computed = 1 OR c.generated_always_type <> 0 OR c.is_column_set = 1 OR c.system_type_id = 189
    THEN 1 ELSE 0 END,
  CASE WHEN c.is_identity = 1 AND o.type = 'U' THEN 1 ELSE 0 END,
  CASE WHEN ic.column_id IS NOT NULL THEN 1 ELSE 0 END, CAST(e.value AS nvarchar(4000))
FROM sys.objects AS o
JOIN sys.schemas AS s ON s.schema_id = o.schema_id
JOIN sys.columns AS c ON c.object_id = o.object_id
JOIN sys.types AS t ON t.user_type_id = c.user_type_id
LEFT JOIN sys.types AS b ON b.user_type_id = c.system_type_id
OUTER APPLY (
  SELECT TOP (1) i.index_id FROM sys.indexes AS i
  WHERE i.object_id = o.object_id AND i.is_unique = 1 AND i.has_filter = 0 AND i.is_disabled = 0
  ORDER BY i.is_primary_key DESC, i.index_id
) AS k
LEFT JOIN sys.index_columns AS ic ON ic.object_id = o.object_id AND ic.index_id = k.index_id
  AND ic.column_id = c.column_id AND ic.key_ordinal > 0
LEFT JOIN sys.extended_properties AS e
  ON e.class = 1 AND e.major_id = o.object_id AND e.minor_id = c.column_id AND e.name = N'MS_Description'
WHERE s.name = {schema} AND o.type IN ('U', 'V'){table}
ORDER BY o.name, c.column_id"""

_DESCRIBE = """\
SELECT name, COALESCE(system_type_name, user_type_name), error_number, error_message
FROM sys.dm_exec_describe_first_result_set({query}, NULL, 0)
ORDER BY column_ordinal"""

# A property that exists is not added again, and one that does not is not updated.
_COMMENT = """\
DECLARE @comment nvarchar(3750) = {comment};
IF EXISTS (
  SELECT 1 FROM sys.extended_properties AS e
  JOIN sys.columns AS c ON c.object_id = e.major_id AND c.column_id = e.minor_id
  WHERE e.class = 1 AND e.name = N'MS_Description' AND e.major_id = OBJECT_ID({quoted}) AND c.name = {column}
)
  EXEC sys.sp_updateextendedproperty @name = N'MS_Description', @value = @comment,
    @level0type = N'SCHEMA', @level0name = {schema}, @level1type = N'TABLE', @level1name = {table},
    @level2type = N'COLUMN', @level2name = {column};
ELSE
  EXEC sys.sp_addextendedproperty @name = N'MS_Description', @value = @comment,
    @level0type = N'SCHEMA', @level0name = {schema}, @level1type = N'TABLE', @level1name = {table},
    @level2type = N'COLUMN', @level2name = {column}"""
# An extended property holds 7,500 bytes.
LONGEST_COMMENT = 3750


def find_table(query: Query, table: TableName) -> TableName | None:
    """A table or view as the server finds it: without a schema in the login's own, then in `dbo`; names as stored."""
    rows = query(_NAMED.format(name=quote_text(quote_table(table)))).rows
    return TableName(schema=rows[0][0], name=rows[0][1] or "") if rows else None


def find_session_schema(query: Query) -> str | None:
    """The login's default schema."""
    return query("SELECT SCHEMA_NAME()").first_cell()


def list_schemas(query: Query, staging_schema: str) -> list[str]:
    """Every schema we may see except the system's and our own."""
    return [row[0] or "" for row in query(_SCHEMAS.format(staging=quote_text(staging_schema))).rows]


def list_tables(query: Query, schema: str) -> list[TableInfo]:
    """Tables and views of a schema; rows as the storage engine counts them."""
    return [
        TableInfo(
            schema=schema,
            name=name or "",
            is_view=is_view == "1",
            rows=None if rows is None else int(rows),
            comment=comment,
        )
        for name, is_view, rows, comment in query(_TABLES.format(schema=quote_text(schema))).rows
    ]


def get_columns(query: Query, table: TableName) -> list[TableColumn]:
    """A table's columns in order; none when there is no such table."""
    where = f" AND o.name = {quote_text(table.name)}"
    rows = query(_COLUMNS.format(schema=quote_text(table.schema or DEFAULT_SCHEMA), table=where)).rows
    return [_read_column(row[1:]) for row in rows]


def column_inventory(query: Query, schema: str) -> dict[str, list[TableColumn]]:
    """The columns of every table of a schema."""
    inventory: dict[str, list[TableColumn]] = {}
    for row in query(_COLUMNS.format(schema=quote_text(schema), table="")).rows:
        inventory.setdefault(row[0] or "", []).append(_read_column(row[1:]))
    return inventory


def describe_query(query: Query, sql: str) -> list[ResultColumn]:
    """A query's result columns as the server describes them without running it; WITH and ORDER BY are fine.

    Raises StatementFailed with what the server has against the query, Invalid for two in one.
    """
    sent = strip_query(sql)
    check_single(sent)
    rows = query(_DESCRIBE.format(query=quote_text(sent))).rows
    for _, _, number, message in rows:
        if number is not None:
            place = build_place(Fault(message or "", number), sent)
            hint = "What uses temporary tables or SQL made up at run time cannot be described; use a view or WITH."
            text = f"The query was refused: {message} (error {number})"
            raise StatementFailed(text, hint=hint, sqlstate=number, **place)
    if not rows:
        raise StatementFailed("The query gives no rows.", hint="A source query begins with SELECT or WITH.")
    return [ResultColumn(name=name or "", type=type_ or "") for name, type_, _, _ in rows]


def build_comment_sql(table: TableName, column: str, comment: str) -> str:
    """Sets a column's `MS_Description`, cut to what such a property holds."""
    schema = table.schema or DEFAULT_SCHEMA
    return _COMMENT.format(
        comment=quote_text(_cut(comment, LONGEST_COMMENT)),
        quoted=quote_text(quote_table(TableName(schema=schema, name=table.name))),
        schema=quote_text(schema),
        table=quote_text(table.name),
        column=quote_text(column),
    )


def _cut(text: str, units: int) -> str:
    """At most so many units of UTF-16, and no half character."""
    return text.encode("utf-16-le", "surrogatepass")[: 2 * units].decode("utf-16-le", "ignore")


def _read_column(row: Sequence[str | None]) -> TableColumn:
    name, base, length, precision, scale, collation, nullable, default, generated, identity, in_key, comment = row
    numbers = (int(length or 0), int(precision or 0), int(scale or 0))
    return TableColumn(
        name=name or "",
        type=spell_type(base or "", *numbers, collation or ""),
        nullable=nullable == "1",
        has_default=default == "1" or identity == "1",
        generated=generated == "1",
        identity=identity == "1",
        in_key=in_key == "1",
        comment=comment,
    )
