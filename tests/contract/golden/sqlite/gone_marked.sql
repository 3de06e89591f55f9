SELECT COUNT(*) FROM "pipekit_staging.load.orders" s
WHERE EXISTS (SELECT 1 FROM "pipekit_staging.load.orders~keys" k WHERE k."id" = s."id" AND k."odd ""name""" = s."odd ""name""");
INSERT INTO "pipekit_staging.load.orders~keys" ("id", "odd ""name""")
SELECT "id", "odd ""name""" FROM "pipekit_staging.load.orders";
SELECT COUNT(*) FROM "orders" AS dest
WHERE (
amount > 0 -- some
) AND dest."at" IS NULL AND NOT coalesce(EXISTS (SELECT 1 FROM "pipekit_staging.load.orders~keys" AS staging WHERE dest."id" IS staging."id" AND dest."odd ""name""" IS staging."odd ""name"""), 0);
SELECT COUNT(*) FROM "orders" AS dest
WHERE (
amount > 0 -- some
) AND dest."at" IS NULL;
-- marked
UPDATE OR ABORT "orders" AS dest SET "at" = '2026-11-30 13:49:51.123456'
WHERE (
amount > 0 -- some
) AND dest."at" IS NULL AND NOT coalesce(EXISTS (SELECT 1 FROM "pipekit_staging.load.orders~keys" AS staging WHERE dest."id" IS staging."id" AND dest."odd ""name""" IS staging."odd ""name"""), 0);
-- unmarked
UPDATE OR ABORT "orders" AS dest SET "at" = NULL
WHERE dest."at" IS NOT NULL AND coalesce(EXISTS (SELECT 1 FROM "pipekit_staging.load.orders~keys" AS staging WHERE dest."id" IS staging."id" AND dest."odd ""name""" IS staging."odd ""name"""), 0);
