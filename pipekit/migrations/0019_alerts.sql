-- Who is told when something goes wrong, of what, and what was told.
CREATE TABLE alert_channel (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    kind TEXT NOT NULL CHECK (kind IN ('mail', 'webhook', 'apprise')),
    -- What the kind needs to know. Secrets stand in it by name only.
    settings_json TEXT NOT NULL DEFAULT '{}',
    enabled INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
    worked_at TEXT,
    -- Since when nothing could be sent, why, how often it was tried, and when it is tried again.
    failing_since TEXT,
    error TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_try_at TEXT
) STRICT;

CREATE TABLE alert_rule (
    id INTEGER PRIMARY KEY,
    channel_id INTEGER NOT NULL REFERENCES alert_channel (id) ON DELETE CASCADE,
    events_json TEXT NOT NULL,
    -- Neither: of every module and group.
    group_id INTEGER REFERENCES grp (id) ON DELETE CASCADE,
    module_id INTEGER REFERENCES module (id) ON DELETE CASCADE,
    after_failures INTEGER NOT NULL DEFAULT 1 CHECK (after_failures >= 1),
    -- HH:MM, local time; what happens between them waits for the second.
    quiet_from TEXT,
    quiet_until TEXT,
    enabled INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1))
) STRICT;
CREATE INDEX alert_rule_channel ON alert_rule (channel_id);

-- What there is to tell, or was told. A message tells all of a channel's that are due.
CREATE TABLE alert (
    id INTEGER PRIMARY KEY,
    rule_id INTEGER REFERENCES alert_rule (id) ON DELETE SET NULL,
    channel_id INTEGER NOT NULL REFERENCES alert_channel (id) ON DELETE CASCADE,
    event TEXT NOT NULL,
    -- module:3, group:2
    subject TEXT NOT NULL,
    -- Alerts of one cause are told together.
    cause TEXT NOT NULL DEFAULT '',
    facts_json TEXT NOT NULL,
    made_at TEXT NOT NULL,
    due_at TEXT NOT NULL,
    told_at TEXT,
    dropped INTEGER NOT NULL DEFAULT 0 CHECK (dropped IN (0, 1))
) STRICT;
CREATE INDEX alert_waiting ON alert (channel_id, due_at) WHERE told_at IS NULL AND NOT dropped;
CREATE INDEX alert_made ON alert (made_at, id);
CREATE INDEX alert_subject ON alert (rule_id, subject, id);

-- Runs and group runs that ended and were not looked at yet, whichever process ended them.
CREATE TABLE alert_ended (
    id INTEGER PRIMARY KEY,
    run_id INTEGER REFERENCES run_log (id) ON DELETE CASCADE,
    group_run_id INTEGER REFERENCES group_run (id) ON DELETE CASCADE
) STRICT;
CREATE INDEX alert_ended_run ON alert_ended (run_id);
CREATE INDEX alert_ended_group_run ON alert_ended (group_run_id);

CREATE TRIGGER alert_run_ended AFTER UPDATE OF status ON run_log
WHEN OLD.status IN ('queued', 'running') AND NEW.status IN ('success', 'error', 'cancelled')
    AND EXISTS (SELECT 1 FROM alert_rule WHERE enabled)
BEGIN
    INSERT INTO alert_ended (run_id) VALUES (NEW.id);
END;

ALTER TABLE grp ADD COLUMN heartbeat TEXT NOT NULL DEFAULT '';

CREATE TRIGGER alert_group_run_ended AFTER UPDATE OF status ON group_run
WHEN OLD.status = 'running' AND NEW.status = 'success'
    AND EXISTS (SELECT 1 FROM grp WHERE id = NEW.group_id AND heartbeat <> '')
BEGIN
    INSERT INTO alert_ended (group_run_id) VALUES (NEW.id);
END;

ALTER TABLE module ADD COLUMN fresh_within_s INTEGER NOT NULL DEFAULT 0;
