-- The queue, group runs that drive it, schedules' fires, and the one server of a state file.

-- How many runs may use a connection at once, as source or as dest; NULL = as many as there are slots.
ALTER TABLE connection ADD COLUMN max_runs INTEGER CHECK (max_runs > 0);

-- How many members of equal run_order may run side by side, and whether schedules and starts are held back.
ALTER TABLE grp ADD COLUMN parallel INTEGER NOT NULL DEFAULT 1 CHECK (parallel > 0);
ALTER TABLE grp ADD COLUMN paused INTEGER NOT NULL DEFAULT 0;

ALTER TABLE group_run ADD COLUMN parallel INTEGER NOT NULL DEFAULT 1;
ALTER TABLE group_run ADD COLUMN cancel_requested INTEGER NOT NULL DEFAULT 0;
CREATE INDEX group_run_alive ON group_run (status, id);

-- Whether a schedule that was missed (the program was down) fires once when it is back.
ALTER TABLE schedule ADD COLUMN catch_up INTEGER NOT NULL DEFAULT 1;
-- When it was made, changed or enabled: times before are not due. NULL = from the first look at it.
ALTER TABLE schedule ADD COLUMN active_from TEXT;

-- One row for each due time, written in the transaction that makes its group run, before anything starts.
CREATE TABLE schedule_fire (
    id           INTEGER PRIMARY KEY,
    schedule_id  INTEGER NOT NULL REFERENCES schedule (id) ON DELETE CASCADE,
    due_at       TEXT NOT NULL,
    outcome      TEXT NOT NULL CHECK (outcome IN ('fired', 'catch_up', 'skipped', 'missed')),
    reason       TEXT,
    group_run_id INTEGER REFERENCES group_run (id) ON DELETE SET NULL,
    recorded_at  TEXT NOT NULL,
    UNIQUE (schedule_id, due_at)
) STRICT;
CREATE INDEX schedule_fire_by_group_run ON schedule_fire (group_run_id) WHERE group_run_id IS NOT NULL;

-- What is old is found without a walk through what is not.
CREATE INDEX run_log_by_end ON run_log (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX group_run_by_end ON group_run (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX schedule_fire_by_time ON schedule_fire (recorded_at);

-- The server that works on this file; a second one refuses to start while the lease is alive.
CREATE TABLE server (
    id               INTEGER PRIMARY KEY CHECK (id = 1),
    owner            TEXT NOT NULL,
    lease_expires_at TEXT NOT NULL,
    started_at       TEXT NOT NULL,
    address          TEXT
) STRICT;
