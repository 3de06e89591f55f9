SELECT pg_catalog.count(*), pg_catalog.min('id = ' || coalesce(CAST("id" AS text), 'NULL') || ', ' || 'odd "name" = ' || coalesce(CAST("odd ""name""" AS text), 'NULL'))
FROM "pipekit_staging"."load.orders"
WHERE "id" IS NULL OR "odd ""name""" IS NULL
