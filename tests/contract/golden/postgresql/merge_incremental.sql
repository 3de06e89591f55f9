-- deleted
DELETE FROM "public"."orders" AS d
USING (SELECT DISTINCT s."id" AS "id" FROM "pipekit_staging"."load.orders" AS s) AS s
WHERE d."id" = s."id";
-- inserted
INSERT INTO "public"."orders" ("id", "line", "amount", "odd ""name""", "at")
SELECT s."id", s."line", s."amount", s."odd ""name""", s."at"
FROM "pipekit_staging"."load.orders" AS s;
