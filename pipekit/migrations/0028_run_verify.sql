-- Runs that compare a dest with its source: what was asked for (NULL where a load ends with it), and what was found.
-- Beside the run, as run_merge is.
CREATE TABLE run_verify (
    run_id      INTEGER PRIMARY KEY REFERENCES run_log (id) ON DELETE CASCADE,
    asked_json  TEXT,
    result_json TEXT
) STRICT;

-- What a full load ends with, once its merge is committed.
ALTER TABLE module ADD COLUMN verify TEXT NOT NULL DEFAULT 'off' CHECK (verify IN ('off', 'counts', 'sums', 'values'));
