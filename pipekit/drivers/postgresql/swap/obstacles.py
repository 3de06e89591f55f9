# What forbids that another table takes a table's place in PostgreSQL. Pure text; knows no connection.
"""`OBSTACLES`, a list of [kind, name] in the catalogue's words, and `tell_obstacle`, which makes a sentence of each.

Whatever points at a table by its number would go on pointing at the old one: a view shows old rows, a publication
publishes nothing. What the login may not do to the new table would leave it another one.
"""

from collections.abc import Sequence

# Objects that depend on the table, its row type, its keys or its identity, and are no part of it.
_DEPENDANTS = """
    SELECT CASE WHEN w.ev_class IS NULL THEN 'dependant' WHEN v.relkind = 'm' THEN 'materialized view' ELSE 'view' END,
      CASE WHEN w.ev_class IS NULL THEN pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid)
        ELSE CAST(CAST(w.ev_class AS pg_catalog.regclass) AS text) END
    FROM pg_catalog.pg_depend AS d
    LEFT JOIN pg_catalog.pg_rewrite AS w ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND w.oid = d.objid
    LEFT JOIN pg_catalog.pg_class AS v ON v.oid = w.ev_class
    WHERE d.deptype IN ('n', 'a') AND (
      d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND (d.refobjid = t.oid OR d.refobjid IN (
        SELECT i.indexrelid FROM pg_catalog.pg_index AS i WHERE i.indrelid = t.oid
        UNION ALL SELECT s.objid FROM pg_catalog.pg_depend AS s WHERE s.deptype = 'i' AND s.refobjid = t.oid
          AND s.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
          AND s.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass))
      OR d.refclassid = 'pg_catalog.pg_type'::pg_catalog.regclass AND d.refobjid IN (t.reltype, t.typarray)
      OR d.refclassid = 'pg_catalog.pg_constraint'::pg_catalog.regclass
        AND d.refobjid IN (SELECT k.oid FROM pg_catalog.pg_constraint AS k WHERE k.conrelid = t.oid))
    AND NOT CASE d.classid
      WHEN 'pg_catalog.pg_class'::pg_catalog.regclass THEN d.objid = t.oid OR d.deptype = 'a'
        AND (SELECT o.relkind IN ('i', 'S', 't') FROM pg_catalog.pg_class AS o WHERE o.oid = d.objid)
      WHEN 'pg_catalog.pg_constraint'::pg_catalog.regclass THEN
        (SELECT k.conrelid = t.oid OR k.contype = 'f' FROM pg_catalog.pg_constraint AS k WHERE k.oid = d.objid)
      WHEN 'pg_catalog.pg_attrdef'::pg_catalog.regclass THEN
        (SELECT f.adrelid = t.oid FROM pg_catalog.pg_attrdef AS f WHERE f.oid = d.objid)
      WHEN 'pg_catalog.pg_trigger'::pg_catalog.regclass THEN
        (SELECT g.tgrelid = t.oid FROM pg_catalog.pg_trigger AS g WHERE g.oid = d.objid)
      WHEN 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass THEN
        (SELECT e.stxrelid = t.oid FROM pg_catalog.pg_statistic_ext AS e WHERE e.oid = d.objid)
      WHEN 'pg_catalog.pg_rewrite'::pg_catalog.regclass THEN w.ev_class = t.oid
      WHEN 'pg_catalog.pg_policy'::pg_catalog.regclass THEN
        (SELECT p.polrelid = t.oid FROM pg_catalog.pg_policy AS p WHERE p.oid = d.objid)
      WHEN 'pg_catalog.pg_publication_rel'::pg_catalog.regclass THEN true
      ELSE false END"""

