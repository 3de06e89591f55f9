LOCK TABLE "public"."orders" IN ACCESS EXCLUSIVE MODE;
-- before (first cell)
SELECT pg_catalog.set_config('pipekit.rows', CAST(pg_catalog.count(*) AS text), true) FROM "public"."orders";
-- deleted (first cell)
SELECT pg_catalog.current_setting('pipekit.rows');
-- as seen
SELECT 'as seen';
DROP i;
TRUNCATE TABLE "public"."orders";
-- inserted
INSERT INTO "public"."orders" ("id", "line", "amount", "odd ""name""", "at")
SELECT s."id", s."line", s."amount", s."odd ""name""", s."at"
FROM "pipekit_staging"."load.orders" AS s;
SET CONSTRAINTS ALL IMMEDIATE;
SELECT pg_catalog.set_config('maintenance_work_mem', greatest(m, least(262144, b / 2)) || 'kB', true)
FROM (SELECT pg_catalog.pg_size_bytes(pg_catalog.current_setting('maintenance_work_mem')) / 1024 AS m,
  pg_catalog.pg_size_bytes(pg_catalog.current_setting('shared_buffers')) / 1024 AS b) AS has;
MAKE i;
