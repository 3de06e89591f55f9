# The one transaction that changes the dest. Knows the plan and the counts it must come to.
"""The merge step."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipekit.drivers.base import MergePlan
from pipekit.drivers.claims import Claim, expect_claim
from pipekit.engine.context import RunContext
from pipekit.engine.guarding.gone import note_gone
from pipekit.engine.planning.children import judge_children
from pipekit.engine.planning.creation import MADE, explain_clash, make_dest
from pipekit.engine.planning.dest_truth import (
    ROWS_AFTER,
    ROWS_BEFORE,
    build_growth,
    find_led_watermarks,
    judge_truth,
    say_fires,
)
from pipekit.engine.planning.indexes import is_of_rebuild, keep_indexes
from pipekit.engine.planning.past.gone import expect_keys
from pipekit.engine.planning.plan import Plan, build_merge_statements, replace_way
from pipekit.engine.planning.sequences import note_sequences
from pipekit.engine.recovering.ledger import drop_staging, is_same_key
from pipekit.engine.running.checks import COUNT_SWITCH, ONE_EACH
from pipekit.engine.running.direct import finish
from pipekit.engine.running.staging import Staged
from pipekit.engine.undoing.keeping import announce, note_kept
from pipekit.errors import Cancelled, CheckFailed, StatementFailed
from pipekit.runner_contract import Expect, Loaded, Statement

SHUT_OUT = "This run may no longer merge: it was taken for dead and the module has been freed since."
_IN_LEDGER = Expect(names=("ledger",), equals=1, message=SHUT_OUT)
FORGOTTEN = "The table that was loaded does not hold its rows any more, as after a crash; nothing was merged."
REPLACED = "The staging table is not the one this run has filled: somebody has replaced it; nothing was merged."
_HANDED_OVER = (
    "Rows that others refer to stay where they are; for a unique value to pass from one to another within a merge, its"
    " constraint must be DEFERRABLE."
)
_TWICE = "Choose a key that tells the rows of the dest apart, or take the repeated rows out of it."
# How a refusal says that a unique key is there already; MySQL has one SQLSTATE for all its constraints.
_UNIQUE = re.compile(
    r"23505|2601|2627|SQLITE_CONSTRAINT_(?:UNIQUE|PRIMARYKEY|ROWID)|23000 .*Duplicate entry", re.DOTALL
)


def merge(context: RunContext, staged: Staged) -> None:
    """Ledger row, merge and the check of its counts in one transaction; notes what changed."""
    plan, loaded = staged.plan, staged.loaded
    announce(context, plan.merge)
    context.record.save()
    # The last look: a cancelled run, or one whose lease is gone, does not begin its merge.
    if context.stop.is_set():
        raise Cancelled()
    if plan.load.before:
        counts = finish(context, plan, loaded, [_IN_LEDGER])
    else:
        counts = _execute_or_keep(context, plan, loaded)
    claim, context.claim = context.claim, None
    context.record.put(staging_left=False)
    if context.dest_driver.commits_ddl and claim is not None:
        _drop_staging(context, claim)
    if plan.create_sql:
        context.record.check(MADE, True, context.dest_driver.quote_table(plan.merge.dest))
    note_sequences(context, plan.merge, counts)
    figures = read_figures(plan.merge, counts, loaded.rows_staged)
    before = after = None
    if plan.merge.strategy == "full":
        before = counts.get("before", figures.deleted)
        after = figures.inserted + counts.get("matched", figures.updated)
    context.record.put(
        rows_deleted=figures.deleted,
        rows_inserted=figures.inserted,
        rows_updated=figures.updated,
        rows_unchanged=figures.unchanged,
        dest_rows_before=counts.get(ROWS_BEFORE, before),
        dest_rows_after=counts.get(ROWS_AFTER, after),
        merge_state="merged",
    )
    note_kept(context, plan.merge, counts)
    _note_harm(context, plan, counts, loaded)
    note_gone(context, plan, staged.keys, counts)


@dataclass(frozen=True, slots=True)
class Figures:
    """Rows of the dest that a merge has written, removed or left; None where nobody looks which are the same."""

    deleted: int
    inserted: int
    updated: int
    unchanged: int | None


def read_figures(merge: MergePlan, counts: Mapping[str, int], staged: int) -> Figures:
    """What a merge's counts mean. A swap counts no row that comes: all of them do."""
    if merge.history:
        inserted, ended = counts.get("inserted", 0), counts.get("changed", 0) + counts.get("ended", 0)
        return Figures(deleted=0, inserted=inserted, updated=ended, unchanged=staged - inserted)
    return Figures(
        deleted=counts.get("deleted", 0) + counts.get("gone", 0),
        inserted=counts.get("inserted", staged if merge.swap else 0),
        updated=counts.get("updated", 0),
        unchanged=_count_unchanged(merge, counts, staged),
    )


