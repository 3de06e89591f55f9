# The guards between staging and merge. Each one looks, says its verdict, and refuses with the switch that turns it off.
"""Checks: counts, keys, exactness, an empty source and a shrinking dest."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NoReturn

from pipekit.engine.comparing.measures import (
    Measure,
    Measured,
    Verdict,
    compare,
    describe,
    measure_source,
    measure_staging,
)
from pipekit.engine.context import RunContext
from pipekit.engine.guarding.expected import check_expected
from pipekit.engine.guarding.gone import judge_gone, keep_keys
from pipekit.engine.guarding.past import check_usual
from pipekit.engine.planning.indexes import LEAST_ROWS
from pipekit.engine.planning.plan import Plan, settle_load
from pipekit.engine.running.fitting import fit
from pipekit.engine.running.staging import Staged
from pipekit.errors import ConnectFailed, RunFailed, StatementFailed
from pipekit.runner_contract import Loaded, Statement

# A switch is named with what it would do, never as the mend.
EXACT_SWITCH = "`guards: {exactness: false}` on the module would let the dest change such values."
COUNT_SWITCH = "With `guards: {count_truth: false}` on the module rows would be missing, or too many."
NULL_HINT = "Choose a key without NULLs; with `guards: {null_keys: true}` they would match each other."
EMPTY_HINT = "See why the source is empty; with `guards: {empty_source: false}` the dest would be emptied."
SHRINK_HINT = "See what the source has lost; a lower share in `guards: {shrink: ...}` would let these rows go."
BLANK_HINT = "Blanks fill up char(n) in the source; `trim_char: true` on the module reads the key without them."
PADDED_HINT = "The dest has the key with the blanks that `trim_char` drops; without that switch they match."
ONE_OF_EACH = "This strategy needs one row for each key: choose one that tells these rows apart."
ONE_EACH = (
    "A unique key of the dest takes one row for each key. Where keys may repeat, drop it and make an index instead."
)
# Of a value that is told as an example.
LONGEST_EXAMPLE = 1_000


def run_checks(context: RunContext, staged: Staged) -> Staged:
    """Runs every check that concerns the module, and settles how the rows that have come are merged.

    Raises RunFailed (stage `check`) at the first check that fails.
    """
    plan, loaded = staged.plan, staged.loaded
    check_arrived(context, staged)
    check_before_merge(context, staged, loaded.rows_staged)
    with _asking("usual"):
        check_usual(context, plan, loaded)
    if plan.merge.absent or plan.merge.history:
        staged = keep_keys_that_are_there(context, staged)
        plan = staged.plan
        with _asking("deletes"):
            judge_gone(context, plan, loaded, staged.keys)
    if plan.merge.swap and context.merged is None:
        fit(context, plan)
    return replace(staged, plan=settle_load(context, plan, loaded.rows_staged))


def keep_keys_that_are_there(context: RunContext, staged: Staged) -> Staged:
    """Looks at the keys that the source has, and adds the staged ones to them. Raises as `run_checks`."""
    if staged.plan.merge.absent is None:
        return staged
    with _asking("deletes"):
        _check_keys_that_are_there(context, staged)
        return replace(staged, plan=keep_keys(context, staged.plan, staged.loaded, staged.keys))


def check_arrived(context: RunContext, staged: Staged) -> None:
    """The checks that all rows have come as they were. Raises as `run_checks`."""
    _check_counts(context, staged)
    # First, as keys are compared as what the dest makes of them.
    with _asking("exact"):
        _check_exactness(context, staged)
    if staged.source is not None:
        with _asking("sums"):
            _check_sums(context, staged.plan, staged.source)


def check_before_merge(context: RunContext, staged: Staged, rows: int) -> None:
    """The checks of what a merge would do, where `rows` are all that the source has, staged or not. Raises as above."""
    with _asking("keys"):
        _check_keys(context, staged.plan, rows)
    check_expected(context, staged.plan)
    if staged.plan.merge.strategy == "full":
        with _asking("not empty"):
            _check_full(context, staged.plan, replace(staged.loaded, rows_staged=rows))


@contextlib.contextmanager
def _asking(name: str) -> Iterator[None]:
    """Says of a check that could not be made that it was not made; what time can cure is tried again as ever."""
    try:
        yield
    except (StatementFailed, ConnectFailed) as error:
        error.message = f"The check '{name}' could not be made: {error.message}"
        raise


def _fail(context: RunContext, name: str, message: str, hint: str) -> NoReturn:
    context.record.check(name, False, message)
    raise RunFailed(message, stage="check", hint=hint)


def _check_counts(context: RunContext, staged: Staged) -> None:
    read, arrived = staged.loaded.rows_read, staged.loaded.rows_staged
    if read != arrived:
        message = f"The source delivered {read} rows, but staging holds {arrived}."
        if context.module.guards.count_truth:
            _fail(context, "counts", message, f"Run it again. {COUNT_SWITCH}")
        context.record.check("counts", False, message)
    else:
        whose = "read" if staged.source is None else "read by jrunner's account"
        where = "loaded" if staged.plan.load.before or staged.plan.merge.filled else "staged"
        context.record.check("counts", True, f"{whose} = {where} = {arrived}")


def _check_sums(context: RunContext, plan: Plan, source: Measured) -> None:
    """What the source said before the rows moved; where staging says otherwise, it is asked whether it has changed."""
    if not source.measures:
        context.record.check("sums", None, f"not made: {source.why}")
        return
    arrived = measure_staging(context, plan, source.measures)
    found = compare(source, arrived)
    differing = _list_differing(context, found)
    if differing:
        after = measure_source(context, plan)
        if after.cells == source.cells:
            _refuse_sums(context, found[differing[0]][0], source.cells[differing[0]], arrived[differing[0]])
        found = compare(after, arrived) if after.measures == source.measures else found
        differing = _list_differing(context, found)
    if differing:
        context.record.check("sums", None, "not made: the source's rows changed while they were read")
    else:
        context.record.check("sums", True, describe(plan, found))


def _list_differing(context: RunContext, found: Sequence[tuple[Measure, Verdict]]) -> list[int]:
    counts = context.module.guards.count_truth
    return [i for i, (measure, verdict) in enumerate(found) if verdict == "differs" and (counts or measure.column)]


def _refuse_sums(context: RunContext, measure: Measure, before: str | None, arrived: str | None) -> NoReturn:
    message = f"In the source {measure} is {before}, in staging {arrived}"
    hint = f"Widen the dest column, or cast in the query. {EXACT_SWITCH}"
    if measure.figure == "rows":
        hint = f"Run it again. {COUNT_SWITCH}"
    _fail(context, "sums", f"{message}: jrunner, its drivers or the dest changed what was moved.", hint)


def _check_keys(context: RunContext, plan: Plan, rows: int) -> None:
    if plan.merge.keeps:
        _check_row_key(context, plan)
    key = ", ".join(plan.merge.key)
    if not key:
        return

    driver = context.dest_driver
    is_repeated_refused = plan.merge.strategy in ("upsert", "snapshot") or (plan.merge.leaves and plan.merge.unique)
    asked = [] if plan.merge.null_keys else [driver.build_null_key_sql(plan.merge)]
    is_proved = is_repeated_refused and rows >= LEAST_ROWS and _has_proof(context, plan)
    asked += [driver.build_repeated_key_sql(plan.merge)] if is_repeated_refused and not is_proved else []
    found = iter(context.runner.look(context.dest, asked, longest=LONGEST_EXAMPLE) if asked else [])
    if not plan.merge.null_keys:
        count, example = next(found).rows[0]
        if int(count or 0):
            message = f"{count} staged rows have a NULL in the merge key ({key}), for example {example}."
            _fail(context, "keys", message, NULL_HINT)
    checked = [] if plan.merge.null_keys else [f"no NULL in {key}"]
    if is_repeated_refused:
        checked.append(f"no {key} twice")
        count, example = ("0", None) if is_proved else next(found).rows[0]
        if int(count or 0):
            message = f"{count} merge keys ({key}) stand more than once in the staged rows, for example {example}."
            _fail(context, "keys", message, ONE_OF_EACH if plan.merge.strategy != "incremental" else ONE_EACH)
    _check_blank_keys(context, plan, key)
    if plan.merge.null_keys:
        told = "; ".join([*checked, f"NULLs match in {key}, by its switch"])
        context.record.check("keys", True if checked else None, told)
    else:
        context.record.check("keys", True, "; ".join(checked))


def _has_proof(context: RunContext, plan: Plan) -> bool:
    """Whether the dest's server has found each key once; what it cannot do says nothing of the keys."""
    sql = context.dest_driver.build_proof_sql(plan.merge)
    try:
        if sql:
            context.runner.execute(context.dest, [Statement(sql=sql)])
    except StatementFailed:
        return False
    return bool(sql)


