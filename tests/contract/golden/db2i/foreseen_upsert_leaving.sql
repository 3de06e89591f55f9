-- updated
SELECT COUNT(*) FROM "ORDERS" d JOIN "PIPEKIT"."load.orders" s ON d."id" = s."id" AND d."line" = s."line";
-- inserted
SELECT COUNT(*) FROM "PIPEKIT"."load.orders" s WHERE NOT EXISTS (SELECT 1 FROM "ORDERS" d WHERE d."id" = s."id" AND d."line" = s."line");
