-- Registered drivers, and how a module reads fixed-length text.

-- What the jar was when it was registered: one that is another since is not loaded.
ALTER TABLE driver ADD COLUMN jar_sha256 TEXT;

-- Whether the trailing blanks of CHAR columns are dropped as the source is read.
ALTER TABLE module ADD COLUMN trim_char INTEGER NOT NULL DEFAULT 0;