def _count_unchanged(merge: MergePlan, counts: Mapping[str, int], staged: int) -> int | None:
    """Rows that came again and were not written; with a row for each key at most, they are the rest."""
    if not merge.leaves:
        return None
    updated = counts.get("updated", 0)
    return counts["matched"] - updated if "matched" in counts else staged - updated - counts.get("inserted", 0)


def _execute_or_keep(context: RunContext, plan: Plan, loaded: Loaded) -> dict[str, int]:
    """Once more with the indexes kept, where making them anew was all that stood in the way of a merge.

    That is certain: the server has refused the lock, or a look inside the transaction, and rolled back.
    """
    try:
        return _execute(context, plan, loaded)
    except (CheckFailed, StatementFailed) as error:
        if not is_of_rebuild(context.dest_driver, plan.merge, error):
            raise
        told = error.message
    context.record.log(f"{told}\nmerging with the indexes kept\n")
    return _execute(context, replace_way(context, plan, *keep_indexes(plan.merge, told)), loaded)


def _execute(context: RunContext, plan: Plan, loaded: Loaded) -> dict[str, int]:
    """The transaction; what the dest refuses gets the mend that the plan knows."""
    statements = build_merge_statements(context, plan.merge, plan.create_sql, loaded.rows_staged)
    if plan.create_sql and context.dest_driver.commits_ddl:
        make_dest(context, plan)
    _make_turn_row(context, plan)
    run = context.runner.go_on if plan.merge.filled else context.runner.execute
    try:
        return {**loaded.counts, **run(context.dest, statements, _expectations(context, plan, loaded))}
    except CheckFailed as error:
        if led := find_led_watermarks(context, plan.merge, error.message):
            raise CheckFailed(error.message + led, hint=error.hint) from error
        raise
    except StatementFailed as error:
        if not context.dest_driver.commits_ddl:
            explain_clash(context, plan)
        if plan.merge.swap:
            error.message = context.dest_driver.name_fitted(plan.merge, error.message)
        error.hint = " ".join(filter(None, (_find_mend(plan, error), error.hint)))
        if plan.merge.rebuild:
            error.message = context.dest_driver.tell_rebuilt(error.message)
        raise


def _make_turn_row(context: RunContext, plan: Plan) -> None:
    """It may be there by now: another run into the same dest made it."""
    sql = context.dest_driver.build_turn_row_sql(plan.merge)
    try:
        if sql:
            context.runner.execute(context.dest, [Statement(sql=sql)])
    except StatementFailed as error:
        if not is_same_key(error):
            raise


def _find_mend(plan: Plan, error: StatementFailed) -> str:
    """What a unique key that was broken by the merge asks for; of foreign keys the driver tells which side it is."""
    if not _UNIQUE.match(f"{error.sqlstate} {error.message}"):
        return ""
    if plan.merge.keeps:
        return _HANDED_OVER
    return ONE_EACH if plan.merge.strategy == "incremental" else ""


def _note_harm(context: RunContext, plan: Plan, counts: Mapping[str, int], loaded: Loaded) -> None:
    """The receipt's lines on other tables and on what fired."""
    driver = context.dest_driver
    for check in (
        judge_children(driver, plan.merge, counts),
        judge_truth(driver, plan.merge, counts, loaded.rows_staged),
        judge_children(driver, plan.merge.absent, counts) if plan.merge.absent else None,
    ):
        if check:
            led = "" if check.ok else find_led_watermarks(context, plan.merge)
            context.record.check(check.name, check.ok, check.detail + (f".{led}" if led else ""))


