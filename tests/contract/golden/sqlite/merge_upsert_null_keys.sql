-- updated
UPDATE OR ABORT "orders" AS dest SET "line" = staging."line", "amount" = staging."amount", "at" = staging."at"
FROM "pipekit_staging.load.orders" AS staging
WHERE dest."id" IS staging."id" AND dest."odd ""name""" IS staging."odd ""name""";
-- inserted
INSERT OR ABORT INTO "orders" ("id", "line", "amount", "odd ""name""", "at")
SELECT staging."id", staging."line", staging."amount", staging."odd ""name""", staging."at" FROM "pipekit_staging.load.orders" AS staging
WHERE staging.rowid NOT IN (SELECT staging.rowid FROM "pipekit_staging.load.orders" AS staging JOIN "orders" AS dest ON dest."id" IS staging."id" AND dest."odd ""name""" IS staging."odd ""name""");
