-- updated
MERGE INTO "ORDERS" d
USING "PIPEKIT"."load.orders" s ON (d."id" = s."id" OR (d."id" IS NULL AND s."id" IS NULL)) AND (d."odd ""name""" = s."odd ""name""" OR (d."odd ""name""" IS NULL AND s."odd ""name""" IS NULL))
WHEN MATCHED THEN UPDATE SET "line" = s."line", "amount" = s."amount", "odd ""name""" = s."odd ""name""", "at" = s."at";
-- inserted
INSERT INTO "ORDERS" ("id", "line", "amount", "odd ""name""", "at")
SELECT s."id", s."line", s."amount", s."odd ""name""", s."at"
FROM "PIPEKIT"."load.orders" s
WHERE NOT EXISTS (SELECT 1 FROM "ORDERS" d WHERE (d."id" = s."id" OR (d."id" IS NULL AND s."id" IS NULL)) AND (d."odd ""name""" = s."odd ""name""" OR (d."odd ""name""" IS NULL AND s."odd ""name""" IS NULL)));
