-- updated
SELECT COUNT(*) FROM "orders" d JOIN "pipekit_staging"."load.orders" s ON d."id" = s."id" AND d."line" = s."line";
-- inserted
SELECT COUNT(*) FROM "pipekit_staging"."load.orders" s WHERE NOT EXISTS (SELECT 1 FROM "orders" d WHERE d."id" = s."id" AND d."line" = s."line");
