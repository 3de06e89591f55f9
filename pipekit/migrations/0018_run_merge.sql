-- What a merge left as it was. Beside the run, not in it: a column behind the long texts of its row would be slow to reach.
CREATE TABLE run_merge (
    run_id         INTEGER PRIMARY KEY REFERENCES run_log (id) ON DELETE CASCADE,
    rows_unchanged INTEGER NOT NULL
) STRICT;
