SELECT n.oid IS NOT NULL, c.oid IS NOT NULL
FROM (SELECT 1) AS one
LEFT JOIN pg_catalog.pg_namespace AS n ON n.nspname = 'pipekit_staging'
LEFT JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = 'pipekit_ledger'
