WITH dest AS (
  SELECT c.oid FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  WHERE n.nspname = 'public' AND c.relname = 'it''s'
), family AS (
  SELECT oid AS relid FROM dest
  UNION SELECT p.relid::oid FROM dest, pg_catalog.pg_partition_tree(dest.oid) AS p
)
SELECT c.relkind, pg_catalog.has_schema_privilege(n.oid, 'USAGE'),
  pg_catalog.has_any_column_privilege(c.oid, 'INSERT'),
  (pg_catalog.pg_relation_is_updatable(c.oid, true) & 8) <> 0,
  c.relkind IN ('r', 'p') AND pg_catalog.has_table_privilege(c.oid, 'TRUNCATE') AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_constraint AS f
    WHERE f.contype = 'f' AND f.confrelid IN (SELECT relid FROM family) AND f.conrelid NOT IN (SELECT relid FROM family)
  )
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.oid = (SELECT oid FROM dest)
