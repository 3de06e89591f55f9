-- No id is given twice: an old page or script that names one can never mean what came after it.

CREATE TABLE last_id (
    table_name TEXT PRIMARY KEY,
    id         INTEGER NOT NULL
) STRICT;

CREATE TRIGGER connection_id_once AFTER DELETE ON connection BEGIN
    INSERT INTO last_id (table_name, id) VALUES ('connection', old.id)
    ON CONFLICT (table_name) DO UPDATE SET id = max(id, excluded.id);
END;

CREATE TRIGGER module_id_once AFTER DELETE ON module BEGIN
    INSERT INTO last_id (table_name, id) VALUES ('module', old.id)
    ON CONFLICT (table_name) DO UPDATE SET id = max(id, excluded.id);
END;

CREATE TRIGGER watermark_id_once AFTER DELETE ON watermark BEGIN
    INSERT INTO last_id (table_name, id) VALUES ('watermark', old.id)
    ON CONFLICT (table_name) DO UPDATE SET id = max(id, excluded.id);
END;

CREATE TRIGGER hook_id_once AFTER DELETE ON hook BEGIN
    INSERT INTO last_id (table_name, id) VALUES ('hook', old.id)
    ON CONFLICT (table_name) DO UPDATE SET id = max(id, excluded.id);
END;

CREATE TRIGGER grp_id_once AFTER DELETE ON grp BEGIN
    INSERT INTO last_id (table_name, id) VALUES ('grp', old.id)
    ON CONFLICT (table_name) DO UPDATE SET id = max(id, excluded.id);
END;

CREATE TRIGGER group_member_id_once AFTER DELETE ON group_member BEGIN
    INSERT INTO last_id (table_name, id) VALUES ('group_member', old.id)
    ON CONFLICT (table_name) DO UPDATE SET id = max(id, excluded.id);
END;

CREATE TRIGGER schedule_id_once AFTER DELETE ON schedule BEGIN
    INSERT INTO last_id (table_name, id) VALUES ('schedule', old.id)
    ON CONFLICT (table_name) DO UPDATE SET id = max(id, excluded.id);
END;

CREATE TRIGGER user_id_once AFTER DELETE ON user BEGIN
    INSERT INTO last_id (table_name, id) VALUES ('user', old.id)
    ON CONFLICT (table_name) DO UPDATE SET id = max(id, excluded.id);
END;

CREATE TRIGGER token_id_once AFTER DELETE ON token BEGIN
    INSERT INTO last_id (table_name, id) VALUES ('token', old.id)
    ON CONFLICT (table_name) DO UPDATE SET id = max(id, excluded.id);
END;