_RELATIONS = """
    SELECT 'kind', CAST(t.relkind AS text) WHERE t.relkind <> 'r'
    UNION ALL SELECT 'temporary', '' WHERE t.relpersistence = 't'
    UNION ALL SELECT CASE WHEN t.relispartition THEN 'partition' ELSE 'child' END,
      CAST(CAST(h.inhparent AS pg_catalog.regclass) AS text)
      FROM pg_catalog.pg_inherits AS h WHERE h.inhrelid = t.oid
    UNION ALL SELECT 'parent', CAST(CAST(h.inhrelid AS pg_catalog.regclass) AS text)
      FROM pg_catalog.pg_inherits AS h WHERE h.inhparent = t.oid AND t.relkind = 'r'
    UNION ALL SELECT 'typed', CAST(CAST(t.reloftype AS pg_catalog.regtype) AS text) WHERE t.reloftype <> 0
    UNION ALL SELECT 'row security', '' WHERE t.relrowsecurity OR t.relforcerowsecurity
    UNION ALL SELECT 'policy', CAST(p.polname AS text) FROM pg_catalog.pg_policy AS p WHERE p.polrelid = t.oid
    UNION ALL SELECT 'rule', CAST(w.rulename AS text)
      FROM pg_catalog.pg_rewrite AS w WHERE w.ev_class = t.oid AND t.relkind = 'r'
    UNION ALL SELECT 'referenced', k.conname || ' of ' || CAST(CAST(k.conrelid AS pg_catalog.regclass) AS text)
      FROM pg_catalog.pg_constraint AS k
      WHERE k.confrelid = t.oid AND k.conrelid <> t.oid AND k.contype = 'f' AND k.conparentid = 0
    UNION ALL SELECT 'index', CAST(CAST(x.indexrelid AS pg_catalog.regclass) AS text) FROM pg_catalog.pg_index AS x
      WHERE x.indrelid = t.oid AND NOT (x.indisvalid AND x.indisready AND x.indislive)
    UNION ALL SELECT 'unchecked', CAST(k.conname AS text) FROM pg_catalog.pg_constraint AS k
      WHERE k.conrelid = t.oid AND k.contype = 'n' AND NOT k.convalidated
    UNION ALL SELECT 'whole row', CAST(k.conname AS text) FROM pg_catalog.pg_constraint AS k
      WHERE k.conrelid = t.oid AND CAST(k.conbin AS text) LIKE '%:varattno 0 %'
    UNION ALL SELECT 'whole row', CAST(i.relname AS text) FROM pg_catalog.pg_index AS x
      JOIN pg_catalog.pg_class AS i ON i.oid = x.indexrelid WHERE x.indrelid = t.oid
        AND pg_catalog.concat(CAST(x.indexprs AS text), CAST(x.indpred AS text)) LIKE '%:varattno 0 %'
    UNION ALL SELECT 'publication', CAST(p.pubname AS text) FROM pg_catalog.pg_publication_tables AS p
      WHERE p.schemaname = t.nspname AND p.tablename = t.relname
    UNION ALL SELECT 'subscription', CAST(u.subname AS text) FROM pg_catalog.pg_subscription_rel AS r
      JOIN pg_catalog.pg_subscription AS u ON u.oid = r.srsubid WHERE r.srrelid = t.oid
    UNION ALL SELECT 'extension', CAST(e.extname AS text) FROM pg_catalog.pg_depend AS d
      JOIN pg_catalog.pg_extension AS e ON e.oid = d.refobjid
      WHERE d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype IN ('e', 'x') AND (
        d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND (d.objid = t.oid
          OR d.objid IN (SELECT i.indexrelid FROM pg_catalog.pg_index AS i WHERE i.indrelid = t.oid))
        OR d.classid = 'pg_catalog.pg_trigger'::pg_catalog.regclass
          AND d.objid IN (SELECT g.oid FROM pg_catalog.pg_trigger AS g WHERE g.tgrelid = t.oid))
    UNION ALL SELECT 'label', l.provider FROM pg_catalog.pg_seclabel AS l
      WHERE l.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass AND l.objoid = t.oid"""

