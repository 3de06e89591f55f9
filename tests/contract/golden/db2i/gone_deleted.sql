SELECT COUNT(*) FROM "PIPEKIT"."load.orders" s
WHERE EXISTS (SELECT 1 FROM "PIPEKIT"."load.orders~keys" k WHERE k."id" = s."id" AND k."line" = s."line");
INSERT INTO "PIPEKIT"."load.orders~keys" ("id", "line")
SELECT "id", "line" FROM "PIPEKIT"."load.orders";
SELECT COUNT(*) FROM "ORDERS" d
WHERE (
amount > 0 -- some
) AND NOT EXISTS (SELECT 1 FROM "PIPEKIT"."load.orders~keys" k WHERE d."id" = k."id" AND d."line" = k."line");
SELECT COUNT(*) FROM "ORDERS" d
WHERE (
amount > 0 -- some
);
-- gone
DELETE FROM "ORDERS" d
WHERE (
amount > 0 -- some
) AND NOT EXISTS (SELECT 1 FROM "PIPEKIT"."load.orders~keys" k WHERE d."id" = k."id" AND d."line" = k."line");
