# Indexes of a PostgreSQL dest that a merge drops and makes again around its rows. Looks and text; knows no connection.
"""`find_rebuild`: one look at the catalogue, and the statements for around the rows.

An index is kept up row by row while rows come, which takes several times as long as making it when they are there. What
belongs to an index goes with it and is made again: names, comments, CLUSTER, the replica identity, statistics targets,
tablespaces, and the constraint it stands for, with everything that `pg_get_indexdef` writes.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from pipekit.drivers import rebuilding
from pipekit.drivers.base import MergePlan, TableName
from pipekit.drivers.facts import Rebuild
from pipekit.drivers.postgresql.joins import name_dest
from pipekit.drivers.postgresql.names import quote_identifier, quote_table, quote_text
from pipekit.drivers.postgresql.settings import PINNED
from pipekit.runner_contract import Query, Statement

Literal = Callable[[str], str]

# Rows to sort in memory that a server of this size can spare; each worker of a parallel build has a share of it.
MOST_MEMORY_KB = 256 * 1024
LOCK_S = 5
# Access methods whose builds have been measured against keeping them up.
_KNOWN_METHODS = "'btree', 'hash', 'gin', 'gist', 'spgist', 'brin'"

# Each index as one object, in the order they were made. What stands in its way is told, the first that is found.
_INDEXES = """\
SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
  'name', x.relname, 'definition', pg_catalog.pg_get_indexdef(x.oid),
  'comment', pg_catalog.obj_description(x.oid, 'pg_class'), 'tablespace', coalesce(s.spcname, ''),
  'clustered', i.indisclustered, 'identity', i.indisreplident,
  'constraint', k.contype, 'constraint_comment', pg_catalog.obj_description(k.oid, 'pg_constraint'),
  'deferrable', k.condeferrable, 'deferred', k.condeferred,
  'targets', (
    SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(a.attnum, a.attstattarget) ORDER BY a.attnum)
    FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = x.oid AND a.attstattarget >= 0
  ),
  'obstacle', CASE
    WHEN NOT (i.indisvalid AND i.indisready AND i.indislive) THEN 'it is not valid'
    WHEN i.indisexclusion THEN 'it belongs to an exclusion constraint'
    WHEN m.amname NOT IN ({methods}) THEN 'what making one of the kind ' || m.amname || ' costs is not known'
    WHEN s.oid IS NOT NULL AND NOT pg_catalog.has_tablespace_privilege(s.oid, 'CREATE')
      THEN 'there is no right to make one in the tablespace ' || s.spcname
    WHEN used.by IS NOT NULL THEN used.by || ' needs it'
    WHEN e.objid IS NOT NULL THEN 'it belongs to an extension'
  END
) ORDER BY x.oid)
FROM pg_catalog.pg_index AS i
JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
JOIN pg_catalog.pg_am AS m ON m.oid = x.relam
LEFT JOIN pg_catalog.pg_tablespace AS s ON s.oid = x.reltablespace
LEFT JOIN pg_catalog.pg_constraint AS k ON k.conindid = x.oid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u')
LEFT JOIN LATERAL (
  SELECT pg_catalog.min(pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid)) AS by
  FROM pg_catalog.pg_depend AS d
  WHERE d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = x.oid
    OR d.refclassid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND d.refobjid = k.oid AND d.deptype <> 'i'
) AS used ON true
LEFT JOIN LATERAL (
  SELECT d.objid FROM pg_catalog.pg_depend AS d
  WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = x.oid AND d.deptype IN ('e', 'x') LIMIT 1
) AS e ON true
WHERE i.indrelid = {oid}"""

# `rows` is the density of the last look times the pages of now, generously where nobody has looked yet.
_LOOK = """\
SELECT CASE
    WHEN c.relkind = 'p' THEN 'it is partitioned'
    WHEN c.relkind <> 'r' THEN 'it is no plain table'
    WHEN c.relispartition THEN 'it is a partition'
    WHEN NOT pg_catalog.pg_has_role(c.relowner, 'USAGE') THEN 'only its owner may drop them'
    WHEN NOT pg_catalog.has_schema_privilege(n.oid, 'CREATE')
      THEN 'there is no right to make them in the schema ' || n.nspname
    WHEN t.evtname IS NOT NULL THEN 'the event trigger ' || t.evtname || ' looks at such changes'
  END,
  c.relkind = 'r',
  CAST(pg_catalog.pg_relation_size(c.oid) / CAST(pg_catalog.current_setting('block_size') AS integer)
    * CASE WHEN c.reltuples >= 0 AND c.relpages > 0 THEN c.reltuples / c.relpages ELSE 100 END AS bigint),
  EXISTS (
    SELECT FROM pg_catalog.pg_index AS i
    JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
    JOIN pg_catalog.pg_stats AS p ON p.schemaname = n.nspname AND p.tablename = x.relname
    WHERE i.indrelid = c.oid
  ),
  found.indexes, pg_catalog.hashtextextended(CAST(found.indexes AS text), 0)
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN LATERAL (
  SELECT pg_catalog.min(v.evtname) AS evtname FROM pg_catalog.pg_event_trigger AS v
  WHERE v.evtenabled IN ('O', 'A') AND v.evtevent IN ('ddl_command_start', 'ddl_command_end', 'sql_drop')
    AND (v.evttags IS NULL OR v.evttags && ARRAY['DROP INDEX', 'CREATE INDEX', 'ALTER TABLE', 'ALTER INDEX', 'COMMENT'])
) AS t ON true,
LATERAL (
{indexes}
) AS found (indexes)
WHERE n.nspname = {schema} AND c.relname = {table}"""

_UNCHANGED = """\
SELECT CASE WHEN pg_catalog.hashtextextended(CAST(found.indexes AS text), 0) = {digest} THEN 0 ELSE 1 END
FROM (
{indexes}
) AS found (indexes)"""

BUILD_MEMORY = f"""\
SELECT pg_catalog.set_config('maintenance_work_mem', greatest(m, least({MOST_MEMORY_KB}, b / 2)) || 'kB', true)
FROM (SELECT pg_catalog.pg_size_bytes(pg_catalog.current_setting('maintenance_work_mem')) / 1024 AS m,
  pg_catalog.pg_size_bytes(pg_catalog.current_setting('shared_buffers')) / 1024 AS b) AS has"""

_BUILD_SAYS = re.compile(r'could not create unique index ("(?:[^"]|"")+")')
_OF_A_WORKER = "\nparallel worker"


def find_rebuild(query: Query, literal: Literal, table: TableName) -> Rebuild:
    """What can be dropped and made again; the names of what cannot, and why."""
    by_oid = _INDEXES.format(methods=_KNOWN_METHODS, oid="c.oid")
    schema = literal(table.schema or "public")
    rows = query(_LOOK.format(indexes=by_oid, schema=schema, table=literal(table.name))).rows
    if not rows:
        return Rebuild(obstacle="it is made by this run")
    obstacle, plain, expected, analyzed, found, digest = rows[0]
    indexes: list[dict[str, Any]] = json.loads(found or "[]")
    free = [index for index in indexes if not index["obstacle"]]
    regclass = f"CAST({literal(quote_table(table))} AS pg_catalog.regclass)"
    unchanged = _UNCHANGED.format(digest=digest, indexes=_INDEXES.format(methods=_KNOWN_METHODS, oid=regclass))
    return Rebuild(
        names=tuple(index["name"] for index in free),
        kept=tuple((index["name"], index["obstacle"]) for index in indexes if index["obstacle"]),
        obstacle=obstacle or ("" if indexes else "it has none"),
        rows=int(expected or 0),
        unchanged=rebuilding.build_look(unchanged, table),
        drop=tuple(_build_drop(table, index) for index in free),
        make=(
            *(sql for index in free for sql in _build_make(table, index, literal)),
            *((f"ANALYZE {quote_table(table)}",) if analyzed == "t" else ()),
        ),
        plain=plain == "t",
    )


def build_lock(plan: MergePlan) -> tuple[Statement, ...]:
    """First of all: whoever asks for more in the middle of a transaction may wait for one that waits for him.

    Not for long, as readers stand behind whoever waits for this lock, and rows can be added without it.
    """
    if plan.rebuild is None:
        return ()
    return (
        Statement(sql=f"SET LOCAL lock_timeout TO '{LOCK_S}s'"),
        Statement(sql=f"LOCK TABLE {name_dest(plan)} IN ACCESS EXCLUSIVE MODE"),
        Statement(sql=f"SET LOCAL lock_timeout TO '{PINNED['lock_timeout']}'"),
    )


def build_make(plan: MergePlan) -> tuple[Statement, ...]:
    """Makes them again; what is checked late must have been checked, or the server refuses to."""
    return (Statement(sql=BUILD_MEMORY), *rebuilding.build_make(plan)) if plan.rebuild else ()


def tell_rebuilt(message: str) -> str:
    """A key that comes twice, as an INSERT tells it."""
    told = _BUILD_SAYS.sub(r"duplicate key value violates unique constraint \1", message)
    return told.removesuffix(_OF_A_WORKER)


def _build_drop(table: TableName, index: dict[str, Any]) -> str:
    name = quote_identifier(index["name"])
    if index["constraint"]:
        return f"ALTER TABLE {quote_table(table)} DROP CONSTRAINT {name}"
    return f"DROP INDEX {_name_index(table, index)}"


def _build_make(table: TableName, index: dict[str, Any], literal: Literal) -> list[str]:
    """The index, its constraint, and what was said of both."""
    dest, name, full = quote_table(table), quote_identifier(index["name"]), _name_index(table, index)
    made = [f"SET LOCAL default_tablespace TO {literal(index['tablespace'])}", index["definition"]]
    if index["constraint"]:
        kind = "PRIMARY KEY" if index["constraint"] == "p" else "UNIQUE"
        late = " DEFERRABLE" if index["deferrable"] else ""
        late += " INITIALLY DEFERRED" if index["deferred"] else ""
        made.append(f"ALTER TABLE {dest} ADD CONSTRAINT {name} {kind} USING INDEX {name}{late}")
    made += build_belongings(dest, name, full, index)
    return made


def build_belongings(table: str, name: str, placed: str, index: dict[str, Any]) -> Iterator[str]:
    """What was said of an index and its constraint, `name` alone and `placed` with its schema; all quoted."""
    if index["constraint_comment"] is not None:
        yield build_comment("CONSTRAINT", f"{name} ON {table}", index["constraint_comment"])
    if index["comment"] is not None:
        yield build_comment("INDEX", placed, index["comment"])
    for number, target in index["targets"] or []:
        yield f"ALTER INDEX {placed} ALTER COLUMN {int(number)} SET STATISTICS {int(target)}"
    if index["clustered"]:
        yield f"ALTER TABLE {table} CLUSTER ON {name}"
    if index["identity"]:
        yield f"ALTER TABLE {table} REPLICA IDENTITY USING INDEX {name}"


def build_comment(kind: str, name: str, text: str | None) -> str:
    """Sets a comment, None takes it away."""
    return f"COMMENT ON {kind} {name} IS {'NULL' if text is None else quote_text(text)}"


def _name_index(table: TableName, index: dict[str, Any]) -> str:
    """An index is in its table's schema."""
    return quote_table(TableName(schema=table.schema, name=index["name"]))
