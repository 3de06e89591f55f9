# What PostgreSQL's catalogue says of a dest: rights, unique keys, foreign keys that point at it, triggers. Looks only.
"""`get_table_facts`, in one query whose lists come as JSON."""

import json
from collections.abc import Callable
from typing import Any

from pipekit.drivers.base import TableFacts, TableName
from pipekit.drivers.facts import Action, Event, Firing, Reference
from pipekit.runner_contract import Query

Literal = Callable[[str], str]

# The dest and its partitions are one table, a view and what it reads too. A foreign key counts once, not again for each
# partition, and those that point at a child whose rows go along or are changed follow it.
_FACTS = """\
WITH RECURSIVE dest AS (
  SELECT c.oid FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  WHERE n.nspname = {schema} AND c.relname = {table}
), family AS (
  SELECT oid AS relid FROM dest
  UNION
  SELECT next.relid FROM family, LATERAL (
    SELECT p.relid::pg_catalog.oid FROM pg_catalog.pg_partition_tree(family.relid) AS p
    UNION ALL
    SELECT d.refobjid FROM pg_catalog.pg_class AS v JOIN pg_catalog.pg_rewrite AS w ON w.ev_class = v.oid
    JOIN pg_catalog.pg_depend AS d ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = w.oid
      AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
    WHERE v.oid = family.relid AND v.relkind = 'v'
  ) AS next (relid)
), reference AS (
  SELECT k.*, ARRAY[k.oid] AS path, ARRAY[k.conrelid] AS tables FROM pg_catalog.pg_constraint AS k
  WHERE k.contype = 'f' AND k.conparentid = 0 AND k.confrelid IN (SELECT relid FROM family)
    AND (pg_catalog.to_jsonb(k) ->> 'conenforced') IS DISTINCT FROM 'false'
  UNION ALL
  SELECT k.*, r.path || k.oid, r.tables || k.conrelid
  FROM reference AS r JOIN pg_catalog.pg_constraint AS k ON k.confrelid = r.conrelid
  WHERE k.contype = 'f' AND k.conparentid = 0 AND k.conrelid <> ALL (r.tables)
    AND (r.confdeltype IN ('c', 'n', 'd') OR r.confupdtype IN ('c', 'n', 'd'))
    AND r.conrelid NOT IN (SELECT relid FROM family) AND pg_catalog.cardinality(r.path) < 9
    AND (pg_catalog.to_jsonb(k) ->> 'conenforced') IS DISTINCT FROM 'false'
)
SELECT c.relkind, pg_catalog.has_schema_privilege(n.oid, 'USAGE'),
  pg_catalog.has_any_column_privilege(c.oid, 'INSERT'),
  (pg_catalog.pg_relation_is_updatable(c.oid, true) & 8) <> 0,
  c.relkind IN ('r', 'p') AND pg_catalog.has_table_privilege(c.oid, 'TRUNCATE') AND NOT EXISTS (
    SELECT FROM reference WHERE conrelid NOT IN (SELECT relid FROM family)
  ) AND NOT EXISTS (
    SELECT FROM family JOIN pg_catalog.pg_class AS f ON f.oid = family.relid WHERE f.relkind = 'f'
  ) AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_publication AS p JOIN pg_catalog.pg_publication_tables AS i ON i.pubname = p.pubname
    JOIN pg_catalog.pg_namespace AS fn ON fn.nspname = i.schemaname
    JOIN pg_catalog.pg_class AS f ON f.relnamespace = fn.oid AND f.relname = i.tablename
    JOIN family ON family.relid = f.oid
    WHERE p.pubdelete AND NOT p.pubtruncate
  ),
  c.relkind IN ('r', 'p') AND pg_catalog.has_any_column_privilege(c.oid, 'UPDATE')
    AND pg_catalog.has_any_column_privilege(c.oid, 'SELECT')
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_rewrite AS w WHERE w.ev_class = c.oid),
  pg_catalog.row_security_active(c.oid) OR c.relkind = 'v'
    AND pg_catalog.array_to_string(c.reloptions, ',') ~* 'security_invoker=(true|on|yes|1)'
    AND EXISTS (SELECT FROM family WHERE pg_catalog.row_security_active(family.relid)),
  c.relkind IN ('r', 'f') AND EXISTS (SELECT FROM pg_catalog.pg_inherits AS i WHERE i.inhparent = c.oid),
  (SELECT pg_catalog.json_agg(key.names ORDER BY key.later, key.oid) FROM (
    SELECT NOT i.indisprimary AS later, i.indexrelid AS oid, (
      SELECT pg_catalog.json_agg(a.attname ORDER BY u.place)
      FROM pg_catalog.unnest(i.indkey::smallint[]) WITH ORDINALITY AS u (number, place)
      JOIN pg_catalog.pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = u.number
      WHERE u.place <= i.indnkeyatts
    ) AS names
    FROM pg_catalog.pg_index AS i
    WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indimmediate AND NOT i.indisexclusion
      AND i.indpred IS NULL AND i.indexprs IS NULL AND NOT EXISTS (
        SELECT FROM pg_catalog.generate_series(0, i.indnkeyatts - 1) AS u (place)
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[u.place]
        JOIN pg_catalog.pg_opclass AS o ON o.oid = i.indclass[u.place]
        WHERE a.attcollation <> i.indcollation[u.place] OR NOT o.opcdefault
      )
  ) AS key),
  (SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
    'path', r.path, 'schema', kn.nspname, 'table', kc.relname, 'on_delete', r.confdeltype, 'on_update', r.confupdtype,
    'own', r.conrelid IN (SELECT relid FROM family),
    'columns', (
      SELECT pg_catalog.json_agg(a.attname ORDER BY u.place)
      FROM pg_catalog.unnest(r.conkey) WITH ORDINALITY AS u (number, place)
      JOIN pg_catalog.pg_attribute AS a ON a.attrelid = r.conrelid AND a.attnum = u.number
    ),
    'referred', (
      SELECT pg_catalog.json_agg(a.attname ORDER BY u.place)
      FROM pg_catalog.unnest(r.confkey) WITH ORDINALITY AS u (number, place)
      JOIN pg_catalog.pg_attribute AS a ON a.attrelid = r.confrelid AND a.attnum = u.number
    ),
    'readable', pg_catalog.has_schema_privilege(kn.oid, 'USAGE') AND (
      SELECT pg_catalog.bool_and(pg_catalog.has_column_privilege(r.conrelid, u.number, 'SELECT'))
      FROM pg_catalog.unnest(r.conkey || k2.keys) AS u (number)
    ),
    'hidden', pg_catalog.row_security_active(r.conrelid),
    'temporal', (pg_catalog.to_jsonb(r) ->> 'conperiod') IS NOT DISTINCT FROM 'true'
  ) ORDER BY pg_catalog.cardinality(r.path), kn.nspname, kc.relname, r.conname)
  FROM reference AS r
  JOIN pg_catalog.pg_class AS kc ON kc.oid = r.conrelid
  JOIN pg_catalog.pg_namespace AS kn ON kn.oid = kc.relnamespace,
  LATERAL (
    SELECT coalesce(pg_catalog.array_agg(u.number), '{{}}') AS keys
    FROM reference AS f, pg_catalog.unnest(f.confkey) AS u (number)
    WHERE f.confrelid = r.conrelid
  ) AS k2),
  (SELECT pg_catalog.json_agg(DISTINCT
    pg_catalog.jsonb_build_object('name', 'trigger ' || t.tgname, 'events', t.tgtype))
  FROM pg_catalog.pg_trigger AS t
  WHERE t.tgrelid IN (SELECT relid FROM family) AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')),
  (SELECT pg_catalog.json_agg(pg_catalog.json_build_object('name', 'rule ' || w.rulename, 'event', w.ev_type)
    ORDER BY w.rulename)
  FROM pg_catalog.pg_rewrite AS w WHERE w.ev_class = c.oid AND w.ev_type <> '1' AND w.ev_enabled IN ('O', 'A')),
  (SELECT pg_catalog.json_agg(f.relname ORDER BY f.relname)
  FROM family JOIN pg_catalog.pg_class AS f ON f.oid = family.relid WHERE f.relkind = 'f'),
  (SELECT pg_catalog.count(*) FROM pg_catalog.pg_index AS i
  WHERE i.indrelid IN (SELECT relid FROM family) AND (i.indisunique OR i.indisexclusion)
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits AS h WHERE h.inhrelid = i.indexrelid)) = 1,
  c.relkind IN ('r', 'p') AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
    AND pg_catalog.has_table_privilege(c.oid, 'UPDATE')
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_rewrite AS w WHERE w.ev_class = c.oid),
  (SELECT pg_catalog.min(p.pubname) FROM pg_catalog.pg_publication AS p
  JOIN pg_catalog.pg_publication_tables AS i ON i.pubname = p.pubname
  JOIN pg_catalog.pg_namespace AS fn ON fn.nspname = i.schemaname
  JOIN pg_catalog.pg_class AS f ON f.relnamespace = fn.oid AND f.relname = i.tablename
  JOIN family ON family.relid = f.oid
  WHERE NOT (p.pubinsert AND p.pubupdate AND p.pubdelete)),
  c.relkind = 'r' AND NOT c.relhasindex AND NOT c.relispartition AND c.relpages = 0
    AND pg_catalog.pg_stat_get_live_tuples(c.oid) = 0 AND pg_catalog.pg_stat_get_dead_tuples(c.oid) = 0
    AND pg_catalog.has_table_privilege(c.oid, 'SELECT') AND pg_catalog.has_table_privilege(c.oid, 'DELETE')
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.oid = (SELECT oid FROM dest)"""

