DROP TABLE IF EXISTS "pipekit_staging"."load.orders"
