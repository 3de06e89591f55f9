SELECT COUNT(*) FROM "pipekit_staging"."load.orders" s
WHERE EXISTS (SELECT 1 FROM "pipekit_staging"."load.orders~keys" k WHERE k."id" = s."id" AND k."odd ""name""" = s."odd ""name""");
INSERT INTO "pipekit_staging"."load.orders~keys" ("id", "odd ""name""")
SELECT "id", "odd ""name""" FROM "pipekit_staging"."load.orders";
SELECT COUNT(*) FROM "public"."orders" AS d
WHERE (
amount > 0 -- some
) AND d."at" IS NULL AND NOT EXISTS (SELECT FROM "pipekit_staging"."load.orders~keys" AS k WHERE d."id" = k."id" AND ARRAY[d."odd ""name"""] = ARRAY[k."odd ""name"""]);
SELECT COUNT(*) FROM "public"."orders" AS d
WHERE (
amount > 0 -- some
) AND d."at" IS NULL;
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
-- marked
UPDATE "public"."orders" AS d
SET "at" = CAST('2026-11-30 13:49:51.123456' AS timestamp without time zone)
WHERE (
amount > 0 -- some
) AND d."at" IS NULL AND NOT EXISTS (SELECT FROM "pipekit_staging"."load.orders~keys" AS k WHERE d."id" = k."id" AND ARRAY[d."odd ""name"""] = ARRAY[k."odd ""name"""]);
-- unmarked
UPDATE "public"."orders" AS d
SET "at" = NULL
WHERE d."at" IS NOT NULL AND EXISTS (SELECT FROM "pipekit_staging"."load.orders~keys" AS k WHERE d."id" = k."id" AND ARRAY[d."odd ""name"""] = ARRAY[k."odd ""name"""]);
