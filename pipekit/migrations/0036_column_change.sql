-- Runs that change a column of their dest. Until it is settled, the module's own columns may not have followed.
CREATE TABLE column_change (
    run_id     INTEGER PRIMARY KEY REFERENCES run_log (id) ON DELETE CASCADE,
    asked_json TEXT NOT NULL,
    settled    INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX column_change_unsettled ON column_change (run_id) WHERE NOT settled;
