# Changing a column of a PostgreSQL table: statements, and what stands on it by the catalogue. Knows no connection.
"""PostgreSQL does all of it by ALTER TABLE, in a transaction; what it would lose silently is said again."""

from pipekit.drivers.altering import MOST_TOLD, Standing, build_misfits
from pipekit.drivers.base import TableColumn, TableName
from pipekit.drivers.postgresql.changed import build_changed
from pipekit.drivers.postgresql.names import quote_identifier, quote_table, quote_text
from pipekit.drivers.postgresql.types import build_cast, is_exact_widening, parse_type
from pipekit.models.altering import Change
from pipekit.runner_contract import Query, Statement

# What depends on the column by itself falls with it (an index, a constraint, a sequence of its own); what does so
# because somebody said so, or would be broken, forbids it.
_STANDING = """\
SELECT DISTINCT pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid), d.deptype,
  d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass OR d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass
FROM pg_catalog.pg_depend AS d
WHERE d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
  AND d.refobjid = pg_catalog.to_regclass({table})
  AND d.refobjsubid = (
    SELECT a.attnum FROM pg_catalog.pg_attribute AS a
    WHERE a.attrelid = d.refobjid AND a.attname = {column} AND NOT a.attisdropped
  )
  AND NOT (
    d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass
    AND EXISTS (SELECT FROM pg_catalog.pg_attrdef AS f WHERE f.oid = d.objid AND f.adnum = d.refobjsubid)
  )
ORDER BY 1"""
# A default is cast anew with the type, a collation falls back to the type's own: both are said again.
_HAD = """\
SELECT CASE WHEN a.attgenerated = '' THEN pg_catalog.pg_get_expr(f.adbin, f.adrelid) END,
  CASE WHEN a.attcollation NOT IN (0, t.typcollation)
    THEN pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.collname) END
FROM pg_catalog.pg_attribute AS a
JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_attrdef AS f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
LEFT JOIN pg_catalog.pg_collation AS c ON c.oid = a.attcollation
LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = c.collnamespace
WHERE a.attrelid = pg_catalog.to_regclass({table}) AND a.attname = {column} AND NOT a.attisdropped"""
_COLLATED = frozenset({"text", "character varying", "character", "bpchar"})
_RULE = "rule _RETURN on "


def find_standing(query: Query, table: TableName, column: str) -> tuple[Standing, ...]:
    """By the catalogue's own words; the texts of functions, which PostgreSQL does not read, are not among them."""
    names = {"table": quote_text(quote_table(table)), "column": quote_text(column)}
    found = []
    for name, kind, is_relation in query(_STANDING.format(**names)).rows:
        falls = kind in ("a", "i")
        blocks: set[Change] = set() if falls else {"drop"}
        # Indexes and constraints are made anew with the type; nothing else is.
        if not falls and is_relation != "t":
            blocks.add("retype")
        found.append(Standing(name=str(name).removeprefix(_RULE), blocks=frozenset(blocks), falls=falls))
    return tuple(found)


def build_lock(table: TableName) -> tuple[Statement, ...]:
    """What ALTER TABLE takes anyway: no value comes between the look at all of them and the change."""
    return (Statement(sql=f"LOCK TABLE {quote_table(table)} IN ACCESS EXCLUSIVE MODE"),)


def build_rename(table: TableName, column: str, name: str) -> tuple[Statement, ...]:
    """Everything that the catalogue knows to be about the column follows."""
    rename = f"RENAME COLUMN {quote_identifier(column)} TO {quote_identifier(name)}"
    return (Statement(sql=f"ALTER TABLE {quote_table(table)} {rename}"),)


def build_drop(table: TableName, column: str) -> tuple[Statement, ...]:
    """Without CASCADE: what somebody else made on it forbids it."""
    return (Statement(sql=f"ALTER TABLE {quote_table(table)} DROP COLUMN {quote_identifier(column)}"),)


def build_retype(query: Query, table: TableName, column: TableColumn, was: str) -> tuple[Statement, ...]:
    """One statement, so that the table is written anew once; the default goes and comes with it."""
    names = {"table": quote_text(quote_table(table)), "column": quote_text(column.name)}
    default, collation = query(_HAD.format(**names)).rows[0]
    name, one, two = quote_identifier(column.name), parse_type(was), parse_type(column.type)
    collate = f" COLLATE {collation}" if collation and two.base in _COLLATED else ""
    plain = is_exact_widening(one, two)
    using = "" if plain else f" USING {build_cast(name, was, column.type)}"
    steps = [f"ALTER COLUMN {name} TYPE {column.type}{collate}{using}"]
    if default and not plain:
        again = default if default.startswith("nextval(") else f"CAST({default} AS {column.type})"
        steps = [f"ALTER COLUMN {name} DROP DEFAULT", *steps, f"ALTER COLUMN {name} SET DEFAULT {again}"]
    return (Statement(sql=f"ALTER TABLE {quote_table(table)} {', '.join(steps)}"),)


def build_fitting_looks(table: TableName, was: TableColumn, to: str, key: tuple[str, ...]) -> tuple[Statement, ...]:
    """There and back again, as a load is looked at."""
    if is_exact_widening(parse_type(was.type), parse_type(to)):
        return ()
    name, source = quote_identifier(was.name), quote_table(table)
    shown = " || ', ' || ".join(
        f"{quote_text(part + ' = ')} || coalesce(CAST({quote_identifier(part)} AS text), 'NULL')" for part in key
    )
    shown = shown or "'row ' || CAST(ctid AS text)"
    where = f"WHERE {build_changed(name, was.type, to)}"
    value = f"pg_catalog.quote_literal(pg_catalog.left(CAST({name} AS text), 100))"
    order = f" ORDER BY {', '.join(map(quote_identifier, key))}" if key else ""
    some = f"SELECT {shown} || ': ' || {value} AS told FROM {source} {where}{order} LIMIT {MOST_TOLD}"
    details = f"SELECT pg_catalog.string_agg(told, '; ') FROM ({some}) AS few"
    return (build_misfits(f"SELECT pg_catalog.count(*) FROM {source} {where}", was.name, to, details),)
