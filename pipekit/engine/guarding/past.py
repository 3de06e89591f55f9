# A run held against its module's own past before the merge: rows, bytes, NULLs by column. Changes nothing itself.
"""`check_usual`: warns or refuses, as the module says."""

from collections.abc import Iterator
from datetime import UTC, datetime

from pipekit.engine.context import RunContext
from pipekit.engine.guarding.usual import LEAST_RUNS, Usual, find_usual_bytes, find_usual_rows, find_usual_shares
from pipekit.engine.planning.plan import Plan
from pipekit.errors import RunFailed
from pipekit.runner_contract import Loaded

_NAME = "usual"
_HINT = "See what the source has gained or lost; `guards: {usual: warn}` would let such rows in, and only say so."
_BY_HAND = "not made: the values of watermarks were given by hand"


def check_usual(context: RunContext, plan: Plan, loaded: Loaded) -> None:
    """Notes in the record what is not as usual; raises RunFailed (stage `check`) for it where the module stops.

    Until there are ten good runs nothing is usual.
    """
    level, past = context.module.guards.usual, context.past
    if level == "off" or context.run.module_id is None:
        return
    read, staged = loaded.rows_read, loaded.rows_staged
    nulls = _count_nulls(context, plan) if level in ("warn", "stop") and not plan.load.before else {}
    if context.overrides and context.merged is None:
        context.record.check(_NAME, None, _BY_HAND)
        return
    if nulls:
        context.record.keep_nulls(nulls)
    if loaded.bytes is not None:
        context.record.keep_bytes(loaded.bytes, loaded.format)
    now = datetime.now(UTC)
    rows = find_usual_rows(past, now)
    if rows is None:
        if level != "rows":
            context.record.check(
                _NAME, None, f"not made: {len(past)} of {LEAST_RUNS} good runs that tell what is usual"
            )
        return
    odd = [*_judge_rows(rows, read), *_judge_bytes(rows, find_usual_bytes(past, now, loaded.format), loaded)]
    odd += [*_judge_nulls(nulls, find_usual_shares(past, now, staged), staged)]
    if not odd:
        context.record.check(_NAME, True, f"{read:,} rows; usual are {_tell(rows)}")
        return
    message = "; ".join(odd)
    context.record.check(_NAME, False, message)
    if level == "stop":
        raise RunFailed(f"This run is not like the good ones before it: {message}.", stage="check", hint=_HINT)


def _count_nulls(context: RunContext, plan: Plan) -> dict[str, int]:
    """One look at all rows of staging, for the columns that may be NULL."""
    names = [column.dest.name for column in plan.merge.columns if column.dest.nullable]
    if not names:
        return {}
    driver = context.dest_driver
    counted = ", ".join(f"COUNT({driver.quote_identifier(name)})" for name in names)
    sql = f"SELECT COUNT(*), {counted} FROM {driver.quote_table(plan.merge.staging)}"
    every, *each = (int(cell or 0) for cell in context.runner.query(context.dest, sql).rows[0])
    return {name: every - count for name, count in zip(names, each, strict=True)}


def _judge_rows(usual: Usual, read: int) -> Iterator[str]:
    if not usual.holds(read):
        yield f"the source gave {read:,} rows; usual are {_tell(usual)}"


def _judge_bytes(rows: Usual, usual: Usual | None, loaded: Loaded) -> Iterator[str]:
    """Where as many rows as ever are much larger or smaller than ever; with other rows there are other bytes."""
    if usual and loaded.bytes is not None and rows.holds(loaded.rows_read) and not usual.holds(loaded.bytes):
        yield f"its {loaded.rows_read:,} rows are {loaded.bytes:,} bytes; usual are {_tell(usual)}"


def _judge_nulls(nulls: dict[str, int], usual: dict[str, Usual], staged: int) -> Iterator[str]:
    for name, count in nulls.items():
        share, range_ = count / staged if staged else 0.0, usual.get(name)
        if not staged or range_ is None or range_.holds(share):
            continue
        what = "all NULL" if count == staged else f"NULL in {share:.1%} of its rows"
        yield f"{name} is {what}; usual are {range_.low:.1%} to {range_.high:.1%} (by {range_.by})"


def _tell(usual: Usual) -> str:
    return f"{usual.low:,.0f} to {usual.high:,.0f} (by {usual.by})"
