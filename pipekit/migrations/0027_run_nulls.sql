-- How many NULLs each column of a run's staged rows had, as {column: count}, where the module has them counted.
CREATE TABLE run_nulls (
    run_id     INTEGER PRIMARY KEY REFERENCES run_log (id) ON DELETE CASCADE,
    nulls_json TEXT NOT NULL
) STRICT;
