-- deleted
DELETE FROM "orders" AS dest WHERE dest."id" IN (SELECT staging."id" FROM "pipekit_staging.load.orders" AS staging);
-- as seen
SELECT 'as seen';
DROP i;
-- inserted
INSERT OR ABORT INTO "orders" ("id", "line", "amount", "odd ""name""", "at")
SELECT staging."id", staging."line", staging."amount", staging."odd ""name""", staging."at" FROM "pipekit_staging.load.orders" AS staging;
MAKE i;
