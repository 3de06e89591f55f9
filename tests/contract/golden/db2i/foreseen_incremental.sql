-- deleted
SELECT COUNT(*) FROM "ORDERS" d WHERE EXISTS (SELECT 1 FROM "PIPEKIT"."load.orders" k WHERE d."id" = k."id" AND d."line" = k."line");
-- inserted
SELECT COUNT(*) FROM "PIPEKIT"."load.orders" s;
