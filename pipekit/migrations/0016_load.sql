-- Which way rows take into a module's dest.

ALTER TABLE module ADD COLUMN load TEXT NOT NULL DEFAULT 'auto';
