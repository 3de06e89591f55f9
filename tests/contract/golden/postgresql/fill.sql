SET LOCAL lock_timeout TO 0;
WITH RECURSIVE part AS (
  SELECT CAST(CAST('"public"."orders"' AS pg_catalog.regclass) AS pg_catalog.oid) AS id
  UNION
  SELECT d.refobjid FROM part JOIN pg_catalog.pg_class AS v ON v.oid = part.id AND v.relkind = 'v'
  JOIN pg_catalog.pg_rewrite AS r ON r.ev_class = v.oid
  JOIN pg_catalog.pg_depend AS d ON d.objid = r.oid
    AND d.classid = CAST('pg_catalog.pg_rewrite' AS pg_catalog.regclass)
    AND d.refclassid = CAST('pg_catalog.pg_class' AS pg_catalog.regclass)
), whole AS (
  SELECT coalesce(CAST(pg_catalog.pg_partition_root(CAST(part.id AS pg_catalog.regclass)) AS pg_catalog.oid), part.id)
    AS id FROM part
), held AS (
  SELECT pg_catalog.hashtext(CAST(whole.id AS text)) AS number FROM whole
  UNION SELECT pg_catalog.hashtext(pg_catalog.format('%I.%I', n.nspname, c.relname)) FROM whole
  JOIN pg_catalog.pg_class AS c ON c.oid = whole.id JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  ORDER BY number
)
SELECT pg_catalog.pg_advisory_xact_lock(1885631348, held.number) FROM held;
SET LOCAL lock_timeout TO '1min';
-- read by us (first cell)
SELECT pg_catalog.count(*) FROM pg_catalog.pg_locks AS l
JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid AND a.pid <> pg_catalog.pg_backend_pid()
WHERE l.relation = CAST('"public"."orders"' AS pg_catalog.regclass) AND l.granted AND a.datname = pg_catalog.current_database()
  AND a.application_name = pg_catalog.current_setting('application_name') AND a.application_name LIKE 'pipekit:%';
LOCK TABLE "public"."orders" IN ACCESS EXCLUSIVE MODE;
-- before (first cell)
SELECT pg_catalog.set_config('pipekit.rows', CAST(pg_catalog.count(*) AS text), true) FROM "public"."orders";
-- deleted (first cell)
SELECT pg_catalog.current_setting('pipekit.rows');
TRUNCATE TABLE "public"."orders";
ROWS
SET CONSTRAINTS ALL IMMEDIATE;
