-- Versions of rows: a strategy more, and the columns of the dest that it fills. What strategies there are the program says.

ALTER TABLE module ADD COLUMN strategy TEXT NOT NULL DEFAULT 'full';
UPDATE module SET strategy = merge_strategy;
ALTER TABLE module DROP COLUMN merge_strategy;
ALTER TABLE module RENAME COLUMN strategy TO merge_strategy;

ALTER TABLE module ADD COLUMN history_from TEXT NOT NULL DEFAULT 'valid_from';
ALTER TABLE module ADD COLUMN history_to TEXT NOT NULL DEFAULT 'valid_to';
ALTER TABLE module ADD COLUMN history_current TEXT NOT NULL DEFAULT 'current';