_UNWRITABLE = {
    "S": "a sequence",
    "m": "a materialized view",
    "i": "an index",
    "I": "an index",
    "c": "a composite type",
    "t": "an internal table",
}
_ACTIONS: dict[str, Action] = {
    "a": "no action",
    "r": "restrict",
    "c": "cascade",
    "n": "set null",
    "d": "set default",
}
_ALL: frozenset[Event] = frozenset({"insert", "update", "delete", "truncate"})
_TRIGGER_EVENTS: dict[int, Event] = {4: "insert", 8: "delete", 16: "update", 32: "truncate"}
_RULE_EVENTS: dict[str, Event] = {"2": "update", "3": "insert", "4": "delete"}


def build_facts_sql(literal: Literal, table: TableName) -> str:
    """One row, none where there is no such table."""
    return _FACTS.format(schema=literal(table.schema or "public"), table=literal(table.name))


def get_table_facts(query: Query, literal: Literal, table: TableName) -> TableFacts:
    """What stands in the way of writing to a table, and everything around it that a merge may touch."""
    rows = query(build_facts_sql(literal, table)).rows
    if not rows:
        return TableFacts(exists=False)
    kind, usable, insertable, updatable, truncatable, keepable, hidden, inherited, *lists = rows[0][:-4]
    alone, comparable, published, blank = rows[0][-4:]
    problem = ""
    if kind in _UNWRITABLE:
        problem = f"{table} is {_UNWRITABLE[kind or '']}; rows cannot be written to it."
    elif usable != "t":
        problem = f"There is no right to use the schema {table.schema}."
    elif insertable != "t":
        problem = f"There is no right to insert into {table}."
    elif updatable != "t":
        problem = f"{table} is a view that takes no rows."
    keys, references, triggers, rules, foreign = (json.loads(cell or "[]") for cell in lists)
    return TableFacts(
        exists=True,
        can_truncate=truncatable == "t" and not problem,
        problem=problem,
        keys=tuple(tuple(key) for key in keys),
        can_keep=keepable == "t",
        referring=tuple(_read_references(references, f"it is reached through the view {table}" if kind == "v" else "")),
        hidden_rows=hidden == "t",
        only=inherited == "t",
        fires=tuple(_read_firing(table, kind or "", triggers, rules, foreign)),
        sole_key=len(keys) == 1 and alone == "t",
        can_compare=comparable == "t",
        parted=kind == "p",
        published=f"publication {published}" if published else "",
        blank=blank == "t" and inherited != "t",
    )


