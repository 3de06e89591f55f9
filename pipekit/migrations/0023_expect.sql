-- What a module expects of the rows that it has staged, before they are merged.
ALTER TABLE module ADD COLUMN expect_not_null TEXT NOT NULL DEFAULT '';
ALTER TABLE module ADD COLUMN expect_unique TEXT NOT NULL DEFAULT '';
ALTER TABLE module ADD COLUMN expect_accepted TEXT NOT NULL DEFAULT '';
ALTER TABLE module ADD COLUMN expect_sql TEXT NOT NULL DEFAULT '';