def _check_blank_keys(context: RunContext, plan: Plan, key: str) -> None:
    """Rows that were loaded with, or without, the blanks that fill up char(n) must not be taken for others now."""
    padded = [
        column.dest.name
        for column in plan.merge.columns
        if column.dest.name in plan.merge.key
        and context.dest_driver.to_neutral(column.dest.under or column.dest.type).name == "text"
        and (context.module.trim_char or context.source_driver.to_neutral(column.source.type).name == "char")
    ]
    sql = context.dest_driver.build_blank_key_sql(plan.merge, padded) if padded and not plan.create_sql else ""
    if not sql:
        return
    count, example = context.runner.look(context.dest, [sql], longest=LONGEST_EXAMPLE)[0].rows[0]
    if int(count or 0):
        dest = plan.merge.dest
        message = f"{count} rows of {dest} have a staged key ({key}) but for blanks at its end, for example {example}."
        _fail(context, "keys", message, BLANK_HINT if not context.module.trim_char else PADDED_HINT)


def _check_keys_that_are_there(context: RunContext, staged: Staged) -> None:
    """A key that the dest would change, or that differs by blanks at its end, would make a row of it seem gone."""
    absent = staged.plan.merge.absent
    assert absent is not None
    by_keys = replace(staged, plan=replace(staged.plan, merge=absent))
    _check_exactness(context, by_keys)
    _check_blank_keys(context, by_keys.plan, ", ".join(absent.key))


