-- updated
MERGE INTO "orders" d
USING "pipekit_staging"."load.orders" s ON d."id" = s."id" AND d."line" = s."line"
WHEN MATCHED THEN UPDATE SET "amount" = CAST(s."amount" AS DECIMAL(12,2)), "odd ""name""" = s."odd ""name""", "at" = s."at";
-- inserted
INSERT INTO "orders" ("id", "line", "amount", "odd ""name""", "at")
SELECT s."id", s."line", CAST(s."amount" AS DECIMAL(12,2)), s."odd ""name""", s."at"
FROM "pipekit_staging"."load.orders" s
WHERE NOT EXISTS (SELECT 1 FROM "orders" d WHERE d."id" = s."id" AND d."line" = s."line");
