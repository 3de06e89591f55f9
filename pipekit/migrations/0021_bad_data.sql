-- What becomes of values that a module's source itself cannot give.

ALTER TABLE module ADD COLUMN bad_data TEXT NOT NULL DEFAULT 'refuse';
