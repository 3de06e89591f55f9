-- What modules said from each of their changes on, as a definition file has it.
CREATE TABLE module_version (
    id         INTEGER PRIMARY KEY,
    module_id  INTEGER NOT NULL REFERENCES module (id) ON DELETE CASCADE,
    number     INTEGER NOT NULL,
    at         TEXT NOT NULL,
    -- NULL: as it was found before its first change that was kept.
    user       TEXT,
    restores   INTEGER,
    definition TEXT NOT NULL,
    UNIQUE (module_id, number)
) STRICT;
CREATE INDEX module_version_by_time ON module_version (at);

-- The audit trail without what people ran, which is most of it.
CREATE INDEX audit_of_changes ON audit (id) WHERE action NOT IN ('run', 'cancel');
