-- changed
UPDATE OR ABORT "orders" AS dest SET "valid_to" = '2026-11-30 13:49:51.123456', "current" = 0
WHERE dest."valid_to" IS NULL AND EXISTS (SELECT 1 FROM "pipekit_staging.load.orders" AS staging WHERE dest."id" = staging."id" AND dest."line" = staging."line" AND (dest."amount" COLLATE BINARY IS NOT staging."amount" OR typeof(dest."amount") <> typeof(staging."amount") OR dest."odd ""name""" COLLATE BINARY IS NOT staging."odd ""name""" OR typeof(dest."odd ""name""") <> typeof(staging."odd ""name""") OR dest."at" COLLATE BINARY IS NOT staging."at" OR typeof(dest."at") <> typeof(staging."at")));
-- ended
UPDATE OR ABORT "orders" AS dest SET "valid_to" = '2026-11-30 13:49:51.123456', "current" = 0
WHERE (
"valid_to" IS NULL
) AND NOT coalesce((dest."id", dest."line") IN (SELECT staging."id", staging."line" FROM "pipekit_staging.load.orders" AS staging), 0);
-- inserted
INSERT INTO "orders" ("id", "line", "amount", "odd ""name""", "at", "valid_from", "valid_to", "current")
SELECT staging."id", staging."line", staging."amount", staging."odd ""name""", staging."at", '2026-11-30 13:49:51.123456', NULL, 1
FROM "pipekit_staging.load.orders" AS staging
WHERE NOT EXISTS (SELECT 1 FROM "orders" AS dest WHERE dest."valid_to" IS NULL AND dest."id" = staging."id" AND dest."line" = staging."line");
-- doubt (first cell)
SELECT COUNT(*) - (SELECT COUNT(*) FROM "pipekit_staging.load.orders") FROM "orders" AS dest, "pipekit_staging.load.orders" AS staging
WHERE dest."valid_to" IS NULL AND dest."id" = staging."id" AND dest."line" = staging."line";
-- late (first cell)
SELECT COUNT(*) FROM "orders" AS dest
WHERE (dest."valid_to" = '2026-11-30 13:49:51.123456' AND dest."valid_from" >= '2026-11-30 13:49:51.123456') OR dest."valid_to" > '2026-11-30 13:49:51.123456';
-- changed
SELECT COUNT(*) FROM "orders" AS dest, "pipekit_staging.load.orders" AS staging
WHERE dest."valid_to" IS NULL AND dest."id" = staging."id" AND dest."line" = staging."line" AND (dest."amount" COLLATE BINARY IS NOT staging."amount" OR typeof(dest."amount") <> typeof(staging."amount") OR dest."odd ""name""" COLLATE BINARY IS NOT staging."odd ""name""" OR typeof(dest."odd ""name""") <> typeof(staging."odd ""name""") OR dest."at" COLLATE BINARY IS NOT staging."at" OR typeof(dest."at") <> typeof(staging."at"));
-- ended
SELECT COUNT(*) FROM "orders" AS dest
WHERE (
"valid_to" IS NULL
) AND NOT coalesce((dest."id", dest."line") IN (SELECT staging."id", staging."line" FROM "pipekit_staging.load.orders" AS staging), 0);
-- inserted
SELECT COUNT(*) FROM "pipekit_staging.load.orders" AS staging
WHERE NOT EXISTS (SELECT 1 FROM "orders" AS dest WHERE dest."valid_to" IS NULL AND dest."id" = staging."id" AND dest."line" = staging."line" AND NOT (dest."amount" COLLATE BINARY IS NOT staging."amount" OR typeof(dest."amount") <> typeof(staging."amount") OR dest."odd ""name""" COLLATE BINARY IS NOT staging."odd ""name""" OR typeof(dest."odd ""name""") <> typeof(staging."odd ""name""") OR dest."at" COLLATE BINARY IS NOT staging."at" OR typeof(dest."at") <> typeof(staging."at")));
