-- Where people log in from, and how far a token reaches.

-- An address or a network of one; guesses that come from elsewhere do not keep anybody out who comes from here.
CREATE TABLE login_place (
    user_id INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    place   TEXT NOT NULL,
    last_at TEXT NOT NULL,
    PRIMARY KEY (user_id, place)
) STRICT;

-- NULL, as tokens of earlier versions have it: the owner's role, and no end.
ALTER TABLE token ADD COLUMN role TEXT CHECK (role IN ('viewer', 'operator', 'admin'));
ALTER TABLE token ADD COLUMN expires_at TEXT;

-- Logins that are old are removed, nothing else of the trail.
CREATE INDEX audit_logins ON audit (kind, at) WHERE kind = 'login';
