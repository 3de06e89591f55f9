-- Rows that are gone from the source: what becomes of them, which are meant, how they are found; how many were marked.

ALTER TABLE module ADD COLUMN deletes TEXT NOT NULL DEFAULT 'none';
ALTER TABLE module ADD COLUMN deletes_column TEXT NOT NULL DEFAULT '';
ALTER TABLE module ADD COLUMN deletes_where TEXT NOT NULL DEFAULT '';
ALTER TABLE module ADD COLUMN deletes_days INTEGER;
ALTER TABLE module ADD COLUMN deletes_day_column TEXT NOT NULL DEFAULT '';
ALTER TABLE module ADD COLUMN deletes_keys TEXT NOT NULL DEFAULT '';

CREATE TABLE run_gone (
    run_id      INTEGER PRIMARY KEY REFERENCES run_log (id) ON DELETE CASCADE,
    rows_marked INTEGER NOT NULL
) STRICT;
