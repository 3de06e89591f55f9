-- What a run is doing now. The live log is for people: no page reads figures out of it.

CREATE TABLE run_live (
    run_id INTEGER PRIMARY KEY REFERENCES run_log (id) ON DELETE CASCADE,
    stage TEXT,
    stage_started_at TEXT,
    -- Rows that have arrived in staging; a run that is cut short keeps it.
    rows_so_far INTEGER
) STRICT;