_RIGHTS = """
    SELECT 'owner', CAST(pg_catalog.pg_get_userbyid(t.relowner) AS text)
      WHERE NOT pg_catalog.pg_has_role(t.relowner, 'USAGE')
    UNION ALL SELECT 'schema', CAST(t.nspname AS text)
      WHERE NOT pg_catalog.has_schema_privilege(t.relnamespace, 'CREATE')
    UNION ALL SELECT 'new owner', CAST(pg_catalog.pg_get_userbyid(t.relowner) AS text)
      WHERE t.relowner <> m.oid AND NOT m.rolsuper AND NOT (
        pg_catalog.has_schema_privilege(t.relowner, t.relnamespace, 'CREATE') AND pg_catalog.pg_has_role(t.relowner,
          CASE WHEN CAST(pg_catalog.current_setting('server_version_num') AS integer) < 160000 THEN 'MEMBER'
            ELSE 'SET' END))
    UNION ALL SELECT 'tablespace', CAST(s.spcname AS text) FROM pg_catalog.pg_tablespace AS s
      WHERE NOT pg_catalog.has_tablespace_privilege(s.oid, 'CREATE') AND (s.oid = t.reltablespace OR s.oid IN (
        SELECT c.reltablespace FROM pg_catalog.pg_index AS i
        JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid WHERE i.indrelid = t.oid))
    UNION ALL SELECT 'references', CAST(CAST(k.confrelid AS pg_catalog.regclass) AS text)
      FROM pg_catalog.pg_constraint AS k WHERE k.conrelid = t.oid AND k.contype = 'f' AND (
        SELECT NOT pg_catalog.bool_and(pg_catalog.has_column_privilege(k.confrelid, u.number, 'REFERENCES'))
        FROM pg_catalog.unnest(k.confkey) AS u (number))
    UNION ALL SELECT 'statistics', CAST(s.stxname AS text) FROM pg_catalog.pg_statistic_ext AS s
      WHERE s.stxrelid = t.oid AND NOT pg_catalog.pg_has_role(s.stxowner, 'USAGE')
    UNION ALL SELECT 'language', 'plpgsql' WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_language AS l
      WHERE l.lanname = 'plpgsql' AND pg_catalog.has_language_privilege(l.oid, 'USAGE'))
    UNION ALL SELECT 'grantor', CAST(pg_catalog.pg_get_userbyid(x.grantor) AS text) FROM (
        SELECT t.relacl AS rights
        UNION ALL SELECT a.attacl FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = t.oid
        UNION ALL SELECT s.relacl FROM pg_catalog.pg_depend AS d
          JOIN pg_catalog.pg_class AS s ON s.oid = d.objid AND s.relkind = 'S'
          WHERE d.deptype = 'i' AND d.refobjid = t.oid) AS held, pg_catalog.aclexplode(held.rights) AS x
      WHERE x.grantor <> t.relowner"""

OBSTACLES = f"""(
    SELECT pg_catalog.json_agg(DISTINCT pg_catalog.jsonb_build_array(o.kind, o.name)) FROM ({_RELATIONS}
    UNION ALL{_DEPENDANTS}
    UNION ALL{_RIGHTS}) AS o (kind, name))"""

_KINDS = {"p": "a partitioned table", "f": "a foreign table", "v": "a view", "m": "a materialized view"}
_TOLD = {
    "temporary": "it is a temporary table",
    "partition": "it is a partition of {0}",
    "child": "it inherits from {0}",
    "parent": "{0} inherits from it",
    "typed": "it is a table of the type {0}",
    "row security": "it has row security",
    "policy": "the policy {0} stands on it",
    "rule": "the rule {0} stands on it",
    "referenced": "the foreign key {0} refers to it",
    "index": "its index {0} is not valid (REINDEX it)",
    "unchecked": "its constraint {0} has not been checked for all rows (VALIDATE CONSTRAINT)",
    "whole row": "its {0} looks at whole rows of it by its name",
    "publication": "the publication {0} publishes it",
    "subscription": "the subscription {0} feeds it",
    "extension": "the extension {0} holds it, or an index or trigger of it",
    "label": "it has a security label ({0})",
    "view": "the view {0} reads it",
    "materialized view": "the materialized view {0} reads it",
    "dependant": "{0} depends on it",
    "owner": "only its owner {0} may do this, or who is a member of that role",
    "schema": "the login has no right to CREATE in the schema {0}",
    "new owner": "the login may not give a new table to its owner {0}, who needs CREATE in the schema for it",
    "tablespace": "the login has no right to CREATE in the tablespace {0}",
    "references": "the login has no right to REFERENCES on {0}, which a foreign key of it refers to",
    "statistics": "its statistics {0} belong to another role",
    "language": "the login may not use the language {0}, by which the swap waits",
    "grantor": "rights on it were granted by {0}, who is not its owner",
}


def tell_obstacle(obstacle: Sequence[str]) -> str:
    """`the view rpt.v reads it`, of a [kind, name]."""
    kind, name = obstacle
    if kind == "kind":
        return f"it is {_KINDS.get(name, 'no plain table')}"
    return _TOLD[kind].format(name)
