-- deleted
SELECT COUNT(*) FROM "orders" AS dest
WHERE (dest."id", dest."line") IN (SELECT staging."id", staging."line" FROM "pipekit_staging.load.orders" AS staging);
-- inserted
SELECT COUNT(*) FROM "pipekit_staging.load.orders" AS staging;
