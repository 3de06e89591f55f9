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
-- changed
UPDATE "public"."orders" AS d
SET "valid_to" = CAST('2026-11-30 13:49:51.123456' AS timestamp without time zone), "current" = FALSE
WHERE d."valid_to" IS NULL AND EXISTS (SELECT 1 FROM "pipekit_staging"."load.orders" AS s WHERE d."id" = s."id" AND d."line" = s."line" AND (d."at" IS DISTINCT FROM s."at" OR d."amount" IS DISTINCT FROM s."amount" OR d."odd ""name""" COLLATE "C" IS DISTINCT FROM s."odd ""name"""));
-- ended
UPDATE "public"."orders" AS d
SET "valid_to" = CAST('2026-11-30 13:49:51.123456' AS timestamp without time zone), "current" = FALSE
WHERE (
"valid_to" IS NULL
) AND NOT EXISTS (SELECT FROM "pipekit_staging"."load.orders" AS k WHERE d."id" = k."id" AND d."line" = k."line");
-- inserted
INSERT INTO "public"."orders" ("id", "line", "amount", "odd ""name""", "at", "valid_from", "valid_to", "current")
SELECT s."id", s."line", s."amount", s."odd ""name""", s."at", CAST('2026-11-30 13:49:51.123456' AS timestamp without time zone), NULL, TRUE
FROM "pipekit_staging"."load.orders" AS s
WHERE NOT EXISTS (SELECT 1 FROM "public"."orders" AS d WHERE d."valid_to" IS NULL AND d."id" = s."id" AND d."line" = s."line");
-- doubt (first cell)
SELECT COUNT(*) - (SELECT COUNT(*) FROM "pipekit_staging"."load.orders") FROM "public"."orders" AS d, "pipekit_staging"."load.orders" AS s
WHERE d."valid_to" IS NULL AND d."id" = s."id" AND d."line" = s."line";
-- late (first cell)
SELECT COUNT(*) FROM "public"."orders" AS d
WHERE (d."valid_to" = CAST('2026-11-30 13:49:51.123456' AS timestamp without time zone) AND d."valid_from" >= CAST('2026-11-30 13:49:51.123456' AS timestamp without time zone)) OR d."valid_to" > CAST('2026-11-30 13:49:51.123456' AS timestamp without time zone);
-- changed
SELECT COUNT(*) FROM "public"."orders" AS d, "pipekit_staging"."load.orders" AS s
WHERE d."valid_to" IS NULL AND d."id" = s."id" AND d."line" = s."line" AND (d."at" IS DISTINCT FROM s."at" OR d."amount" IS DISTINCT FROM s."amount" OR d."odd ""name""" COLLATE "C" IS DISTINCT FROM s."odd ""name""");
-- ended
SELECT COUNT(*) FROM "public"."orders" AS d
WHERE (
"valid_to" IS NULL
) AND NOT EXISTS (SELECT FROM "pipekit_staging"."load.orders" AS k WHERE d."id" = k."id" AND d."line" = k."line");
-- inserted
SELECT COUNT(*) FROM "pipekit_staging"."load.orders" AS s
WHERE NOT EXISTS (SELECT 1 FROM "public"."orders" AS d WHERE d."valid_to" IS NULL AND d."id" = s."id" AND d."line" = s."line" AND NOT (d."at" IS DISTINCT FROM s."at" OR d."amount" IS DISTINCT FROM s."amount" OR d."odd ""name""" COLLATE "C" IS DISTINCT FROM s."odd ""name"""));
