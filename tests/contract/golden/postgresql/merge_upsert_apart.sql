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
    p.pages * CASE WHEN c.reltuples >= 0 AND c.relpages > 0 THEN c.reltuples / c.relpages ELSE 1 END) AS rows,
    pg_catalog.sum(pg_catalog.pg_relation_size(c.oid)) AS bytes
  FROM part JOIN pg_catalog.pg_class AS c ON c.oid = part.id AND c.relkind IN ('r', 'm'),
    LATERAL (SELECT pg_catalog.pg_relation_size(c.oid)
      / CAST(pg_catalog.current_setting('block_size') AS integer)) AS p (pages)
)
SELECT pg_catalog.set_config('enable_nestloop', 'off', true) FROM expected WHERE coalesce(rows, 0) < 1000
UNION ALL
SELECT pg_catalog.set_config(j.name, 'off', true)
FROM expected, (VALUES ('enable_hashjoin'), ('enable_mergejoin')) AS j (name)
WHERE rows >= 1000 AND bytes > pg_catalog.pg_relation_size('"pipekit_staging"."load.orders"') * CASE
  WHEN bytes <= pg_catalog.pg_size_bytes(pg_catalog.current_setting('effective_cache_size')) THEN 8
  ELSE 100 END
UNION ALL
SELECT pg_catalog.set_config('work_mem', greatest(now.kb, least(131072, now.shared / 4, now.wanted)) || 'kB', true)
FROM (SELECT pg_catalog.pg_size_bytes(pg_catalog.current_setting('work_mem')) / 1024 AS kb,
  pg_catalog.pg_size_bytes(pg_catalog.current_setting('shared_buffers')) / 1024 AS shared,
  pg_catalog.pg_relation_size('"pipekit_staging"."load.orders"') / 512 AS wanted) AS now;
CREATE TEMPORARY TABLE pg_temp.pipekit_differing WITH (toast_tuple_target = 8160) ON COMMIT DROP AS
SELECT s.*
FROM "pipekit_staging"."load.orders" AS s
LEFT JOIN "public"."orders" AS o ON o."id" = s."id" AND o."line" = s."line"
WHERE o."id" IS NULL OR o."at" IS DISTINCT FROM s."at" OR o."amount" IS DISTINCT FROM CAST(CAST(s."amount" AS text) AS numeric(12,2)) OR o."odd ""name""" COLLATE "C" IS DISTINCT FROM s."odd ""name""";
WITH written AS (
INSERT INTO "public"."orders" AS d ("id", "line", "amount", "odd ""name""", "at")
SELECT s."id", s."line", CAST(CAST(s."amount" AS text) AS numeric(12,2)), s."odd ""name""", s."at"
FROM (SELECT s.* FROM pg_temp.pipekit_differing AS s ORDER BY s."id", s."line") AS s
ON CONFLICT ("id", "line") DO UPDATE SET "amount" = excluded."amount", "odd ""name""" = excluded."odd ""name""", "at" = excluded."at"
RETURNING d.xmax = 0 AS added
)
SELECT pg_catalog.set_config('pipekit.updated', CAST((SELECT pg_catalog.count(*) FROM written WHERE NOT added) AS text), true), pg_catalog.set_config('pipekit.inserted', CAST((SELECT pg_catalog.count(*) FROM written WHERE added) AS text), true);
-- updated (first cell)
SELECT pg_catalog.current_setting('pipekit.updated');
-- inserted (first cell)
SELECT pg_catalog.current_setting('pipekit.inserted');
