DROP TABLE IF EXISTS "pipekit_staging"."load.orders";
CREATE UNLOGGED TABLE "pipekit_staging"."load.orders" WITH (toast_tuple_target = 8160, autovacuum_enabled = false) AS
SELECT
  "id",
  "line",
  CAST(NULL AS double precision) AS "amount",
  "odd ""name""",
  CAST(NULL AS double precision) AS "at"
FROM "public"."orders"
WITH NO DATA;
ALTER TABLE "pipekit_staging"."load.orders" ALTER COLUMN "id" SET NOT NULL, ALTER COLUMN "line" SET NOT NULL;
