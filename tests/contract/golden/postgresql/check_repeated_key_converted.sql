SELECT pg_catalog.count(*), pg_catalog.min('id = ' || coalesce(CAST("id" AS text), 'NULL'))
FROM (
  SELECT CAST(s."id" AS bigint) AS "id"
  FROM "pipekit_staging"."load.orders" AS s
  GROUP BY 1
  HAVING pg_catalog.count(*) > 1
) AS repeated
