-- What the pages ask often is answered from indexes alone.

-- The last day's strip counts ends and failures without a look at the rows.
CREATE INDEX run_log_ends ON run_log (finished_at, status) WHERE finished_at IS NOT NULL;

-- Which modules failed the last time they ended.
DROP INDEX run_log_by_module;
CREATE INDEX run_log_by_module ON run_log (module_id, id, status);

-- When a group was last good, however often it failed since.
CREATE INDEX group_run_good ON group_run (group_id, id) WHERE status = 'success';
