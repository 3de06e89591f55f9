# Rows that go straight into the dest: whether they may, and the text around them. Decides; moves nothing.
"""`check_direct`, `find_blank` and `build_finish`. What is checked on staging elsewhere is told by counts, or refused
here.

`find_onward`: the first rows of a load are staged, and when it turns out to be a large one the others go straight on.
"""

from dataclasses import dataclass, replace

from pipekit.drivers.base import MergePlan, TableFacts
from pipekit.engine.context import RunContext
from pipekit.engine.planning.indexes import KEPT, LEAST_ROWS, judge_rebuild, tell_rebuild
from pipekit.engine.planning.loading import MEND, Loading
from pipekit.engine.planning.sequences import build_sequence_statements
from pipekit.errors import RunFailed, StatementFailed
from pipekit.models.expecting import find_staging_need
from pipekit.runner_contract import Onward, Statement

# From so many rows on it is worth asking what else there is than writing them twice.
LEAST_EXPECTED = 100_000


def check_direct(context: RunContext, loading: Loading, merge: MergePlan) -> tuple[Loading, MergePlan]:
    """The merge with the indexes that are made anew. Raises RunFailed (stage `plan`) where rows need staging."""
    if obstacle := _find_obstacle(context, merge):
        message = f"{merge.dest} cannot be loaded by `load: direct`: {obstacle}."
        raise RunFailed(message, stage="plan", hint=MEND)
    found = context.dest_driver.find_rebuild(context.ask_dest(), merge.dest)
    # How many rows come is not known when the indexes would go: a dest without any is taken for one that gets many.
    kept = judge_rebuild(merge, found, found.rows or LEAST_ROWS)
    told = f"{KEPT}{kept}" if kept else tell_rebuild(found, "as the dest is emptied first")
    loading = replace(loading, why=f"{loading.why}; {told}", freezes=found.plain)
    return loading, replace(merge, rebuild=None if kept else found)


def find_blank(context: RunContext, merge: MergePlan, facts: TableFacts, sql: str) -> tuple[Loading, MergePlan] | None:
    """The way without staging into a dest that has nothing to lose, where many rows are expected; None where not.

    Nobody sees a row before the commit, and nobody waits: nothing is emptied.
    """
    if not facts.blank or facts.fires or not _may_go_straight(context, merge):
        return None
    try:
        rows = context.source_driver.estimate_rows(context.ask_source(), sql) or 0
    except StatementFailed:
        return None  # what is wrong with the query is said when it is read
    if rows < LEAST_EXPECTED:
        return None
    why = f"as the dest is empty and has no index, and about {rows:,} rows are expected"
    return Loading(way="direct", why=why), replace(merge, blank=True)


def _may_go_straight(context: RunContext, merge: MergePlan) -> bool:
    """What is looked at before it is merged is staged; what is to be taken back is kept beside an emptied dest."""
    run, module = context.run, context.module
    is_staged = run.preview or run.merges_preview is not None or module.undo_runs is not None
    is_staged = is_staged or merge.mends or bool(find_staging_need(module))
    return module.load == "auto" and merge.strategy == "full" and not is_staged and not _find_obstacle(context, merge)


def build_finish(context: RunContext, merge: MergePlan, rows: int | None = None) -> tuple[Statement, ...]:
    """What ends the transaction in which the rows have come: ledger row, indexes, sequences."""
    driver = context.dest_driver
    return (
        *driver.build_ledger_sql(replace(context.ledger_entry, rows=rows)),
        *driver.build_filled_sql(merge),
        *build_sequence_statements(driver, replace(merge, staging=merge.dest)),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Way:
    """Whether rows may go on into the dest: the `merge` that what is staged then begins, None where all are staged.

    `why` is told of it, and empty where nobody would expect it.
    """

    merge: MergePlan | None = None
    why: str = ""


def find_onward(context: RunContext, merge: MergePlan) -> Way:
    """Looks at a dest that is there. Its indexes are made anew as for so many rows as are waited for."""
    driver = context.dest_driver
    if not driver.can_go_on or context.module.load != "auto" or merge.strategy not in ("full", "append"):
        return Way()
    if obstacle := _find_detour(context, merge) or driver.find_onward_obstacle(context.ask_dest()):
        return Way(why=f"all rows are staged first, as {obstacle}")
    found = driver.find_rebuild(context.ask_dest(), merge.dest)
    if merge.strategy == "append" and found.names and found.rows > LEAST_ROWS:
        return Way(why="all rows are staged first, as their number decides whether indexes are made anew")
    kept = judge_rebuild(merge, found, LEAST_ROWS)
    told = f"{KEPT}{kept}" if kept else tell_rebuild(found, "as so many came")
    return Way(merge=replace(merge, rebuild=None if kept else found), why=told)


def build_onward(context: RunContext, merge: MergePlan) -> Onward:
    """How the rows go on behind those that a merge begins with."""
    driver = context.dest_driver
    return Onward(
        after=LEAST_ROWS,
        table=driver.quote_table(merge.dest),
        statements=driver.build_onward_sql(merge),
        held_sql=driver.build_count_sql(merge) if merge.strategy == "full" else "",
        filled=driver.list_filled(merge.columns),
    )


def _find_detour(context: RunContext, merge: MergePlan) -> str:
    if not context.runner.sees_values:
        return "jrunner commits what it moves"
    if context.module.undo_runs is not None:
        return "what the run changes is kept so that it can be taken back"
    if need := find_staging_need(context.module):
        return need
    if merge.fires:
        return f"what {merge.fires[0]} makes of the rows can only be seen beside staging"
    if merge.referring:
        return f"rows of {merge.referring[0].child} refer to the dest, and what they would lose is seen beside staging"
    cast = next((column.dest for column in merge.columns if column.stage_type is not None), None)
    return f"{cast.name} is staged as another type than {cast.type}" if cast else ""


def _find_obstacle(context: RunContext, merge: MergePlan) -> str:
    if not context.runner.sees_values:
        return "jrunner commits what it moves"
    if merge.fires:
        return f"what {merge.fires[0]} makes of the rows can only be seen beside staging"
    if not context.module.guards.truncate:
        return "the module's `guards: {truncate: false}` keeps it from being truncated"
    if not merge.can_truncate:
        return "it cannot be truncated (a right, row security, a publication, or other tables that refer to it)"
    casts = [column for column in merge.columns if column.stage_type is not None]
    if casts:
        told = ", ".join(f"{column.dest.name} ({column.source.type} into {column.dest.type})" for column in casts)
        return f"values must be compared with what the dest makes of them: {told}. Cast them in the query"
    return ""
