-- updated
UPDATE "public"."orders" AS d
SET "amount" = s."amount", "odd ""name""" = s."odd ""name""", "at" = s."at"
FROM "pipekit_staging"."load.orders" AS s
WHERE d."id" = s."id" AND d."line" = s."line";
-- inserted
INSERT INTO "public"."orders" ("id", "line", "amount", "odd ""name""", "at")
SELECT s."id", s."line", s."amount", s."odd ""name""", s."at"
FROM "pipekit_staging"."load.orders" AS s
WHERE NOT EXISTS (SELECT FROM "public"."orders" AS d WHERE d."id" = s."id" AND d."line" = s."line");
