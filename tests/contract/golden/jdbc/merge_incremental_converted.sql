-- deleted
DELETE FROM "orders" d
WHERE EXISTS (SELECT 1 FROM "pipekit_staging"."load.orders" s WHERE d."id" = CAST(s."id" AS BIGINT));
-- inserted
INSERT INTO "orders" ("id", "line", "amount", "odd ""name""", "at")
SELECT CAST(s."id" AS BIGINT), s."line", CAST(s."amount" AS DECIMAL(12,2)), s."odd ""name""", s."at"
FROM "pipekit_staging"."load.orders" s;
