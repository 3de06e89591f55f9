-- before (first cell)
SELECT pg_catalog.count(*) FROM "public"."orders";
-- deleted
DELETE FROM "public"."orders";
-- inserted
INSERT INTO "public"."orders" ("id", "line", "amount", "odd ""name""", "at")
SELECT s."id", s."line", s."amount", s."odd ""name""", s."at"
FROM "pipekit_staging"."load.orders" AS s;
