SELECT COUNT(*), MIN('id = ' || COALESCE(CAST(s."id" AS VARCHAR(200)), 'NULL') || ', ' || 'odd "name" = ' || COALESCE(CAST(s."odd ""name""" AS VARCHAR(200)), 'NULL'))
FROM "pipekit_staging"."load.orders" s
WHERE s."id" IS NULL OR s."odd ""name""" IS NULL
