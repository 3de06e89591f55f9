SELECT COUNT(*) FROM "pipekit_staging.load.orders" s
WHERE EXISTS (SELECT 1 FROM "pipekit_staging.load.orders~keys" k WHERE k."id" = s."id" AND k."line" = s."line");
INSERT INTO "pipekit_staging.load.orders~keys" ("id", "line")
SELECT "id", "line" FROM "pipekit_staging.load.orders";
SELECT COUNT(*) FROM "orders" AS dest
WHERE (
amount > 0 -- some
) AND NOT coalesce((dest."id", dest."line") IN (SELECT staging."id", staging."line" FROM "pipekit_staging.load.orders~keys" AS staging), 0);
SELECT COUNT(*) FROM "orders" AS dest
WHERE (
amount > 0 -- some
);
-- gone
DELETE FROM "orders" AS dest
WHERE (
amount > 0 -- some
) AND NOT coalesce((dest."id", dest."line") IN (SELECT staging."id", staging."line" FROM "pipekit_staging.load.orders~keys" AS staging), 0);
