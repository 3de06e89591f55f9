-- deleted
DELETE FROM "ORDERS" d
WHERE EXISTS (SELECT 1 FROM "PIPEKIT"."load.orders" s WHERE d."id" = s."id" AND d."line" = s."line");
-- inserted
INSERT INTO "ORDERS" ("id", "line", "amount", "odd ""name""", "at")
SELECT s."id", s."line", s."amount", s."odd ""name""", s."at"
FROM "PIPEKIT"."load.orders" s;
