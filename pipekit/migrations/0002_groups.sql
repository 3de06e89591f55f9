-- Groups of modules, their runs and their schedules.

CREATE TABLE grp (
    id      INTEGER PRIMARY KEY,
    name    TEXT NOT NULL UNIQUE COLLATE NOCASE,
    enabled INTEGER NOT NULL DEFAULT 1
) STRICT;

CREATE TABLE group_member (
    id        INTEGER PRIMARY KEY,
    group_id  INTEGER NOT NULL REFERENCES grp (id) ON DELETE CASCADE,
    module_id INTEGER NOT NULL REFERENCES module (id) ON DELETE CASCADE,
    run_order INTEGER NOT NULL,
    UNIQUE (group_id, module_id)
) STRICT;
CREATE INDEX group_member_by_module ON group_member (module_id);

CREATE TABLE schedule (
    id            INTEGER PRIMARY KEY,
    group_id      INTEGER NOT NULL REFERENCES grp (id) ON DELETE CASCADE,
    cron          TEXT NOT NULL,
    enabled       INTEGER NOT NULL DEFAULT 1,
    last_fired_at TEXT,
    UNIQUE (group_id, cron)
) STRICT;

CREATE TABLE group_run (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    group_id     INTEGER REFERENCES grp (id) ON DELETE SET NULL,
    group_name   TEXT NOT NULL,
    status       TEXT NOT NULL
                 CHECK (status IN ('queued', 'running', 'success', 'dry_run', 'error', 'cancelled')),
    triggered_by TEXT NOT NULL,
    started_at   TEXT,
    finished_at  TEXT
) STRICT;
CREATE INDEX group_run_by_group ON group_run (group_id, id);
