-- updated
UPDATE "ORDERS" d
SET "id" = d."id"
WHERE EXISTS (SELECT 1 FROM "PIPEKIT"."load.orders" s WHERE d."id" = s."id" AND d."line" = s."line");
-- inserted
INSERT INTO "ORDERS" ("id", "line")
SELECT s."id", s."line"
FROM "PIPEKIT"."load.orders" s
WHERE NOT EXISTS (SELECT 1 FROM "ORDERS" d WHERE d."id" = s."id" AND d."line" = s."line");