def _drop_staging(context: RunContext, claim: Claim) -> None:
    """After the commit: a staging table that stays is removed later."""
    try:
        drop_staging(context.runner, context.dest_driver, context.dest, claim)
    except StatementFailed as error:
        context.record.put(staging_left=True)
        context.record.log(f"staging was not removed: {error.message}\n")


def _expectations(context: RunContext, plan: Plan, loaded: Loaded) -> list[Expect]:
    merge, staged = plan.merge, loaded.rows_staged
    expect = [_IN_LEDGER, expect_claim()]
    if context.dest_driver.build_mark_check_sql(merge.staging, context.run.run_key):
        expect.append(Expect(names=("mark",), equals=1, message=REPLACED))
    if context.module.guards.dest_truth:
        expect += build_growth(context.dest_driver, merge, staged)
    expect += expect_keys(merge)
    if merge.swap:
        expect.append(Expect(names=("arrived",), equals=int(staged > 0), message=FORGOTTEN, hint="Run it again."))
    expect += expect_counts(context, merge, staged)
    return [*expect, *_expect_previewed(context, merge)]


def _expect_previewed(context: RunContext, merge: MergePlan) -> Iterator[Expect]:
    """That the merge does what was looked at. What fires may leave rows alone, and a swap counts none that come."""
    if context.merged is None or merge.fires:
        return
    looked_at, run = context.merged.preview.counts, context.merged.run
    told = () if merge.absent and merge.absent.fires else ("gone", "marked")
    for name in ("deleted", "updated", "inserted", "matched", "changed", "ended", *told):
        if name in looked_at and not (merge.swap and name == "inserted"):
            message = (
                f"{{got}} rows are {name}, but {{equals}} were to be when run {run.id} looked: the dest has changed."
            )
            hint = "Nothing was merged. Preview it again."
            yield Expect(names=(name,), equals=looked_at[name], message=message, hint=hint)


def expect_counts(context: RunContext, merge: MergePlan, staged: int) -> list[Expect]:
    """That what the merge counts is the staged rows, where that must be so and nobody has switched it off.

    Rows of a swap are counted by COPY alone, those of a dest that is filled as they come. Where the dest's own key has
    a row for each staged one, each is written or unchanged.
    """
    # Of what SQLite mends, rows that are equal already are in no count; the dest is looked at afterwards.
    mends = merge.mends and merge.strategy == "full" and not merge.keeps
    counted = not (mends or merge.swap or merge.filled or merge.history or (merge.leaves and merge.unique))
    adds_up = counted and not _looks_at_rows(context, merge)
    return [_expect_count(merge, staged)] if adds_up and context.module.guards.count_truth else []


def _looks_at_rows(context: RunContext, merge: MergePlan) -> bool:
    """Whether the rows themselves are compared: what fires may leave an equal row alone, which no count is of."""
    if not merge.fires or not context.module.guards.dest_truth:
        return False
    look = context.dest_driver.build_look(merge)
    grows = merge.strategy != "append" or bool(context.dest_driver.build_present_sql(merge))
    return look is not None and look.whole and grows


def _expect_count(merge: MergePlan, staged: int) -> Expect:
    names, hint = ["inserted"], COUNT_SWITCH
    why = f"; {say_fires(merge)}" if merge.fires else ""
    if merge.strategy == "upsert" or merge.keeps:
        names.append("matched" if merge.leaves else "updated")
    if merge.strategy == "upsert" and not merge.fires:
        why = "; the dest holds a merge key more than once, or the key does not decide a row"
        hint = f"{_TWICE} {COUNT_SWITCH}"
    changed = " and ".join(names)
    message = f"{changed.capitalize()} rows add up to {{got}}, but {{equals}} were staged{why}."
    return Expect(names=tuple(names), equals=staged, message=message, hint=hint)
