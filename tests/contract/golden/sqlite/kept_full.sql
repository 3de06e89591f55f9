CREATE TABLE main."pipekit_staging.pipekit_undo.0a1b2c3d-42" /* run 42 of it's orders */ (pipekit_side INTEGER, "id" INTEGER, "line" INTEGER, "amount" DECIMAL(12,2), "odd ""name""" TEXT, "at" TIMESTAMP);
INSERT INTO "pipekit_staging.pipekit_undo.0a1b2c3d-42"
SELECT -1, dest."id", dest."line", dest."amount", dest."odd ""name""", dest."at" FROM "orders" AS dest;
-- deleted
DELETE FROM "orders";
-- inserted
INSERT OR ABORT INTO "orders" ("id", "line", "amount", "odd ""name""", "at")
SELECT staging."id", staging."line", staging."amount", staging."odd ""name""", staging."at" FROM "pipekit_staging.load.orders" AS staging;
INSERT INTO "pipekit_staging.pipekit_undo.0a1b2c3d-42"
SELECT 1, dest."id", dest."line", dest."amount", dest."odd ""name""", dest."at" FROM "orders" AS dest;
-- kept (first cell)
SELECT count(*) FROM "pipekit_staging.pipekit_undo.0a1b2c3d-42";
