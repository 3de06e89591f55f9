-- deleted
SELECT COUNT(*) FROM "ORDERS" d;
-- inserted
SELECT COUNT(*) FROM "PIPEKIT"."load.orders" s;
