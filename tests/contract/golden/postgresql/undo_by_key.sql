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
SELECT 'id = ' || CAST(a."id" AS text) || ', ' || 'line = ' || CAST(a."line" AS text) AS example FROM "pipekit_staging"."pipekit_undo.0a1b2c3d-42.net" AS a LEFT JOIN "public"."orders" AS d ON d."id" = a."id" AND d."line" = a."line"
WHERE a.pipekit_side = 1 AND (d."id" IS NULL OR pg_catalog.record_image_ne(ROW(d."id", d."line", d."amount", d."odd ""name""", d."at"), ROW(a."id", a."line", a."amount", a."odd ""name""", a."at")))
) AS found;
-- Rows that the run deleted are there again (first cell)
SELECT pg_catalog.count(*) FROM (
SELECT 'id = ' || CAST(b."id" AS text) || ', ' || 'line = ' || CAST(b."line" AS text) AS example FROM "pipekit_staging"."pipekit_undo.0a1b2c3d-42.net" AS b JOIN "public"."orders" AS d ON d."id" = b."id" AND d."line" = b."line"
WHERE b.pipekit_side = -1
  AND NOT EXISTS (SELECT FROM "pipekit_staging"."pipekit_undo.0a1b2c3d-42.net" AS a WHERE a.pipekit_side = 1 AND a."id" = b."id" AND a."line" = b."line")
) AS found;
(switches note off);
SET CONSTRAINTS ALL DEFERRED;
-- deleted
DELETE FROM "public"."orders" AS d USING "pipekit_staging"."pipekit_undo.0a1b2c3d-42.net" AS a
WHERE a.pipekit_side = 1 AND d."id" = a."id" AND d."line" = a."line" AND NOT false;
-- inserted
INSERT INTO "public"."orders" ("id", "line", "amount", "odd ""name""", "at") OVERRIDING SYSTEM VALUE
SELECT b."id", b."line", b."amount", b."odd ""name""", b."at" FROM "pipekit_staging"."pipekit_undo.0a1b2c3d-42.net" AS b
WHERE b.pipekit_side = -1 AND NOT false;
SET CONSTRAINTS ALL IMMEDIATE;
-- After it the dest's rows would not be what they were (first cell)
SELECT pg_catalog.count(*) FROM (
SELECT 'id = ' || CAST(a."id" AS text) || ', ' || 'line = ' || CAST(a."line" AS text) AS example FROM "pipekit_staging"."pipekit_undo.0a1b2c3d-42.net" AS a LEFT JOIN "public"."orders" AS d ON d."id" = a."id" AND d."line" = a."line"
WHERE a.pipekit_side = -1 AND (d."id" IS NULL OR pg_catalog.record_image_ne(ROW(d."id", d."line", d."amount", d."odd ""name""", d."at"), ROW(a."id", a."line", a."amount", a."odd ""name""", a."at")))
) AS found;
-- After it the dest's rows would not be what they were (first cell)
SELECT pg_catalog.count(*) FROM (
SELECT 'id = ' || CAST(a."id" AS text) || ', ' || 'line = ' || CAST(a."line" AS text) AS example FROM "pipekit_staging"."pipekit_undo.0a1b2c3d-42.net" AS a JOIN "public"."orders" AS d ON d."id" = a."id" AND d."line" = a."line"
WHERE a.pipekit_side = 1
  AND NOT EXISTS (SELECT FROM "pipekit_staging"."pipekit_undo.0a1b2c3d-42.net" AS b WHERE b.pipekit_side = -1 AND b."id" = a."id" AND b."line" = a."line")
) AS found;
(switches note on);
DROP TABLE IF EXISTS "pipekit_staging"."pipekit_undo.0a1b2c3d-42";
DROP TABLE IF EXISTS "pipekit_staging"."pipekit_undo.0a1b2c3d-42.old";
DROP TABLE "pipekit_staging"."pipekit_undo.0a1b2c3d-42.net";
