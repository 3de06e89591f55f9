-- updated
UPDATE "public"."orders" AS d
SET "id" = d."id"
FROM "pipekit_staging"."load.orders" AS s
WHERE d."id" = s."id" AND d."line" = s."line";
-- inserted
INSERT INTO "public"."orders" ("id", "line")
SELECT s."id", s."line"
FROM "pipekit_staging"."load.orders" AS s
WHERE NOT EXISTS (SELECT FROM "public"."orders" AS d WHERE d."id" = s."id" AND d."line" = s."line");
