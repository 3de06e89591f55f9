-- Sessions of a run that can be told from others on their system, such as the jobs of an IBM i. Beside the run, not in it:
-- a column behind the long texts of its row would be slow to reach.
CREATE TABLE run_session (
    run_id        INTEGER PRIMARY KEY REFERENCES run_log (id) ON DELETE CASCADE,
    sessions_json TEXT NOT NULL
) STRICT;
