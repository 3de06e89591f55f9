SELECT pg_catalog.count(*), pg_catalog.min('id = ' || coalesce(CAST("id" AS text), 'NULL') || ', ' || 'line = ' || coalesce(CAST("line" AS text), 'NULL'))
FROM (
  SELECT s."id" AS "id", s."line" AS "line"
  FROM "pipekit_staging"."load.orders" AS s
  GROUP BY 1, 2
  HAVING pg_catalog.count(*) > 1
) AS repeated
