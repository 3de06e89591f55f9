-- deleted
DELETE FROM "public"."orders" AS d
USING (SELECT DISTINCT s."id" AS "id", s."line" AS "line" FROM "pipekit_staging"."load.orders" AS s) AS s
WHERE d."id" = s."id" AND d."line" = s."line";
-- inserted
INSERT INTO "public"."orders" ("id", "line", "amount", "odd ""name""", "at")
SELECT s."id", s."line", s."amount", s."odd ""name""", s."at"
FROM "pipekit_staging"."load.orders" AS s;
