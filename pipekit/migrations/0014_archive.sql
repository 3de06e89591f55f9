-- Runs of another Pipekit, kept to be looked at: nothing is run, counted or purged by them.
CREATE TABLE archived_run (
    id           INTEGER PRIMARY KEY,
    -- Its number there.
    first_id     TEXT NOT NULL,
    module       TEXT NOT NULL COLLATE NOCASE,
    status       TEXT NOT NULL,
    triggered_by TEXT NOT NULL,
    -- Times as they were written there.
    started_at   TEXT NOT NULL,
    finished_at  TEXT NOT NULL,
    rows         INTEGER,
    error        TEXT NOT NULL,
    -- Everything that was known of it, its log too.
    record_json  TEXT NOT NULL,
    UNIQUE (first_id, module, started_at)
) STRICT;
CREATE INDEX archived_run_by_module ON archived_run (module, id);
