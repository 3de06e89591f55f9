LOCK TABLE "public"."orders" IN SHARE ROW EXCLUSIVE MODE;
CREATE TABLE "pipekit_staging"."pipekit_undo.0a1b2c3d-42" AS
SELECT CAST(0 AS smallint) AS pipekit_side, "id", "line", "amount", "odd ""name""", "at"
FROM "public"."orders"
WITH NO DATA;
COMMENT ON TABLE "pipekit_staging"."pipekit_undo.0a1b2c3d-42" IS 'run 42 of it''s orders';
CREATE FUNCTION "pipekit_staging"."pipekit_undo.0a1b2c3d-42"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
'BEGIN
  IF TG_OP <> ''INSERT'' THEN
    INSERT INTO "pipekit_staging"."pipekit_undo.0a1b2c3d-42" SELECT -1, "id", "line", "amount", "odd ""name""", "at" FROM pipekit_gone;
  END IF;
  IF TG_OP <> ''DELETE'' THEN
    INSERT INTO "pipekit_staging"."pipekit_undo.0a1b2c3d-42" SELECT 1, "id", "line", "amount", "odd ""name""", "at" FROM pipekit_came;
  END IF;
  RETURN NULL;
END';
CREATE TRIGGER zz_pipekit_undo_delete AFTER DELETE ON "public"."orders" REFERENCING OLD TABLE AS pipekit_gone
FOR EACH STATEMENT EXECUTE FUNCTION "pipekit_staging"."pipekit_undo.0a1b2c3d-42"();
CREATE TRIGGER zz_pipekit_undo_insert AFTER INSERT ON "public"."orders" REFERENCING NEW TABLE AS pipekit_came
FOR EACH STATEMENT EXECUTE FUNCTION "pipekit_staging"."pipekit_undo.0a1b2c3d-42"();
CREATE TRIGGER zz_pipekit_undo_update AFTER UPDATE ON "public"."orders" REFERENCING OLD TABLE AS pipekit_gone NEW TABLE AS pipekit_came
FOR EACH STATEMENT EXECUTE FUNCTION "pipekit_staging"."pipekit_undo.0a1b2c3d-42"();
WITH RECURSIVE part AS (
  SELECT CAST(CAST('"public"."orders"' AS pg_catalog.regclass) AS pg_catalog.oid) AS id
  UNION
  SELECT next.id FROM part, LATERAL (
    SELECT i.inhrelid FROM pg_catalog.pg_inherits AS i WHERE i.inhparent = part.id
    UNION ALL
    SELECT d.refobjid FROM pg_catalog.pg_class AS v
    JOIN pg_catalog.pg_rewrite AS r ON r.ev_class = v.oid
    JOIN pg_catalog.pg_depend AS d ON d.objid = r.oid AND d.classid = CAST('pg_catalog.pg_rewrite' AS regclass)
      AND d.refclassid = CAST('pg_catalog.pg_class' AS regclass)
    WHERE v.oid = part.id AND v.relkind = 'v'
  ) AS next (id)
), expected AS (
  SELECT pg_catalog.sum(
    p.pages * CASE WHEN c.reltuples >= 0 AND c.relpages > 0 THEN c.reltuples / c.relpages ELSE 1 END) AS rows
  FROM part JOIN pg_catalog.pg_class AS c ON c.oid = part.id AND c.relkind IN ('r', 'm'),
    LATERAL (SELECT pg_catalog.pg_relation_size(c.oid)
      / CAST(pg_catalog.current_setting('block_size') AS integer)) AS p (pages)
)
SELECT pg_catalog.set_config('enable_nestloop', 'off', true) FROM expected WHERE coalesce(rows, 0) < 1000;
-- updated
UPDATE "public"."orders" AS d
SET "amount" = s."amount", "odd ""name""" = s."odd ""name""", "at" = s."at"
FROM "pipekit_staging"."load.orders" AS s
WHERE d."id" = s."id" AND d."line" = s."line";
-- inserted
INSERT INTO "public"."orders" ("id", "line", "amount", "odd ""name""", "at")
SELECT s."id", s."line", s."amount", s."odd ""name""", s."at"
FROM "pipekit_staging"."load.orders" AS s
WHERE NOT EXISTS (SELECT FROM "public"."orders" AS d WHERE d."id" = s."id" AND d."line" = s."line");
SET CONSTRAINTS ALL IMMEDIATE;
DROP TRIGGER zz_pipekit_undo_delete ON "public"."orders";
DROP TRIGGER zz_pipekit_undo_insert ON "public"."orders";
DROP TRIGGER zz_pipekit_undo_update ON "public"."orders";
DROP FUNCTION "pipekit_staging"."pipekit_undo.0a1b2c3d-42"();
-- kept (first cell)
SELECT pg_catalog.count(*) FROM "pipekit_staging"."pipekit_undo.0a1b2c3d-42";
-- kept bytes (first cell)
SELECT pg_catalog.pg_total_relation_size('"pipekit_staging"."pipekit_undo.0a1b2c3d-42"');
