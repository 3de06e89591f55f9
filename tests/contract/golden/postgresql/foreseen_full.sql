-- deleted
SELECT COUNT(*) FROM "public"."orders" AS d;
-- inserted
SELECT COUNT(*) FROM "pipekit_staging"."load.orders" AS s;
