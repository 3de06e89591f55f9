-- inserted
INSERT OR ABORT INTO "orders" ("id", "line")
SELECT staging."id", staging."line" FROM "pipekit_staging.load.orders" AS staging
WHERE staging.rowid NOT IN (SELECT staging.rowid FROM "pipekit_staging.load.orders" AS staging JOIN "orders" AS dest ON dest."id" = staging."id" AND dest."line" = staging."line");
