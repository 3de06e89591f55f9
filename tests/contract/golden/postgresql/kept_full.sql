LOCK TABLE "public"."orders" IN ACCESS EXCLUSIVE MODE;
CREATE TABLE "pipekit_staging"."pipekit_undo.0a1b2c3d-42" AS
SELECT CAST(0 AS smallint) AS pipekit_side, "id", "line", "amount", "odd ""name""", "at"
FROM "public"."orders"
WITH NO DATA;
COMMENT ON TABLE "pipekit_staging"."pipekit_undo.0a1b2c3d-42" IS 'run 42 of it''s orders';
INSERT INTO "pipekit_staging"."pipekit_undo.0a1b2c3d-42"
SELECT -1, "id", "line", "amount", "odd ""name""", "at"
FROM "public"."orders";
LOCK TABLE "public"."orders" IN ACCESS EXCLUSIVE MODE;
-- before (first cell)
SELECT pg_catalog.set_config('pipekit.rows', CAST(pg_catalog.count(*) AS text), true) FROM "public"."orders";
-- deleted (first cell)
SELECT pg_catalog.current_setting('pipekit.rows');
TRUNCATE TABLE "public"."orders";
-- inserted
INSERT INTO "public"."orders" ("id", "line", "amount", "odd ""name""", "at")
SELECT s."id", s."line", s."amount", s."odd ""name""", s."at"
FROM "pipekit_staging"."load.orders" AS s;
INSERT INTO "pipekit_staging"."pipekit_undo.0a1b2c3d-42"
SELECT 1, "id", "line", "amount", "odd ""name""", "at"
FROM "public"."orders";
-- kept (first cell)
SELECT pg_catalog.count(*) FROM "pipekit_staging"."pipekit_undo.0a1b2c3d-42";
-- kept bytes (first cell)
SELECT pg_catalog.pg_total_relation_size('"pipekit_staging"."pipekit_undo.0a1b2c3d-42"');
