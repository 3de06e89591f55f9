-- updated
UPDATE OR ABORT "orders" AS dest SET "amount" = staging."amount", "odd ""name""" = staging."odd ""name""", "at" = staging."at"
FROM "pipekit_staging.load.orders" AS staging
WHERE dest."id" = staging."id" AND dest."line" = staging."line";
-- inserted
INSERT OR ABORT INTO "orders" ("id", "line", "amount", "odd ""name""", "at")
SELECT staging."id", staging."line", staging."amount", staging."odd ""name""", staging."at" FROM "pipekit_staging.load.orders" AS staging
WHERE staging.rowid NOT IN (SELECT staging.rowid FROM "pipekit_staging.load.orders" AS staging JOIN "orders" AS dest ON dest."id" = staging."id" AND dest."line" = staging."line");
