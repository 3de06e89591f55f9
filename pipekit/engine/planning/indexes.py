# Whether the indexes of a dest are made anew after a run's rows, and why not. Decides, builds no SQL and moves nothing.
"""`settle_way`, asked when it is known how many rows have come, and by a dry run before."""

from dataclasses import replace

from pipekit.drivers.base import Driver, MergePlan
from pipekit.drivers.facts import Rebuild
from pipekit.engine.context import RunContext
from pipekit.engine.planning.loading import Loading
from pipekit.errors import CheckFailed, StatementFailed

KEPT = "indexes are kept: "
# From here on making three indexes anew took half as long as keeping them up, on PostgreSQL 18; at 10,000 rows the gain
# was 40 ms.
LEAST_ROWS = 50_000
_FEW = f"making them anew pays from {LEAST_ROWS:,} rows on"
_FOUND = "rows are found by them"


def settle_way(context: RunContext, loading: Loading, merge: MergePlan, rows: int | None) -> tuple[Loading, MergePlan]:
    """The way into the dest, and the merge by it, for so many staged rows; None expects as many as the dest holds."""
    if loading.way != "staged" or not context.dest_driver.can_rebuild:
        return loading, merge
    if context.module.load == "staged":
        return keep_indexes(merge, "the module says `load: staged`")
    return _weigh(context, merge, rows)


def is_of_rebuild(driver: Driver, merge: MergePlan, error: CheckFailed | StatementFailed) -> bool:
    """Whether a merge failed, and was rolled back, only because it would have made indexes anew."""
    rebuild = merge.rebuild
    if rebuild is None or merge.filled:
        return False
    if isinstance(error, CheckFailed):
        return rebuild.unchanged is not None and error.message == rebuild.unchanged.refusal
    return merge.strategy != "full" and error.sqlstate == driver.busy_state


def keep_indexes(merge: MergePlan, why: str) -> tuple[Loading, MergePlan]:
    """The merge that leaves them alone."""
    return Loading(why=f"{KEPT}{why}"), replace(merge, rebuild=None)


def _weigh(context: RunContext, merge: MergePlan, rows: int | None) -> tuple[Loading, MergePlan]:
    obstacle = _find_obstacle(merge)
    if not obstacle and rows is not None and rows < LEAST_ROWS:
        obstacle = _FEW
    if obstacle:
        return keep_indexes(merge, obstacle)
    found = context.dest_driver.find_rebuild(context.ask_dest(), merge.dest)
    if why := judge_rebuild(merge, found, found.rows if rows is None else rows):
        return keep_indexes(merge, why)
    when = f"as {rows:,} rows came" if rows is not None else f"if at least {LEAST_ROWS:,} come"
    if merge.leaves:
        merge = replace(merge, leaves=False, at_once=False, obstacle="twice as many come as are there")
    return Loading(why=tell_rebuild(found, when)), replace(merge, rebuild=found)


def _find_obstacle(merge: MergePlan) -> str:
    """What of the merge itself needs the indexes while rows come, or keeps readers from waiting."""
    if merge.strategy in ("upsert", "snapshot") or merge.keeps:
        return _FOUND
    if merge.strategy == "full" and not merge.can_truncate:
        return "the dest is emptied by DELETE"
    if merge.referring:
        return "other rows refer to it"
    return f"{merge.fires[0]} may read by them" if merge.fires else ""


def judge_rebuild(merge: MergePlan, found: Rebuild, rows: int) -> str:
    """Why indexes are kept though so many rows come, `""` where they are not."""
    if found.obstacle:
        return found.obstacle
    if not found.names:
        return "; ".join(f"{name}, as {why}" for name, why in found.kept)
    if rows < LEAST_ROWS:
        return _FEW
    if merge.leaves and rows < 2 * found.rows:
        return _FOUND
    if merge.strategy != "full" and rows < found.rows:
        return f"{rows:,} rows are fewer than about {found.rows:,} that are there"
    return ""


def tell_rebuild(found: Rebuild, when: str) -> str:
    """The receipt's words for it."""
    kept = "".join(f"; {name} is kept, as {why}" for name, why in found.kept)
    return f"indexes are made anew after the rows, {when}: {', '.join(found.names)}{kept}"
