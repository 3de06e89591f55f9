-- updated
UPDATE "public"."orders" AS d
SET "line" = s."line", "amount" = CAST(CAST(s."amount" AS text) AS numeric(12,2)), "odd ""name""" = s."odd ""name""", "at" = s."at"
FROM "pipekit_staging"."load.orders" AS s
WHERE d."id" = CAST(s."id" AS bigint);
-- inserted
INSERT INTO "public"."orders" ("id", "line", "amount", "odd ""name""", "at")
SELECT CAST(s."id" AS bigint), s."line", CAST(CAST(s."amount" AS text) AS numeric(12,2)), s."odd ""name""", s."at"
FROM "pipekit_staging"."load.orders" AS s
WHERE NOT EXISTS (SELECT FROM "public"."orders" AS d WHERE d."id" = CAST(s."id" AS bigint));
