-- updated
SELECT COUNT(*) FROM "orders" d JOIN "pipekit_staging"."load.orders" s ON (d."id" = s."id" OR (d."id" IS NULL AND s."id" IS NULL)) AND (d."odd ""name""" = s."odd ""name""" OR (d."odd ""name""" IS NULL AND s."odd ""name""" IS NULL));
-- inserted
SELECT COUNT(*) FROM "pipekit_staging"."load.orders" s WHERE NOT EXISTS (SELECT 1 FROM "orders" d WHERE (d."id" = s."id" OR (d."id" IS NULL AND s."id" IS NULL)) AND (d."odd ""name""" = s."odd ""name""" OR (d."odd ""name""" IS NULL AND s."odd ""name""" IS NULL)));
