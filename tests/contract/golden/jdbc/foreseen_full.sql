-- deleted
SELECT COUNT(*) FROM "orders" d;
-- inserted
SELECT COUNT(*) FROM "pipekit_staging"."load.orders" s;
