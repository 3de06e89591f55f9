-- Drivers, connections, modules, their watermarks and hooks, and the record of runs.
-- Times are UTC, ISO 8601 with milliseconds.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE driver (
    id           INTEGER PRIMARY KEY,
    kind         TEXT NOT NULL UNIQUE,
    jar          TEXT,
    class        TEXT,
    url_template TEXT
) STRICT;

CREATE TABLE connection (
    id       INTEGER PRIMARY KEY,
    name     TEXT NOT NULL UNIQUE COLLATE NOCASE,
    driver   TEXT NOT NULL,
    jdbc_url TEXT NOT NULL,
    username TEXT,
    password TEXT CHECK (password GLOB '$[A-Za-z_]*' AND substr(password, 2) NOT GLOB '*[^A-Za-z0-9_]*')
) STRICT;

CREATE TABLE module (
    id                INTEGER PRIMARY KEY,
    name              TEXT NOT NULL UNIQUE COLLATE NOCASE,
    source_id         INTEGER NOT NULL REFERENCES connection (id),
    dest_id           INTEGER NOT NULL REFERENCES connection (id),
    source_query      TEXT NOT NULL,
    dest_table        TEXT NOT NULL,
    merge_strategy    TEXT NOT NULL CHECK (merge_strategy IN ('full', 'incremental', 'append', 'upsert')),
    merge_key         TEXT,
    columns_json      TEXT,
    match             TEXT NOT NULL DEFAULT 'name' CHECK (match IN ('name', 'position')),
    guards_json       TEXT,
    create_table      INTEGER NOT NULL DEFAULT 0,
    enabled           INTEGER NOT NULL DEFAULT 1,
    retries           INTEGER NOT NULL DEFAULT 2,
    silence_timeout_s REAL,
    run_timeout_s     REAL,
    running           INTEGER NOT NULL DEFAULT 0,
    lease_owner       TEXT,
    lease_expires_at  TEXT,
    fence             INTEGER NOT NULL DEFAULT 0,
    CHECK ((running = 0) = (lease_owner IS NULL)),
    CHECK ((running = 0) = (lease_expires_at IS NULL))
) STRICT;

CREATE TABLE watermark (
    id            INTEGER PRIMARY KEY,
    module_id     INTEGER NOT NULL REFERENCES module (id) ON DELETE CASCADE,
    name          TEXT NOT NULL,
    connection_id INTEGER NOT NULL REFERENCES connection (id),
    resolver_sql  TEXT NOT NULL,
    default_value TEXT,
    UNIQUE (module_id, name)
) STRICT;

CREATE TABLE hook (
    id        INTEGER PRIMARY KEY,
    module_id INTEGER NOT NULL REFERENCES module (id) ON DELETE CASCADE,
    sql       TEXT NOT NULL,
    run_order INTEGER NOT NULL DEFAULT 1,
    run_on    TEXT NOT NULL DEFAULT 'success' CHECK (run_on IN ('success', 'failure', 'always'))
) STRICT;
CREATE INDEX hook_by_module ON hook (module_id, run_order, id);

-- A run outlives its module: module_id becomes NULL, the name stays. A queued run waits for a slot; one with an owner is
-- run by that process itself, one without is the server's to start. `run_order` is its place in its group run. The long texts come last, so that reading the
-- columns before them does not walk through their overflow pages.
CREATE TABLE run_log (
    id                    INTEGER PRIMARY KEY AUTOINCREMENT,
    run_key               TEXT NOT NULL UNIQUE,
    module_id             INTEGER REFERENCES module (id) ON DELETE SET NULL,
    module                TEXT NOT NULL COLLATE NOCASE,
    group_run_id          INTEGER,
    run_order             INTEGER,
    triggered_by          TEXT NOT NULL,
    status                TEXT NOT NULL
                          CHECK (status IN ('queued', 'running', 'success', 'dry_run', 'error', 'cancelled')),
    dry_run               INTEGER NOT NULL DEFAULT 0,
    attempt               INTEGER NOT NULL DEFAULT 1,
    fence                 INTEGER NOT NULL DEFAULT 0,
    owner                 TEXT,
    lease_expires_at      TEXT,
    cancel_requested      INTEGER NOT NULL DEFAULT 0,
    dest_id               INTEGER REFERENCES connection (id) ON DELETE SET NULL,
    staging_table         TEXT,
    dest_table            TEXT,
    queued_at             TEXT,
    started_at            TEXT,
    finished_at           TEXT,
    merge_state           TEXT NOT NULL DEFAULT 'none' CHECK (merge_state IN ('none', 'merged', 'unknown')),
    rows_read             INTEGER,
    rows_staged           INTEGER,
    rows_deleted          INTEGER,
    rows_inserted         INTEGER,
    rows_updated          INTEGER,
    dest_rows_before      INTEGER,
    dest_rows_after       INTEGER,
    error_stage           TEXT
                          CHECK (error_stage IN ('claim', 'watermark', 'plan', 'stage', 'check', 'merge', 'hook')),
    overrides_json        TEXT,
    stages_json           TEXT,
    watermark_values_json TEXT,
    checks_json           TEXT,
    hint                  TEXT,
    error                 TEXT,
    resolved_sql          TEXT,
    staging_sql           TEXT,
    merge_sql             TEXT,
    stdout                TEXT,
    stderr                TEXT,
    CHECK ((finished_at IS NULL) = (status IN ('queued', 'running'))),
    CHECK (status <> 'running' OR (owner IS NOT NULL AND lease_expires_at IS NOT NULL AND started_at IS NOT NULL))
) STRICT;
CREATE INDEX run_log_by_module ON run_log (module_id, id);
CREATE INDEX run_log_by_name ON run_log (module, id);
CREATE INDEX run_log_by_status ON run_log (status, id);
CREATE INDEX run_log_by_dest ON run_log (dest_id);
CREATE INDEX run_log_unsettled ON run_log (module_id, id) WHERE merge_state = 'unknown';
CREATE INDEX run_log_by_group_run ON run_log (group_run_id) WHERE group_run_id IS NOT NULL;

