-- updated
MERGE INTO "orders" d
USING "pipekit_staging"."load.orders" s ON d."id" = CAST(s."id" AS BIGINT)
WHEN MATCHED THEN UPDATE SET "line" = s."line", "amount" = CAST(s."amount" AS DECIMAL(12,2)), "odd ""name""" = s."odd ""name""", "at" = s."at";
-- inserted
INSERT INTO "orders" ("id", "line", "amount", "odd ""name""", "at")
SELECT CAST(s."id" AS BIGINT), s."line", CAST(s."amount" AS DECIMAL(12,2)), s."odd ""name""", s."at"
FROM "pipekit_staging"."load.orders" s
WHERE NOT EXISTS (SELECT 1 FROM "orders" d WHERE d."id" = CAST(s."id" AS BIGINT));
