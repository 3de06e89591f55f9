-- updated
UPDATE OR ABORT "orders" AS dest SET "amount" = staging."amount", "odd ""name""" = staging."odd ""name""", "at" = staging."at"
FROM "pipekit_staging.load.orders" AS staging
WHERE dest."id" = staging."id" AND dest."line" = staging."line"
  AND (dest."amount" COLLATE BINARY IS NOT staging."amount" OR typeof(dest."amount") <> typeof(staging."amount") OR dest."odd ""name""" COLLATE BINARY IS NOT staging."odd ""name""" OR typeof(dest."odd ""name""") <> typeof(staging."odd ""name""") OR dest."at" COLLATE BINARY IS NOT staging."at" OR typeof(dest."at") <> typeof(staging."at"));
-- inserted
INSERT OR ABORT INTO "orders" ("id", "line", "amount", "odd ""name""", "at")
SELECT staging."id", staging."line", staging."amount", staging."odd ""name""", staging."at" FROM "pipekit_staging.load.orders" AS staging
WHERE staging.rowid NOT IN (SELECT staging.rowid FROM "pipekit_staging.load.orders" AS staging JOIN "orders" AS dest ON dest."id" = staging."id" AND dest."line" = staging."line");
