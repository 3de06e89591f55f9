SET LOCAL lock_timeout TO '5s';
LOCK TABLE "public"."orders" IN ACCESS EXCLUSIVE MODE;
SET LOCAL lock_timeout TO '1min';
-- as seen
SELECT 'as seen';
DROP i;
-- inserted
INSERT INTO "public"."orders" ("id", "line", "amount", "odd ""name""", "at")
SELECT s."id", s."line", s."amount", s."odd ""name""", s."at"
FROM "pipekit_staging"."load.orders" AS s;
SET CONSTRAINTS ALL IMMEDIATE;
SELECT pg_catalog.set_config('maintenance_work_mem', greatest(m, least(262144, b / 2)) || 'kB', true)
FROM (SELECT pg_catalog.pg_size_bytes(pg_catalog.current_setting('maintenance_work_mem')) / 1024 AS m,
  pg_catalog.pg_size_bytes(pg_catalog.current_setting('shared_buffers')) / 1024 AS b) AS has;
MAKE i;
