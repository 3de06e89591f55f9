-- updated
SELECT COUNT(*) FROM "ORDERS" d JOIN "PIPEKIT"."load.orders" s ON (d."id" = s."id" OR (d."id" IS NULL AND s."id" IS NULL)) AND (d."odd ""name""" = s."odd ""name""" OR (d."odd ""name""" IS NULL AND s."odd ""name""" IS NULL));
-- inserted
SELECT COUNT(*) FROM "PIPEKIT"."load.orders" s WHERE NOT EXISTS (SELECT 1 FROM "ORDERS" d WHERE (d."id" = s."id" OR (d."id" IS NULL AND s."id" IS NULL)) AND (d."odd ""name""" = s."odd ""name""" OR (d."odd ""name""" IS NULL AND s."odd ""name""" IS NULL)));
