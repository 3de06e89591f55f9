-- updated
MERGE INTO "orders" d
USING "pipekit_staging"."load.orders" s ON (d."id" = s."id" OR (d."id" IS NULL AND s."id" IS NULL)) AND (d."odd ""name""" = s."odd ""name""" OR (d."odd ""name""" IS NULL AND s."odd ""name""" IS NULL))
WHEN MATCHED THEN UPDATE SET "line" = s."line", "amount" = s."amount", "at" = s."at";
-- inserted
INSERT INTO "orders" ("id", "line", "amount", "odd ""name""", "at")
SELECT s."id", s."line", s."amount", s."odd ""name""", s."at"
FROM "pipekit_staging"."load.orders" s
WHERE NOT EXISTS (SELECT 1 FROM "orders" d WHERE (d."id" = s."id" OR (d."id" IS NULL AND s."id" IS NULL)) AND (d."odd ""name""" = s."odd ""name""" OR (d."odd ""name""" IS NULL AND s."odd ""name""" IS NULL)));
