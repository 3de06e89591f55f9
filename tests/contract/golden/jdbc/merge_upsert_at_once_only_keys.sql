-- updated
UPDATE "orders" d
SET "id" = d."id"
WHERE EXISTS (SELECT 1 FROM "pipekit_staging"."load.orders" s WHERE d."id" = s."id" AND d."line" = s."line");
-- inserted
INSERT INTO "orders" ("id", "line")
SELECT s."id", s."line"
FROM "pipekit_staging"."load.orders" s
WHERE NOT EXISTS (SELECT 1 FROM "orders" d WHERE d."id" = s."id" AND d."line" = s."line");
