LOCK TABLE "public"."orders" IN ACCESS EXCLUSIVE MODE;
-- before (first cell)
SELECT pg_catalog.set_config('pipekit.rows', CAST(pg_catalog.count(*) AS text), true) FROM "public"."orders";
-- deleted (first cell)
SELECT pg_catalog.current_setting('pipekit.rows');
TRUNCATE TABLE "public"."orders";
-- inserted
INSERT INTO "public"."orders" ("id", "line", "amount", "odd ""name""", "at")
SELECT s."id", s."line", CAST(CAST(s."amount" AS text) AS numeric(12,2)), s."odd ""name""", s."at"
FROM "pipekit_staging"."load.orders" AS s;
