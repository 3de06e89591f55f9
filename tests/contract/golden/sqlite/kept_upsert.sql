CREATE TABLE main."pipekit_staging.pipekit_undo.0a1b2c3d-42" /* run 42 of it's orders */ (pipekit_side INTEGER, "id" INTEGER, "line" INTEGER, "amount" DECIMAL(12,2), "odd ""name""" TEXT, "at" TIMESTAMP);
CREATE TEMP TRIGGER pipekit_undo_insert AFTER INSERT ON main."orders"
BEGIN INSERT INTO "pipekit_staging.pipekit_undo.0a1b2c3d-42" VALUES (1, NEW."id", NEW."line", NEW."amount", NEW."odd ""name""", NEW."at"); END;
CREATE TEMP TRIGGER pipekit_undo_delete AFTER DELETE ON main."orders"
BEGIN INSERT INTO "pipekit_staging.pipekit_undo.0a1b2c3d-42" VALUES (-1, OLD."id", OLD."line", OLD."amount", OLD."odd ""name""", OLD."at"); END;
CREATE TEMP TRIGGER pipekit_undo_update AFTER UPDATE ON main."orders"
BEGIN INSERT INTO "pipekit_staging.pipekit_undo.0a1b2c3d-42" VALUES (-1, OLD."id", OLD."line", OLD."amount", OLD."odd ""name""", OLD."at"); INSERT INTO "pipekit_staging.pipekit_undo.0a1b2c3d-42" VALUES (1, NEW."id", NEW."line", NEW."amount", NEW."odd ""name""", NEW."at"); END;
-- updated
UPDATE OR ABORT "orders" AS dest SET "amount" = staging."amount", "odd ""name""" = staging."odd ""name""", "at" = staging."at"
FROM "pipekit_staging.load.orders" AS staging
WHERE dest."id" = staging."id" AND dest."line" = staging."line";
-- inserted
INSERT OR ABORT INTO "orders" ("id", "line", "amount", "odd ""name""", "at")
SELECT staging."id", staging."line", staging."amount", staging."odd ""name""", staging."at" FROM "pipekit_staging.load.orders" AS staging
WHERE staging.rowid NOT IN (SELECT staging.rowid FROM "pipekit_staging.load.orders" AS staging JOIN "orders" AS dest ON dest."id" = staging."id" AND dest."line" = staging."line");
DROP TRIGGER temp.pipekit_undo_insert;
DROP TRIGGER temp.pipekit_undo_delete;
DROP TRIGGER temp.pipekit_undo_update;
-- kept (first cell)
SELECT count(*) FROM "pipekit_staging.pipekit_undo.0a1b2c3d-42";
