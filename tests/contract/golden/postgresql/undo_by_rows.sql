LOCK TABLE "public"."orders" IN SHARE ROW EXCLUSIVE MODE;
CREATE UNLOGGED TABLE "pipekit_staging"."pipekit_undo.0a1b2c3d-42.net" AS
SELECT k."id", k."line", k."amount", k."odd ""name""", k."at", k.pipekit_side, k.pipekit_row
FROM (
  SELECT k.*, pg_catalog.sum(k.pipekit_side) OVER (PARTITION BY k.pipekit_row) AS pipekit_sum,
    pg_catalog.row_number() OVER (PARTITION BY k.pipekit_row, k.pipekit_side) AS pipekit_number
  FROM (SELECT k.*, CAST(ROW(k."id", k."line", k."amount", k."odd ""name""", k."at") AS text) COLLATE "C" AS pipekit_row FROM "pipekit_staging"."pipekit_undo.0a1b2c3d-42" AS k) AS k
) AS k
WHERE k.pipekit_sum * k.pipekit_side >= k.pipekit_number;
ANALYZE "pipekit_staging"."pipekit_undo.0a1b2c3d-42.net";
-- gone (first cell)
SELECT pg_catalog.count(*) FROM "pipekit_staging"."pipekit_undo.0a1b2c3d-42.net" AS a WHERE a.pipekit_side = 1 AND NOT false;
-- back (first cell)
SELECT pg_catalog.count(*) FROM "pipekit_staging"."pipekit_undo.0a1b2c3d-42.net" AS b WHERE b.pipekit_side = -1 AND NOT false;
-- changed (first cell)
SELECT pg_catalog.count(*) FROM "pipekit_staging"."pipekit_undo.0a1b2c3d-42.net" AS a WHERE a.pipekit_side = 1 AND false;
-- The dest's rows are no longer as the run left them (first cell)
SELECT pg_catalog.count(*) FROM (
SELECT a.pipekit_row AS example
FROM (SELECT k.pipekit_row, pg_catalog.count(*) AS number FROM "pipekit_staging"."pipekit_undo.0a1b2c3d-42.net" AS k WHERE k.pipekit_side = 1
  GROUP BY 1) AS a
LEFT JOIN (SELECT CAST(ROW(d."id", d."line", d."amount", d."odd ""name""", d."at") AS text) COLLATE "C" AS held, pg_catalog.count(*) AS number FROM "public"."orders" AS d
  GROUP BY 1) AS d ON d.held = a.pipekit_row
WHERE coalesce(d.number, 0) < a.number
) AS found;
SET CONSTRAINTS ALL DEFERRED;
-- deleted
DELETE FROM "public"."orders" AS d
USING (
  SELECT d.tableoid AS part, d.ctid AS place, CAST(ROW(d."id", d."line", d."amount", d."odd ""name""", d."at") AS text) COLLATE "C" AS held,
    pg_catalog.row_number() OVER (PARTITION BY CAST(ROW(d."id", d."line", d."amount", d."odd ""name""", d."at") AS text) COLLATE "C") AS number
  FROM "public"."orders" AS d
) AS i JOIN (
  SELECT k.pipekit_row, pg_catalog.count(*) AS number FROM "pipekit_staging"."pipekit_undo.0a1b2c3d-42.net" AS k WHERE k.pipekit_side = 1 GROUP BY 1
) AS a ON a.pipekit_row = i.held AND i.number <= a.number
WHERE d.tableoid = i.part AND d.ctid = i.place;
-- inserted
INSERT INTO "public"."orders" ("id", "line", "amount", "odd ""name""", "at") OVERRIDING SYSTEM VALUE
SELECT b."id", b."line", b."amount", b."odd ""name""", b."at" FROM "pipekit_staging"."pipekit_undo.0a1b2c3d-42.net" AS b
WHERE b.pipekit_side = -1 AND NOT false;
SET CONSTRAINTS ALL IMMEDIATE;
-- After it the dest's rows would not be what they were (first cell)
SELECT pg_catalog.count(*) FROM (
SELECT a.pipekit_row AS example
FROM (SELECT k.pipekit_row, pg_catalog.count(*) AS number FROM "pipekit_staging"."pipekit_undo.0a1b2c3d-42.net" AS k WHERE k.pipekit_side = -1
  GROUP BY 1) AS a
LEFT JOIN (SELECT CAST(ROW(d."id", d."line", d."amount", d."odd ""name""", d."at") AS text) COLLATE "C" AS held, pg_catalog.count(*) AS number FROM "public"."orders" AS d
  GROUP BY 1) AS d ON d.held = a.pipekit_row
WHERE coalesce(d.number, 0) < a.number
) AS found;
DROP TABLE IF EXISTS "pipekit_staging"."pipekit_undo.0a1b2c3d-42";
DROP TABLE IF EXISTS "pipekit_staging"."pipekit_undo.0a1b2c3d-42.old";
DROP TABLE "pipekit_staging"."pipekit_undo.0a1b2c3d-42.net";
