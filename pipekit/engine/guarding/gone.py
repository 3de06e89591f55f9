# The guards on rows that are gone from the source, asked before the merge: how many would go. Merges nothing.
"""`keep_keys` and `judge_gone`, and what the receipt says of them afterwards."""

from collections.abc import Mapping
from dataclasses import replace
from typing import NoReturn

from pipekit.drivers.base import MergePlan
from pipekit.engine.context import RunContext
from pipekit.engine.planning.past.gone import DELETES, set_keys
from pipekit.engine.planning.past.history import HISTORY
from pipekit.engine.planning.plan import Plan
from pipekit.errors import RunFailed
from pipekit.runner_contract import Loaded, Statement

_EMPTY_HINT = (
    "See why the source gives no keys; with `guards: {empty_source: false}` on the module all these rows would go."
)
_SHRINK_HINT = "See what the source has lost; a lower share in `guards: {shrink: ...}` would let these rows go."
_BAD = "Mend these keys in the source; without `deletes` on the module nothing is taken for gone."
_OTHER_HINT = (
    "A watermark's default must be the value of a first run, which gives all rows; or name a query of the keys:"
    " `deleting: {keys: ...}` on the module."
)


def keep_keys(context: RunContext, plan: Plan, loaded: Loaded, keys: Loaded | None) -> Plan:
    """Adds the staged keys to those that are there. Raises RunFailed where those are no keys of the same rows."""
    if plan.create_sql or plan.merge.absent is None or keys is None:
        return plan
    return replace(plan, merge=set_keys(plan.merge, _keep_staged(context, plan.merge, loaded, keys)))


def judge_gone(context: RunContext, plan: Plan, loaded: Loaded, keys: Loaded | None) -> None:
    """Raises RunFailed when too many rows would go. Of a dest that keeps versions, those whose keys are gone end."""
    merge, driver = plan.merge, context.dest_driver
    if plan.create_sql or (merge.absent and keys is None):
        return
    gone = driver.get_ended(merge) if merge.history else merge.absent
    if gone is None:
        return
    asked = (f"SELECT COUNT(*) {driver.build_gone_rows(gone)}", driver.build_present_count_sql(gone))
    going, present = (int(found.first_cell() or 0) for found in context.runner.look(context.dest, asked))
    if context.module.guards.empty_source and not (keys or loaded).rows_staged and going:
        told = f"{going} of {present} rows of {merge.dest} would be {_say(context)}"
        _fail(context, f"The source gave no {'keys' if keys else 'rows'}: {told}.", _EMPTY_HINT)
    _check_share(context, gone, going, present)


def _keep_staged(context: RunContext, merge: MergePlan, loaded: Loaded, keys: Loaded) -> int:
    """Looks at the keys that came, and adds the staged ones; how many the table of keys then holds."""
    absent, driver = merge.absent, context.dest_driver
    assert absent is not None
    if keys.rows_read != keys.rows_staged:
        _fail(context, f"The source delivered {keys.rows_read} keys, but {keys.rows_staged} arrived.", "Run it again.")
    if keys.bad_values:
        told = "; ".join(f"{column}: {what}" for column, what in keys.bad_values.items())
        _fail(context, f"Of some keys the source could not give the value ({told}): their rows would seem gone.", _BAD)
    if loaded.rows_staged and keys.rows_staged:
        sql = driver.build_known_count_sql(absent, merge.staging)
        _check_same_source(context, int(context.ask_dest()(sql).first_cell() or 0), loaded, keys)
    kept = Statement(sql=driver.build_keep_sql(absent, merge.staging), name="kept")
    return keys.rows_staged + context.runner.execute(context.dest, [kept])["kept"]


def _check_same_source(context: RunContext, known: int, loaded: Loaded, keys: Loaded) -> None:
    """Keys of which the rows that just came have none are not those of the same rows."""
    if not known:
        message = (
            f"Of {loaded.rows_staged} rows that were just read, the keys that the source was then asked for have none"
            f" ({keys.rows_staged} keys): they are not the keys of the same rows, and nothing is deleted by them."
        )
        _fail(context, message, _OTHER_HINT)


def _say(context: RunContext) -> str:
    if context.module.merge_strategy == "snapshot":
        return "ended"
    return "marked" if context.module.deletes == "mark" else "deleted"


def _check_share(context: RunContext, absent: MergePlan, going: int, present: int) -> None:
    share, told = context.module.guards.shrink, f"{going} of {present} rows of {absent.dest}"
    if share is None:
        return
    if present - going < present * share:
        context.record.check("shrink", False, f"{told} are gone")
        left = f"which leaves less than the set share of {share:g}"
        _fail(context, f"{told} are gone from the source and would be {_say(context)}, {left}.", _SHRINK_HINT)
    context.record.check("shrink", True, f"{told} are gone")


def _fail(context: RunContext, message: str, hint: str) -> NoReturn:
    context.record.check(HISTORY if context.module.merge_strategy == "snapshot" else DELETES, False, message)
    raise RunFailed(message, stage="check", hint=hint)


def note_gone(context: RunContext, plan: Plan, keys: Loaded | None, counts: Mapping[str, int]) -> None:
    """The receipt's line, and the number of rows that were marked."""
    absent, read = plan.merge.absent, plan.keys
    if plan.merge.history:
        told = (
            f"{counts.get('inserted', 0)} versions began; {counts.get('changed', 0)} ended as their rows have changed"
        )
        by = f", by keys read by {read.told}" if read else ""
        told = f"{told}, {counts.get('ended', 0)} as their keys are gone{by}"
        context.record.check(HISTORY, True, told)
        return
    if absent is None or absent.gone is None or read is None:
        return
    within = f" that meet {absent.gone.scope}" if absent.gone.scope else ""
    if absent.gone.mark:
        context.record.put(rows_marked=counts.get("marked", 0))
        told = (
            f"{counts.get('marked', 0)} rows{within} marked in {absent.gone.mark}, {counts.get('unmarked', 0)} are back"
        )
    else:
        told = f"{counts.get('gone', 0)} rows{within} deleted"
    told += f"; {keys.rows_staged} keys read by {read.told}" if keys else "; by the keys that the preview has read"
    still = counts.get("still there", 0)
    if still:
        told += f"; {still} are still there as before: {', '.join(absent.fires)}"
    context.record.check(DELETES, not still, told)