-- Written once and never edited after it ends. Three exceptions: a module or a connection that is deleted lets go of its
-- runs, and an unknown merge is settled when the dest can be asked again. Nothing else may change along with them.
CREATE TRIGGER run_log_is_final BEFORE UPDATE ON run_log
WHEN OLD.finished_at IS NOT NULL AND (
    (NEW.module_id IS NOT NULL AND NEW.module_id IS NOT OLD.module_id)
    OR (NEW.dest_id IS NOT NULL AND NEW.dest_id IS NOT OLD.dest_id)
    OR (OLD.merge_state <> 'unknown' AND NEW.merge_state <> OLD.merge_state)
    OR (OLD.id, OLD.run_key, OLD.module, OLD.group_run_id, OLD.triggered_by, OLD.status, OLD.dry_run, OLD.attempt,
        OLD.fence, OLD.owner, OLD.lease_expires_at, OLD.cancel_requested, OLD.staging_table, OLD.dest_table,
        OLD.started_at, OLD.finished_at, OLD.rows_read, OLD.rows_staged, OLD.rows_deleted, OLD.rows_inserted,
        OLD.rows_updated, OLD.dest_rows_before, OLD.dest_rows_after, OLD.error_stage, OLD.stages_json,
        OLD.watermark_values_json, OLD.checks_json, OLD.hint, OLD.error, OLD.resolved_sql, OLD.staging_sql,
        OLD.merge_sql, OLD.stdout, OLD.stderr)
       IS NOT
       (NEW.id, NEW.run_key, NEW.module, NEW.group_run_id, NEW.triggered_by, NEW.status, NEW.dry_run, NEW.attempt,
        NEW.fence, NEW.owner, NEW.lease_expires_at, NEW.cancel_requested, NEW.staging_table, NEW.dest_table,
        NEW.started_at, NEW.finished_at, NEW.rows_read, NEW.rows_staged, NEW.rows_deleted, NEW.rows_inserted,
        NEW.rows_updated, NEW.dest_rows_before, NEW.dest_rows_after, NEW.error_stage, NEW.stages_json,
        NEW.watermark_values_json, NEW.checks_json, NEW.hint, NEW.error, NEW.resolved_sql, NEW.staging_sql,
        NEW.merge_sql, NEW.stdout, NEW.stderr))
BEGIN
    SELECT RAISE(ABORT, 'a run that has ended is not edited');
END;

-- The live log, appended in chunks so that a line costs the same at 10 MB as at 10 KB. `start` is where a chunk begins,
-- in characters from the log's beginning; a replaced tick leaves a gap, so that a place once read is never used again.
CREATE TABLE run_log_chunk (
    run_id     INTEGER NOT NULL REFERENCES run_log (id) ON DELETE CASCADE,
    start      INTEGER NOT NULL,
    text       TEXT NOT NULL,
    is_tick    INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (run_id, start)
) STRICT, WITHOUT ROWID;

CREATE VIEW run_live_log AS
SELECT run_id, group_concat(text, '') AS live_log
FROM (SELECT run_id, text FROM run_log_chunk ORDER BY run_id, start)
GROUP BY run_id;
