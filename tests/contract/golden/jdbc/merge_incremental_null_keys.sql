-- deleted
DELETE FROM "orders" d
WHERE EXISTS (SELECT 1 FROM "pipekit_staging"."load.orders" s WHERE (d."id" = s."id" OR (d."id" IS NULL AND s."id" IS NULL)) AND (d."odd ""name""" = s."odd ""name""" OR (d."odd ""name""" IS NULL AND s."odd ""name""" IS NULL)));
-- inserted
INSERT INTO "orders" ("id", "line", "amount", "odd ""name""", "at")
SELECT s."id", s."line", s."amount", s."odd ""name""", s."at"
FROM "pipekit_staging"."load.orders" s;
