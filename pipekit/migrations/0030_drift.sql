-- What a run makes of columns that are new in the source.

ALTER TABLE module ADD COLUMN drift TEXT NOT NULL DEFAULT 'stop';
