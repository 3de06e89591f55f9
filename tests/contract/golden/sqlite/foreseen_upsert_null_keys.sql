CREATE INDEX IF NOT EXISTS "pipekit_staging.load.orders.key" ON "pipekit_staging.load.orders" ("id", "odd ""name""");
-- updated
SELECT COUNT(*) FROM "pipekit_staging.load.orders" AS staging JOIN "orders" AS dest ON dest."id" IS staging."id" AND dest."odd ""name""" IS staging."odd ""name""";
-- inserted
SELECT COUNT(*) FROM "pipekit_staging.load.orders" AS staging
WHERE staging.rowid NOT IN (SELECT staging.rowid FROM "pipekit_staging.load.orders" AS staging JOIN "orders" AS dest ON dest."id" IS staging."id" AND dest."odd ""name""" IS staging."odd ""name""");
