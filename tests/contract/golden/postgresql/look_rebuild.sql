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
    WHEN m.amname NOT IN ('btree', 'hash', 'gin', 'gist', 'spgist', 'brin') THEN 'what making one of the kind ' || m.amname || ' costs is not known'
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
WHERE i.indrelid = c.oid
) AS found (indexes)
WHERE n.nspname = 'public' AND c.relname = 'it''s'
