-- Runs that can be taken back, and runs that take one back.
ALTER TABLE module ADD COLUMN undo_runs INTEGER CHECK (undo_runs > 0);

-- That a run's dest keeps what its merge changed: written before the merge, so that no crash hides a table from us.
CREATE TABLE undo_kept (
    run_id INTEGER PRIMARY KEY REFERENCES run_log (id),
    rows   INTEGER NOT NULL,
    bytes  INTEGER
) STRICT;

-- Which run a run takes back.
CREATE TABLE undo_asked (
    run_id INTEGER PRIMARY KEY REFERENCES run_log (id) ON DELETE CASCADE,
    undoes INTEGER NOT NULL
) STRICT;
CREATE INDEX undo_asked_of ON undo_asked (undoes);
