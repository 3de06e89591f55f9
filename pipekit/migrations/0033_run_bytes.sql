-- How many bytes a run's rows were on their way, in which form: only like forms are held against each other.
CREATE TABLE run_bytes (
    run_id INTEGER PRIMARY KEY REFERENCES run_log (id) ON DELETE CASCADE,
    bytes  INTEGER NOT NULL,
    format TEXT NOT NULL
) STRICT;
