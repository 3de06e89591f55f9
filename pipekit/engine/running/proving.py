# What a load may end with: once its merge is committed, the dest is held against the source. Changes nothing.
"""`prove`, a stage between merge and hooks."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from pipekit.engine.comparing.measures import (
    ROWS,
    Measured,
    compare,
    measure_dest,
    measure_source,
)
from pipekit.engine.comparing.measures import (
    describe as describe_measures,
)
from pipekit.engine.comparing.scope import find_scope, look_only
from pipekit.engine.comparing.telling import VERIFY, describe
from pipekit.engine.context import RunContext
from pipekit.engine.planning.plan import Plan, build_plan
from pipekit.engine.running.verifying import compare_sides, note, plan_within
from pipekit.errors import PipekitError, RunFailed
from pipekit.models import Module, Verified, Verify

_HINT = (
    "Either something has changed the dest, or the source has changed since its rows were read; `pipekit verify` looks"
    " again."
)
_MEANS = {
    "counts": "counts of rows alone, which see no value",
    "sums": "sums, least and greatest values and lengths, which do not see values that rows have exchanged",
}


def ends_with_proof(module: Module) -> bool:
    """Whether a load of the module ends with it, or with a word on why it does not."""
    return module.verify != "off"


def prove(context: RunContext, merged: None = None) -> None:
    """Raises RunFailed (stage `check`) where the dest does not hold what the source gives now; the merge stays.

    Of a load that leaves other rows in the dest its own rows are compared, those of this run's watermarks.
    """
    how, why = context.module.verify, _find_obstacle(context.module)
    if why:
        context.record.check(VERIFY, None, f"not made: {why}")
        return
    context.module = replace(look_only(context.module), deletes="none")
    ways: Mapping[str, Callable[[RunContext], Verified]] = {"values": _compare_values, "sums": _compare_sums}
    with _as_it_was(context):
        found = ways.get(how, _compare_counts)(context)
    note(context, found)
    if not found.equal:
        message = f"After the load {context.module.dest_table} differs from its source: {describe(found)}."
        raise RunFailed(message, stage="check", hint=_HINT)


def _find_obstacle(module: Module) -> str:
    if module.merge_strategy == "snapshot":
        return "snapshot keeps versions, which no source has"
    if module.merge_strategy != "full" and module.verify != "values":
        told = f"{module.merge_strategy} leaves other rows in the dest, of which {module.verify} would tell as well"
        return f"{told}; `verify: values` compares the rows of the run"
    return ""


@contextmanager
def _as_it_was(context: RunContext) -> Iterator[None]:
    """What the record says of rows and checks stays what the load has come to."""
    record = context.record
    kept = {name: record.get(name) for name in ("rows_read", "rows_staged", "staging_table")}
    checks = list(record.checks)
    try:
        yield
    except PipekitError as error:
        error.message = f"The dest could not be held against its source: {error.message}"
        raise
    finally:
        record.put(**kept)
        record.checks = checks


def _build(context: RunContext) -> tuple[Plan, str]:
    """The plan, and what of the two sides is compared."""
    values: Mapping[str, str] = context.record.get("watermark_values") or {}
    plan = build_plan(context, values)
    return plan, find_scope(plan.merge, "", values).told


def _compare_values(context: RunContext) -> Verified:
    values: Mapping[str, str] = context.record.get("watermark_values") or {}
    comparison = plan_within(context, build_plan(context, values), values, Verify())
    # A hash of the whole dest costs more than the few rows of a load that leaves others.
    return compare_sides(context, comparison, hashes=context.module.merge_strategy == "full").found


def _compare_counts(context: RunContext) -> Verified:
    plan, compared = _build(context)
    counted = measure_source(context, plan, ROWS)
    found = _tell(counted, measure_dest(context, plan, ROWS))
    return replace(found, means=_MEANS["counts"], compared=compared)


def _compare_sums(context: RunContext) -> Verified:
    plan, compared = _build(context)
    source = measure_source(context, plan)
    if not source.measures:
        raise RunFailed(f"The source could not be measured: {source.why}.", stage="check", hint="Use `verify: values`.")
    held = measure_dest(context, plan, source.measures)
    verdicts = compare(source, held)
    differing = [str(measure) for measure, verdict in verdicts if measure.column and verdict == "differs"]
    told = f"{', '.join(differing)} differ" if differing else describe_measures(plan, verdicts, "source and dest")
    # How many rows have that, no sum tells.
    found = replace(_tell(source, held), means=f"{_MEANS['sums']}: {told}", compared=compared)
    return replace(found, equal=False, differing=1) if differing else found


def _tell(source: Measured, held: tuple[str | None, ...]) -> Verified:
    """Rows that are too many or too few; their number is the first figure of both sides."""
    ours, theirs = int(source.cells[0] or 0), int(held[0] or 0)
    missing, extra = max(0, ours - theirs), max(0, theirs - ours)
    return Verified(equal=ours == theirs, rows_source=ours, rows_dest=theirs, missing=missing, extra=extra)
