# Looking at PostgreSQL's catalogue: the queries, and reading their rows. Knows no connection; `query` is handed in.
"""Schemas, tables and columns as `pg_catalog` tells them."""

from collections.abc import Callable

from pipekit.drivers.base import TableColumn, TableInfo, TableName
from pipekit.runner_contract import Query

Literal = Callable[[str], str]

_SCHEMAS = """\
SELECT n.nspname
FROM pg_catalog.pg_namespace AS n
WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', {staging})
  AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
ORDER BY n.nspname"""

_TABLES = """\
SELECT c.relname, c.relkind IN ('v', 'm'), CASE WHEN c.reltuples >= 0 THEN c.reltuples::bigint END,
  pg_catalog.obj_description(c.oid, 'pg_class')
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = {schema} AND c.relkind IN ('r', 'p', 'f', 'v', 'm') AND NOT c.relispartition
ORDER BY c.relname"""

_COLUMNS = """\
SELECT c.relname, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), NOT (a.attnotnull OR t.typnotnull),
  (a.atthasdef AND a.attgenerated = '') OR a.attidentity <> '' OR t.typdefault IS NOT NULL,
  a.attgenerated <> '', k.attnum IS NOT NULL, pg_catalog.col_description(c.oid, a.attnum),
  a.attidentity = 'a' OR c.relkind = 'v' AND EXISTS (
    SELECT FROM pg_catalog.pg_rewrite AS r
    JOIN pg_catalog.pg_depend AS p ON p.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND p.objid = r.oid
    JOIN pg_catalog.pg_attribute AS b ON b.attrelid = p.refobjid AND b.attnum = p.refobjsubid
    WHERE r.ev_class = c.oid AND b.attidentity = 'a' AND b.attname = a.attname
      AND p.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
  ),
  (
    WITH RECURSIVE under AS (
      SELECT CASE WHEN e.oid IS NULL THEN t.oid ELSE e.oid END AS id, -1 AS modifier,
        CASE WHEN e.oid IS NULL THEN '' ELSE '[]' END AS suffix
      FROM (SELECT) AS one LEFT JOIN pg_catalog.pg_type AS e ON e.oid = t.typelem AND t.typcategory = 'A'
      UNION ALL
      SELECT d.typbasetype, d.typtypmod, under.suffix FROM under
      JOIN pg_catalog.pg_type AS d ON d.oid = under.id WHERE d.typtype = 'd'
    )
    SELECT CASE b.typtype WHEN 'c' THEN 'record' ELSE pg_catalog.format_type(b.oid, under.modifier) END || under.suffix
    FROM under JOIN pg_catalog.pg_type AS b ON b.oid = under.id
    WHERE b.typtype = 'c' OR b.typtype <> 'd' AND b.oid NOT IN (t.oid, t.typelem)
  )
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
LEFT JOIN (
  SELECT i.indrelid, pg_catalog.unnest(i.indkey::smallint[]) AS attnum
  FROM pg_catalog.pg_index AS i WHERE i.indisprimary
) AS k ON k.indrelid = c.oid AND k.attnum = a.attnum
WHERE n.nspname = {schema} AND c.relkind IN ('r', 'p', 'f', 'v', 'm'){table}
ORDER BY c.relname, a.attnum"""


def build_find_sql(name: str) -> str:
    """Schema and name of a table; `name` is a literal that holds it as it stands in a query."""
    return (
        "SELECT n.nspname, c.relname FROM pg_catalog.pg_class AS c"
        " JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace"
        f" WHERE c.oid = pg_catalog.to_regclass({name})"
    )


def find_table(query: Query, name: str) -> TableName | None:
    """The table that a name means to the session; `name` as in `build_find_sql`."""
    rows = query(build_find_sql(name)).rows
    return TableName(schema=rows[0][0], name=rows[0][1] or "") if rows else None


def find_session_schema(query: Query) -> str | None:
    """Where the session makes a table whose name says no schema."""
    return query("SELECT pg_catalog.current_schema()").first_cell()


def list_schemas(query: Query, literal: Literal, staging_schema: str) -> list[str]:
    """Every schema we may use except the system's and our own."""
    rows = query(_SCHEMAS.format(staging=literal(staging_schema))).rows
    return [row[0] or "" for row in rows]


def list_tables(query: Query, literal: Literal, schema: str) -> list[TableInfo]:
    """Tables and views of a schema, partitions left out; rows as the planner estimates them."""
    return [
        TableInfo(
            schema=schema,
            name=name or "",
            is_view=is_view == "t",
            rows=None if rows is None else int(rows),
            comment=comment,
        )
        for name, is_view, rows, comment in query(_TABLES.format(schema=literal(schema))).rows
    ]


def build_columns_sql(literal: Literal, table: TableName) -> str:
    """A table's columns in order."""
    where = f" AND c.relname = {literal(table.name)}"
    return _COLUMNS.format(schema=literal(table.schema or "public"), table=where)


def get_columns(query: Query, literal: Literal, table: TableName) -> list[TableColumn]:
    """A table's columns in order; none when there is no such table."""
    return [_read_column(row[1:]) for row in query(build_columns_sql(literal, table)).rows]


def column_inventory(query: Query, literal: Literal, schema: str) -> dict[str, list[TableColumn]]:
    """The columns of every table of a schema."""
    inventory: dict[str, list[TableColumn]] = {}
    for row in query(_COLUMNS.format(schema=literal(schema), table="")).rows:
        inventory.setdefault(row[0] or "", []).append(_read_column(row[1:]))
    return inventory


def _read_column(row: tuple[str | None, ...]) -> TableColumn:
    name, type_, nullable, has_default, generated, in_key, comment, identity, under = row
    return TableColumn(
        name=name or "",
        type=type_ or "",
        under=under or "",
        nullable=nullable == "t",
        has_default=has_default == "t",
        generated=generated == "t",
        identity=identity == "t",
        in_key=in_key == "t",
        comment=comment,
    )
