-- Where a run's dest is, as the run itself has used it: a connection may be edited or deleted while a run is on its way,
-- and whether it merged can only be asked there. `password` is a reference, never a secret. `staging_left` says that the
-- run's staging table may still be there.
CREATE TABLE run_dest (
    run_id       INTEGER PRIMARY KEY REFERENCES run_log (id) ON DELETE CASCADE,
    driver       TEXT NOT NULL,
    jdbc_url     TEXT NOT NULL,
    username     TEXT,
    password     TEXT,
    staging_left INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX run_dest_left ON run_dest (run_id) WHERE staging_left;
