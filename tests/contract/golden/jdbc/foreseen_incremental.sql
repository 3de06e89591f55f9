-- deleted
SELECT COUNT(*) FROM "orders" d WHERE EXISTS (SELECT 1 FROM "pipekit_staging"."load.orders" k WHERE d."id" = k."id" AND d."line" = k."line");
-- inserted
SELECT COUNT(*) FROM "pipekit_staging"."load.orders" s;
