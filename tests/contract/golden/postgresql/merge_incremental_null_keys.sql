-- deleted
DELETE FROM "public"."orders" AS d
USING (SELECT DISTINCT s."id" AS "id", s."odd ""name""" AS "odd ""name""" FROM "pipekit_staging"."load.orders" AS s) AS s
WHERE d."id" = s."id" AND d."odd ""name""" = s."odd ""name""";
-- deleted
DELETE FROM "public"."orders" AS d
USING (SELECT DISTINCT s."id" AS "id", s."odd ""name""" AS "odd ""name""" FROM "pipekit_staging"."load.orders" AS s WHERE s."id" IS NULL OR s."odd ""name""" IS NULL) AS s
WHERE (d."id" IS NULL OR d."odd ""name""" IS NULL) AND d."id" IS NOT DISTINCT FROM s."id" AND d."odd ""name""" IS NOT DISTINCT FROM s."odd ""name""";
-- inserted
INSERT INTO "public"."orders" ("id", "line", "amount", "odd ""name""", "at")
SELECT s."id", s."line", s."amount", s."odd ""name""", s."at"
FROM "pipekit_staging"."load.orders" AS s;
