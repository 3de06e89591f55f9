-- inserted
SELECT COUNT(*) FROM "pipekit_staging.load.orders" AS staging;
-- deleted
SELECT COUNT(*) FROM "orders" AS dest;
