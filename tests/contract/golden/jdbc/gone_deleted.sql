SELECT COUNT(*) FROM "pipekit_staging"."load.orders" s
WHERE EXISTS (SELECT 1 FROM "pipekit_staging"."load.orders~keys" k WHERE k."id" = s."id" AND k."line" = s."line");
INSERT INTO "pipekit_staging"."load.orders~keys" ("id", "line")
SELECT "id", "line" FROM "pipekit_staging"."load.orders";
SELECT COUNT(*) FROM "orders" d
WHERE (
amount > 0 -- some
) AND NOT EXISTS (SELECT 1 FROM "pipekit_staging"."load.orders~keys" k WHERE d."id" = k."id" AND d."line" = k."line");
SELECT COUNT(*) FROM "orders" d
WHERE (
amount > 0 -- some
);
-- gone
DELETE FROM "orders" d
WHERE (
amount > 0 -- some
) AND NOT EXISTS (SELECT 1 FROM "pipekit_staging"."load.orders~keys" k WHERE d."id" = k."id" AND d."line" = k."line");
