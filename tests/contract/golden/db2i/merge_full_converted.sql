-- deleted
DELETE FROM "ORDERS";
-- inserted
INSERT INTO "ORDERS" ("id", "line", "amount", "odd ""name""", "at")
SELECT s."id", s."line", CAST(s."amount" AS DECIMAL(12,2)), s."odd ""name""", s."at"
FROM "PIPEKIT"."load.orders" s;
