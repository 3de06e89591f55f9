# One look into PostgreSQL's catalogue at everything a table is but for its rows. Pure text; knows no connection.
"""`Shape`: a table as one document without a number of the catalogue's own, so that a table that took another's place
can be held against it.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pipekit.drivers.base import TableName
from pipekit.drivers.postgresql.swap.obstacles import OBSTACLES
from pipekit.errors import StatementFailed
from pipekit.runner_contract import Query

Literal = Callable[[str], str]

_NAME = "pg_catalog.quote_ident({0})"
_ROLE = "pg_catalog.quote_ident(pg_catalog.pg_get_userbyid({0}))"
# Who may what, whoever gave it, as it is kept: [grantee, right, whether it may be handed on].
_RIGHTS = f"""(
      SELECT pg_catalog.json_agg(pg_catalog.json_build_array(
        CASE r.grantee WHEN 0 THEN 'PUBLIC' ELSE {_ROLE.format("r.grantee")} END, r.privilege_type, r.is_grantable))
      FROM pg_catalog.aclexplode({{0}}) AS r)"""
# PostgreSQL 15.20 keeps a number of its own, `pg_attver`, among the options of each column.
_OPTIONS = "(SELECT pg_catalog.json_agg(o) FROM pg_catalog.unnest({0}) AS o WHERE o NOT LIKE 'pg!_%' ESCAPE '!')"
_TABLESPACE = "coalesce((SELECT spcname FROM pg_catalog.pg_tablespace WHERE oid = {0}), '')"

_TABLE = f"""pg_catalog.json_build_object(
    'name', t.relname, 'called', pg_catalog.format('%I.%I', t.nspname, t.relname), 'persistence', t.relpersistence,
    'owner', {_ROLE.format("t.relowner")},
    'method', (SELECT {_NAME.format("amname")} FROM pg_catalog.pg_am WHERE oid = t.relam),
    'tablespace', {_TABLESPACE.format("t.reltablespace")},
    'options', {_OPTIONS.format("t.reloptions")},
    'toast', (SELECT {_OPTIONS.format("o.reloptions")} FROM pg_catalog.pg_class AS o WHERE o.oid = t.reltoastrelid),
    'replica', t.relreplident, 'row_security', t.relrowsecurity OR t.relforcerowsecurity,
    'rights', {_RIGHTS.format("coalesce(t.relacl, pg_catalog.acldefault('r', t.relowner))")},
    'comment', pg_catalog.obj_description(t.oid, 'pg_class'))"""

_COLUMNS = f"""(
    SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
      'name', a.attname, 'type', pg_catalog.format_type(a.atttypid, a.atttypmod),
      'collation', (SELECT {_NAME.format("n.nspname")} || '.' || {_NAME.format("c.collname")}
        FROM pg_catalog.pg_collation AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.collnamespace
        WHERE c.oid = a.attcollation),
      'not_null', a.attnotnull, 'default', pg_catalog.pg_get_expr(d.adbin, d.adrelid),
      'generated', a.attgenerated, 'identity', a.attidentity, 'storage', a.attstorage,
      'compression', pg_catalog.to_json(a) ->> 'attcompression',
      'target', nullif(CAST(pg_catalog.to_json(a) ->> 'attstattarget' AS integer), -1),
      'options', {_OPTIONS.format("a.attoptions")}, 'rights', {_RIGHTS.format("a.attacl")},
      'comment', pg_catalog.col_description(t.oid, a.attnum)) ORDER BY a.attnum)
    FROM pg_catalog.pg_attribute AS a
    LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped)"""

_INDEXES = f"""(
    SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
      'name', i.relname, 'called', {_NAME.format("i.relname")}, 'unique', x.indisunique, 'clustered', x.indisclustered,
      'identity', x.indisreplident, 'definition', pg_catalog.pg_get_indexdef(i.oid),
      'kind', k.contype, 'constraint', pg_catalog.pg_get_constraintdef(k.oid),
      'late', k.condeferrable, 'deferred', k.condeferred,
      'temporal', coalesce(CAST(pg_catalog.to_json(k) ->> 'conperiod' AS boolean), false),
      'tablespace', {_TABLESPACE.format("i.reltablespace")}, 'options', {_OPTIONS.format("i.reloptions")},
      'targets', (SELECT pg_catalog.json_agg(pg_catalog.json_build_array(a.attnum,
          CAST(pg_catalog.to_json(a) ->> 'attstattarget' AS integer)) ORDER BY a.attnum)
        FROM pg_catalog.pg_attribute AS a
        WHERE a.attrelid = i.oid AND CAST(pg_catalog.to_json(a) ->> 'attstattarget' AS integer) >= 0),
      'comment', pg_catalog.obj_description(i.oid, 'pg_class'),
      'constraint_comment', pg_catalog.obj_description(k.oid, 'pg_constraint')) ORDER BY i.relname)
    FROM pg_catalog.pg_index AS x JOIN pg_catalog.pg_class AS i ON i.oid = x.indexrelid
    LEFT JOIN pg_catalog.pg_constraint AS k
      ON k.conindid = i.oid AND k.conrelid = t.oid AND k.contype IN ('p', 'u', 'x')
    WHERE x.indrelid = t.oid)"""

_CONSTRAINTS = """(
    SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
      'name', k.conname, 'kind', k.contype, 'definition', pg_catalog.pg_get_constraintdef(k.oid),
      'valid', k.convalidated, 'refers', CASE WHEN k.confrelid <> 0 THEN CAST(k.confrelid AS pg_catalog.regclass) END,
      'own', k.confrelid = t.oid, 'comment', pg_catalog.obj_description(k.oid, 'pg_constraint')) ORDER BY k.conname)
    FROM pg_catalog.pg_constraint AS k WHERE k.conrelid = t.oid AND k.contype IN ('c', 'f', 'n'))"""

_TRIGGERS = """(
    SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
      'name', g.tgname, 'definition', pg_catalog.pg_get_triggerdef(g.oid), 'enabled', g.tgenabled,
      'events', g.tgtype, 'comment', pg_catalog.obj_description(g.oid, 'pg_trigger')) ORDER BY g.tgname)
    FROM pg_catalog.pg_trigger AS g WHERE g.tgrelid = t.oid AND NOT g.tgisinternal)"""

_STATISTICS = f"""(
    SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
      'schema', n.nspname, 'name', s.stxname,
      'definition', pg_catalog.pg_get_statisticsobjdef(s.oid), 'owner', {_ROLE.format("s.stxowner")},
      'called', pg_catalog.format('%I.%I', n.nspname, s.stxname),
      'target', nullif(CAST(pg_catalog.to_json(s) ->> 'stxstattarget' AS integer), -1),
      'comment', pg_catalog.obj_description(s.oid, 'pg_statistic_ext')) ORDER BY n.nspname, s.stxname)
    FROM pg_catalog.pg_statistic_ext AS s JOIN pg_catalog.pg_namespace AS n ON n.oid = s.stxnamespace
    WHERE s.stxrelid = t.oid)"""

_SEQUENCES = f"""(
    SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
      'name', s.relname, 'column', a.attname, 'identity', d.deptype = 'i', 'always', a.attidentity = 'a',
      'type', pg_catalog.format_type(q.seqtypid, NULL), 'start', q.seqstart, 'increment', q.seqincrement,
      'low', q.seqmin, 'high', q.seqmax, 'cache', q.seqcache, 'cycle', q.seqcycle, 'persistence', s.relpersistence,
      'rights', {_RIGHTS.format("coalesce(s.relacl, pg_catalog.acldefault('s', s.relowner))")},
      'comment', pg_catalog.obj_description(s.oid, 'pg_class')) ORDER BY s.relname)
    FROM pg_catalog.pg_depend AS d JOIN pg_catalog.pg_class AS s ON s.oid = d.objid AND s.relkind = 'S'
    JOIN pg_catalog.pg_sequence AS q ON q.seqrelid = s.oid
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.deptype IN ('a', 'i')
      AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = t.oid)"""

# Said of the table, but no part of what it is: how the texts above call it, whom new tables are opened to by default.
_AROUND = f"""pg_catalog.json_build_object(
    'called', CAST(t.oid AS pg_catalog.regclass), 'version', pg_catalog.current_setting('server_version_num'),
    'rights', {_RIGHTS.format("pg_catalog.acldefault('r', t.relowner)")},
    'sequence_rights', {_RIGHTS.format("pg_catalog.acldefault('s', t.relowner)")},
    'opened', (SELECT pg_catalog.json_agg(DISTINCT CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE {_ROLE.format("x.grantee")}
        END) FROM pg_catalog.pg_default_acl AS f, pg_catalog.aclexplode(f.defaclacl) AS x
      WHERE f.defaclrole = m.oid AND f.defaclobjtype IN ('r', 'S')),
    'known', EXISTS (
      SELECT FROM pg_catalog.pg_stats AS s WHERE s.schemaname = t.nspname AND s.tablename = t.relname))"""

_PARTS = {
    "table": _TABLE,
    "columns": _COLUMNS,
    "indexes": _INDEXES,
    "constraints": _CONSTRAINTS,
    "triggers": _TRIGGERS,
    "statistics": _STATISTICS,
    "sequences": _SEQUENCES,
    "obstacles": OBSTACLES,
}

_SHAPE = """\
WITH t AS (
  SELECT c.*, n.nspname, y.typarray
  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_type AS y ON y.oid = c.reltype
  WHERE n.nspname = {schema} AND c.relname = {table}
), m AS (
  SELECT oid, rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user
), shape AS (
  SELECT pg_catalog.json_build_object(
  {parts}) AS parts
  FROM t, m
)
{chosen}"""
_WHOLE = f"""\
SELECT shape.parts, {_AROUND},
  (SELECT pg_catalog.json_object_agg(p.key, pg_catalog.md5(CAST(p.value AS text)))
  FROM pg_catalog.json_each(shape.parts) AS p)
