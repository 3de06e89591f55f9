-- When a connection was last tested, what answered, and why it did not.

CREATE TABLE connection_seen (
    connection_id INTEGER PRIMARY KEY REFERENCES connection (id) ON DELETE CASCADE,
    worked_at     TEXT,
    product       TEXT NOT NULL DEFAULT '',
    failed_at     TEXT,
    problem       TEXT NOT NULL DEFAULT ''
);
