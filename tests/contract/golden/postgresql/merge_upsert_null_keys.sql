-- updated
UPDATE "public"."orders" AS d
SET "line" = s."line", "amount" = s."amount", "at" = s."at"
FROM "pipekit_staging"."load.orders" AS s
WHERE d."id" = s."id" AND d."odd ""name""" = s."odd ""name""";
-- updated
UPDATE "public"."orders" AS d
SET "line" = s."line", "amount" = s."amount", "at" = s."at"
FROM "pipekit_staging"."load.orders" AS s
WHERE (s."id" IS NULL OR s."odd ""name""" IS NULL) AND (d."id" IS NULL OR d."odd ""name""" IS NULL) AND d."id" IS NOT DISTINCT FROM s."id" AND d."odd ""name""" IS NOT DISTINCT FROM s."odd ""name""";
-- inserted
INSERT INTO "public"."orders" ("id", "line", "amount", "odd ""name""", "at")
SELECT s."id", s."line", s."amount", s."odd ""name""", s."at"
FROM "pipekit_staging"."load.orders" AS s
WHERE NOT (s."id" IS NULL OR s."odd ""name""" IS NULL) AND NOT EXISTS (SELECT FROM "public"."orders" AS d WHERE d."id" = s."id" AND d."odd ""name""" = s."odd ""name""");
-- inserted
INSERT INTO "public"."orders" ("id", "line", "amount", "odd ""name""", "at")
SELECT s."id", s."line", s."amount", s."odd ""name""", s."at"
FROM "pipekit_staging"."load.orders" AS s
WHERE (s."id" IS NULL OR s."odd ""name""" IS NULL) AND NOT EXISTS (SELECT FROM "public"."orders" AS d WHERE (d."id" IS NULL OR d."odd ""name""" IS NULL) AND d."id" IS NOT DISTINCT FROM s."id" AND d."odd ""name""" IS NOT DISTINCT FROM s."odd ""name""");
