-- A module may stand in a group once to be run, and once to be compared with its source.

CREATE TABLE group_member_new (
    id        INTEGER PRIMARY KEY,
    group_id  INTEGER NOT NULL REFERENCES grp (id) ON DELETE CASCADE,
    module_id INTEGER NOT NULL REFERENCES module (id) ON DELETE CASCADE,
    run_order INTEGER NOT NULL,
    verify    INTEGER NOT NULL DEFAULT 0,
    UNIQUE (group_id, module_id, verify)
) STRICT;
INSERT INTO group_member_new (id, group_id, module_id, run_order)
SELECT id, group_id, module_id, run_order FROM group_member;
DROP TABLE group_member;
ALTER TABLE group_member_new RENAME TO group_member;
CREATE INDEX group_member_by_module ON group_member (module_id);
CREATE TRIGGER group_member_id_once AFTER DELETE ON group_member BEGIN
    INSERT INTO last_id (table_name, id) VALUES ('group_member', old.id)
    ON CONFLICT (table_name) DO UPDATE SET id = max(id, excluded.id);
END;
