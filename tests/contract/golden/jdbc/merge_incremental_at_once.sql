-- deleted
DELETE FROM "orders" d
WHERE EXISTS (SELECT 1 FROM "pipekit_staging"."load.orders" s WHERE d."id" = s."id" AND d."line" = s."line");
-- inserted
INSERT INTO "orders" ("id", "line", "amount", "odd ""name""", "at")
SELECT s."id", s."line", s."amount", s."odd ""name""", s."at"
FROM "pipekit_staging"."load.orders" s;
