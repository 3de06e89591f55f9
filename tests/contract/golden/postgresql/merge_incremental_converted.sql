-- deleted
DELETE FROM "public"."orders" AS d
USING (SELECT DISTINCT CAST(s."id" AS bigint) AS "id" FROM "pipekit_staging"."load.orders" AS s) AS s
WHERE d."id" = s."id";
-- inserted
INSERT INTO "public"."orders" ("id", "line", "amount", "odd ""name""", "at")
SELECT CAST(s."id" AS bigint), s."line", CAST(CAST(s."amount" AS text) AS numeric(12,2)), s."odd ""name""", s."at"
FROM "pipekit_staging"."load.orders" AS s;