def _read_references(found: list[dict[str, Any]], uncounted: str) -> list[Reference]:
    """Parents come before those that follow them. `uncounted` holds for all of them."""
    by_path: dict[tuple[str, ...], Reference] = {}
    for item in found:
        path = tuple(map(str, item["path"]))
        parent = by_path.get(path[:-1])
        by_path[path] = Reference(
            child=TableName(schema=item["schema"], name=item["table"]),
            columns=tuple(item["columns"]),
            referred=tuple(item["referred"]),
            on_delete=_ACTIONS[item["on_delete"]],
            on_update=_ACTIONS[item["on_update"]],
            is_own=item["own"],
            uncounted=uncounted or _find_obstacle(item) or (parent.uncounted if parent else ""),
            parent=parent,
        )
    return list(by_path.values())


def _find_obstacle(item: dict[str, Any]) -> str:
    if item["hidden"]:
        return "row security hides rows of it from this login"
    if not item["readable"]:
        return "this login may not read it"
    return "it refers to periods of time" if item["temporal"] else ""


def _read_firing(
    table: TableName, kind: str, triggers: list[dict[str, Any]], rules: list[dict[str, Any]], foreign: list[str]
) -> list[Firing]:
    fires = [Firing(name=f"foreign table {name}", events=_ALL) for name in foreign]
    if kind == "v":
        fires.append(Firing(name=f"view {table}", events=_ALL))
    for item in triggers:
        events = frozenset(event for bit, event in _TRIGGER_EVENTS.items() if item["events"] & bit)
        fires.append(Firing(name=item["name"], events=events))
    fires += [Firing(name=item["name"], events=frozenset({_RULE_EVENTS[item["event"]]})) for item in rules]
    return fires
