SELECT COUNT(*) FROM "PIPEKIT"."load.orders" s
WHERE EXISTS (SELECT 1 FROM "PIPEKIT"."load.orders~keys" k WHERE k."id" = s."id" AND k."odd ""name""" = s."odd ""name""");
INSERT INTO "PIPEKIT"."load.orders~keys" ("id", "odd ""name""")
SELECT "id", "odd ""name""" FROM "PIPEKIT"."load.orders";
SELECT COUNT(*) FROM "ORDERS" d
WHERE (
amount > 0 -- some
) AND d."at" IS NULL AND NOT EXISTS (SELECT 1 FROM "PIPEKIT"."load.orders~keys" k WHERE (d."id" = k."id" OR (d."id" IS NULL AND k."id" IS NULL)) AND (d."odd ""name""" = k."odd ""name""" OR (d."odd ""name""" IS NULL AND k."odd ""name""" IS NULL)));
SELECT COUNT(*) FROM "ORDERS" d
WHERE (
amount > 0 -- some
) AND d."at" IS NULL;
-- marked
UPDATE "ORDERS" d
SET "at" = CAST('2026-11-30 13:49:51.123456' AS TIMESTAMP)
WHERE (
amount > 0 -- some
) AND d."at" IS NULL AND NOT EXISTS (SELECT 1 FROM "PIPEKIT"."load.orders~keys" k WHERE (d."id" = k."id" OR (d."id" IS NULL AND k."id" IS NULL)) AND (d."odd ""name""" = k."odd ""name""" OR (d."odd ""name""" IS NULL AND k."odd ""name""" IS NULL)));
-- unmarked
UPDATE "ORDERS" d
SET "at" = NULL
WHERE d."at" IS NOT NULL AND EXISTS (SELECT 1 FROM "PIPEKIT"."load.orders~keys" k WHERE (d."id" = k."id" OR (d."id" IS NULL AND k."id" IS NULL)) AND (d."odd ""name""" = k."odd ""name""" OR (d."odd ""name""" IS NULL AND k."odd ""name""" IS NULL)));
