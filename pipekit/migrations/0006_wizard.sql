-- The wizard's drafts, and where in its SQL a run failed.

-- What a person has typed into the wizard and not yet made. `draft_key` is what the wizard's forms carry.
CREATE TABLE wizard_draft (
    user_id    INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    draft_key  TEXT NOT NULL,
    title      TEXT NOT NULL,
    step       TEXT NOT NULL CHECK (step IN ('tables', 'columns', 'sql', 'dest')),
    form_json  TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (user_id, draft_key)
) STRICT;

-- The character of a run's `resolved_sql`, from 1, at which the source saw the fault, where it said so. Beside the run,
-- not in it: a column behind the long texts of its row would be slow to reach.
CREATE TABLE run_fault (
    run_id   INTEGER PRIMARY KEY REFERENCES run_log (id) ON DELETE CASCADE,
    position INTEGER NOT NULL
) STRICT;
