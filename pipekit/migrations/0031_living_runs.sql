-- What is seen of a run while it goes on, and who ended it.

-- How many rows the source thinks that the query has, where no earlier run tells.
ALTER TABLE run_live ADD COLUMN rows_expected INTEGER;

-- When the lines of a piece of a live log came: [[where in the piece, moment], ...], one for each second in which some did.
ALTER TABLE run_log_chunk ADD COLUMN times TEXT;

-- Who asked a run to stop, and when.
CREATE TABLE run_cancel (
    run_id INTEGER PRIMARY KEY REFERENCES run_log (id) ON DELETE CASCADE,
    user   TEXT NOT NULL,
    at     TEXT NOT NULL
) STRICT;
