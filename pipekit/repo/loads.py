# Which runs bring a module's rows, and which only look, compare or take back. SQL text; knows no run.
"""`build_load_condition`: for what is said of a module by its runs: whether it fails, and when it last was good."""


def build_load_condition(run: str) -> str:
    """A condition on a row of run_log by its alias: it is no dry run, no comparison by itself, takes nothing back,
    changes no column.

    A comparison that finds everything equal does not make a load good that failed before.
    """
    return f"""NOT {run}.dry_run
        AND NOT EXISTS (SELECT 1 FROM run_verify WHERE run_id = {run}.id AND asked_json IS NOT NULL)
        AND NOT EXISTS (SELECT 1 FROM undo_asked WHERE run_id = {run}.id)
        AND NOT EXISTS (SELECT 1 FROM column_change WHERE run_id = {run}.id)"""