FROM t, m, shape"""
_DIFFERING = """\
SELECT pg_catalog.string_agg(p.key, ', ')
FROM shape, pg_catalog.json_each(shape.parts) AS p, (SELECT CAST({digests} AS pg_catalog.json) AS wanted) AS d
WHERE pg_catalog.md5(CAST(p.value AS text)) IS DISTINCT FROM d.wanted ->> p.key"""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What a table is: `table` with its facts, and a list for everything that there may be several of.

    `around` is what is said beside it, `digests` are the parts' own, as a document.
    """

    parts: dict[str, Any]
    around: dict[str, Any]
    digests: str

    @property
    def table(self) -> dict[str, Any]:
        """The facts of the table itself."""
        found: dict[str, Any] = self.parts["table"]
        return found

    def list(self, part: str) -> list[dict[str, Any]]:
        """Everything of one kind that the table has."""
        return self.parts[part] or []


def find_shape(query: Query, literal: Literal, table: TableName) -> Shape:
    """What a table is, in one look; raises StatementFailed when it is gone."""
    rows = query(build_shape_sql(literal, table)).rows
    if not rows:
        raise StatementFailed(f"There is no table {table} any more.", transient=True)
    parts, around, digests = rows[0]
    return Shape(parts=json.loads(parts or ""), around=json.loads(around or ""), digests=digests or "")


def build_shape_sql(literal: Literal, table: TableName) -> str:
    """One row: the table's document, what is said beside it, the parts' digests."""
    return _build(literal, table, _WHOLE)


def build_differing_sql(literal: Literal, table: TableName, shape: Shape) -> str:
    """One cell: which parts of a table are not as they were; NULL when all are."""
    return _build(literal, table, _DIFFERING.format(digests=literal(shape.digests)))


def _build(literal: Literal, table: TableName, chosen: str) -> str:
    parts = ",\n  ".join(f"'{name}', {text}" for name, text in _PARTS.items())
    schema, name = literal(table.schema or "public"), literal(table.name)
    return _SHAPE.format(schema=schema, table=name, parts=parts, chosen=chosen)
