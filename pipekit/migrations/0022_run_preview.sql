-- Runs that only look at what their merge would do, and runs that merge what such a one has staged (`merges`). What was
-- found, sample rows included, lies here and goes with the run. While `kept_until` stands, the staging table is kept.
CREATE TABLE run_preview (
    run_id     INTEGER PRIMARY KEY REFERENCES run_log (id) ON DELETE CASCADE,
    merges     INTEGER,
    found_json TEXT,
    kept_until TEXT
) STRICT;
CREATE INDEX run_preview_kept ON run_preview (kept_until) WHERE kept_until IS NOT NULL;
