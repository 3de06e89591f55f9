CREATE INDEX IF NOT EXISTS "pipekit_staging.load.orders.key" ON "pipekit_staging.load.orders" ("id", "odd ""name""");
-- deleted
DELETE FROM "orders" AS dest WHERE EXISTS (SELECT 1 FROM "pipekit_staging.load.orders" AS staging WHERE dest."id" IS staging."id" AND dest."odd ""name""" IS staging."odd ""name""");
-- inserted
INSERT OR ABORT INTO "orders" ("id", "line", "amount", "odd ""name""", "at")
SELECT staging."id", staging."line", staging."amount", staging."odd ""name""", staging."at" FROM "pipekit_staging.load.orders" AS staging;