def _check_row_key(context: RunContext, plan: Plan) -> None:
    """Rows are told apart by a unique key of the dest: twice in staging it would fail, or one row would be lost."""
    by_row = replace(plan.merge, key=plan.merge.row_key, null_keys=False)
    count, example = context.ask_dest()(context.dest_driver.build_repeated_key_sql(by_row)).rows[0]
    if int(count or 0):
        key, dest = ", ".join(by_row.key), plan.merge.dest
        message = f"{count} values of {key} stand more than once in the staged rows, for example {example}."
        _fail(context, "keys", message, f"{key} is a unique key of {dest}: each row needs one of its own.")


def _check_exactness(context: RunContext, staged: Staged) -> None:
    plan = staged.plan
    if not context.module.guards.exactness:
        context.record.check("exact", None, "switched off")
        return
    for column, sql in context.dest_driver.build_exactness_sql(plan.merge):
        try:
            found = context.runner.query(context.dest, sql, limit=1, longest=LONGEST_EXAMPLE)
        except StatementFailed as error:
            if error.transient or not context.dest_driver.is_of_a_value(error.sqlstate):
                raise
            message = f"A value cannot be stored in the column '{column}' of {plan.merge.dest}: {error.message}"
            _fail(context, "exact", message, "Give the dest column a type that holds the value.")
        if found.rows:
            row, value = found.rows[0][:2]
            dest = plan.merge.dest
            message = f"Row {row}: the value {value!r} cannot be stored exactly in the column '{column}' of {dest}."
            _fail(context, "exact", message, _find_exact_hint(context, plan, column, value or ""))
    if context.runner.sees_values:
        context.record.check("exact", True, "every value fits")
    else:
        context.record.check("exact", None, "not made: jrunner converts values by itself, and nobody looks at each")


def _find_exact_hint(context: RunContext, plan: Plan, column: str, value: str) -> str:
    source = next((item.source for item in plan.merge.columns if item.dest.name == column), None)
    if source and value.endswith(" ") and context.source_driver.to_neutral(source.type).name == "char":
        return f"Blanks fill up {source.type}; `trim_char: true` on the module reads it without them."
    return f"Widen the dest column. {EXACT_SWITCH}"


def _check_full(context: RunContext, plan: Plan, loaded: Loaded) -> None:
    guards = context.module.guards
    is_asked = guards.shrink is not None or (guards.empty_source and not loaded.rows_staged)
    # What came into the dest itself has emptied it already, and counted.
    counted = loaded.counts.get("before", loaded.counts.get("deleted"))
    old = counted if counted is not None else _count_dest(context, plan) if is_asked else 0
    if guards.empty_source and not loaded.rows_staged and old:
        message = f"The source gave no rows, and {plan.merge.dest} holds {old}: a full load would empty it."
        _fail(context, "not empty", message, EMPTY_HINT)
    if loaded.rows_staged or guards.empty_source:
        context.record.check("not empty", True, f"{loaded.rows_staged} rows")
    else:
        context.record.check("not empty", None, "no rows; switched off")
    if guards.shrink is None:
        return
    if loaded.rows_staged < old * guards.shrink:
        left = f"{loaded.rows_staged} of {old} rows"
        message = f"The load would leave {left}, less than the set share of {guards.shrink:g}."
        _fail(context, "shrink", message, SHRINK_HINT)
    context.record.check("shrink", True, f"{loaded.rows_staged} after {old}")


def _count_dest(context: RunContext, plan: Plan) -> int:
    if plan.create_sql:
        return 0
    return int(context.ask_dest()(context.dest_driver.build_count_sql(plan.merge)).first_cell() or 0)
