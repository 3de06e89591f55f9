# The plan of a run: looks at both sides' columns, then pure text. Moves nothing.
"""`Plan`: everything a run will do, as text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from pipekit.drivers.baddata import check_bad_data, check_query_timeout
from pipekit.drivers.base import Driver, MergePlan, TableColumn, TableFacts, TableName
from pipekit.drivers.claims import build_hold_sql, build_look_sql, build_release_sql
from pipekit.engine.context import RunContext, build_claim
from pipekit.engine.planning.children import build_child_counts
from pipekit.engine.planning.columns import ColumnMatch, check_translated
from pipekit.engine.planning.design import Design, design_dest, stage_made_types
from pipekit.engine.planning.dest import find_dest, look_at_dest, settle_plan
from pipekit.engine.planning.dest_truth import build_looks_after, build_looks_before
from pipekit.engine.planning.direct import build_finish, build_onward, check_direct, find_blank, find_onward
from pipekit.engine.planning.drift.columns import match_drift, settle_drift
from pipekit.engine.planning.error_position import find_error_position
from pipekit.engine.planning.indexes import LEAST_ROWS, settle_way
from pipekit.engine.planning.keyed import judge_keyed, settle_search
from pipekit.engine.planning.keys import find_merge_key
from pipekit.engine.planning.loading import Loading, choose_way, note_loading
from pipekit.engine.planning.past.gone import (
    KeysRead,
    build_looks_after_gone,
    build_looks_before_gone,
    forget_moment,
    plan_gone,
)
from pipekit.engine.planning.past.history import plan_history
from pipekit.engine.planning.sequences import build_sequence_statements, find_sequences, moves_sequences
from pipekit.engine.record import join_sql
from pipekit.engine.undoing.keeping import keep_images
from pipekit.engine.watermarks.places import find_unmatched_placeholders
from pipekit.engine.watermarks.resolve import fill_placeholders
from pipekit.engine.watermarks.spelling import check_spelling
from pipekit.errors import Invalid, RunnerError
from pipekit.runner_contract import Load, LoadColumn, ResultColumn, Statement


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What a run will do. `create_sql`, which makes the dest, and `undo_sql` are empty when the table is there.

    `keys` says how the keys that are there are read, where rows that are gone from the source are looked for.
    `alter_sql` changes the dest's columns before rows move.
    """

    resolved_sql: str
    source_sql: str
    create_sql: tuple[str, ...]
    undo_sql: tuple[str, ...]
    staging_sql: tuple[str, ...]
    load: Load
    merge: MergePlan
    merge_sql: tuple[Statement, ...]
    columns: ColumnMatch
    loading: Loading
    keys: KeysRead | None = None
    alter_sql: tuple[str, ...] = ()


def plan_load(context: RunContext, values: Mapping[str, str]) -> Plan:
    """The plan step: what the run will do with these values of its watermarks, noted in its record."""
    plan = build_plan(context, values)
    note_plan(context, plan)
    check_spelling(context, values)
    return plan


def build_plan(context: RunContext, values: Mapping[str, str]) -> Plan:
    """Looks at the source query's and the dest table's columns and writes down what the run will do."""
    module, driver = context.module, context.dest_driver
    resolved = fill_placeholders(module.source_query, values)
    for name in find_unmatched_placeholders(module.source_query, values):
        context.record.log(f"note: {{{name}}} in the query is no watermark of the module and stays as it is\n")
    for note in context.source_driver.find_notes(resolved):
        context.record.log(f"note: {note}\n")
    dest = find_dest(context)
    source_columns = _look_at_source(context, resolved)
    facts = look_at_dest(context, dest)
    design = _design_dest(context, dest, source_columns, resolved, facts)
    drift = settle_drift(context, dest, source_columns, design.columns if facts.exists else None)
    design = replace(design, columns=drift.columns or design.columns)
    match = stage_made_types(match_drift(context, drift, design.columns), design)
    asked = MergePlan(
        strategy=module.merge_strategy,
        staging=driver.staging_table(module.name),
        dest=dest,
        columns=match.columns,
        key=find_merge_key(context, match),
        null_keys=module.guards.null_keys,
        sequences=() if design.create_sql else find_sequences(context, dest, match),
        moves_sequences=moves_sequences(module),
        whole=_is_whole(match, design.columns),
        unfed=match.unfed,
        mends=context.mends,
    )
    loading = choose_way(context, asked, facts)
    merge = replace(asked, swap=loading.swap) if loading.swap else settle_plan(driver, asked, facts)
    if loading.way == "direct":
        loading, merge = check_direct(context, loading, merge)
    elif blank := find_blank(context, merge, facts, resolved):
        loading, merge = blank
    elif context.run.dry_run and not design.create_sql:
        loading, merge = _foretell_way(context, loading, merge)
    merge, keys = plan_history(context, merge, design.columns, values)
    if not merge.history:
        merge, keys = plan_gone(context, merge, facts, design.columns, values)
    merge = keep_images(context, merge, design.columns, not design.create_sql)
    is_direct = loading.way == "direct"
    load = _build_direct_load(context, merge, loading) if is_direct else _build_load(context, merge)
    return Plan(
        resolved_sql=resolved,
        source_sql=_cut_to_columns(context, resolved, match),
        create_sql=design.create_sql,
        undo_sql=design.undo_sql,
        staging_sql=() if is_direct else build_staging_statements(context, merge),
        load=load,
        merge=merge,
        merge_sql=(
            build_finish(context, merge) if is_direct else build_merge_statements(context, merge, design.create_sql)
        ),
        columns=match,
        loading=loading,
        keys=keys,
        alter_sql=drift.alter_sql,
    )


def _is_whole(match: ColumnMatch, dest: Sequence[TableColumn]) -> bool:
    """Whether the query gives every column that the dest takes, in the dest's order."""
    return [item.dest.name for item in match.columns] == [column.name for column in dest if not column.generated]


def _look_at_source(context: RunContext, resolved: str) -> list[ResultColumn]:
    """The source query's columns; what the source refuses of the query is recorded with the place it names."""
    _check_bad_data(context)
    context.record.put(resolved_sql=resolved)
    try:
        columns = context.source_driver.introspect_query_columns(context.ask_source(), resolved)
    except RunnerError as error:
        context.record.put(error_position=find_error_position(error, resolved))
        raise
    if context.module.translate:
        check_translated(context.module.translate, columns)
        context.record.log(f"note: read in these code pages (CCSID): {context.module.translate}\n")
    if not context.module.trim_char:
        return columns
    return [replace(column, type=context.source_driver.trimmed_type(column.type)) for column in columns]


def _check_bad_data(context: RunContext) -> None:
    """A module's source may have become another kind since it was saved, and jrunner reads in a way of its own."""
    check_bad_data(context.source_driver, context.module.bad_data)
    check_query_timeout(context.source_driver, context.module.query_timeout_s)
    if context.module.bad_data != "refuse" and not context.runner.sees_values:
        message = "jrunner reads the rows itself: it cannot make NULL of values that the source cannot give."
        raise Invalid(
            message, field="bad_data", hint="Leave `bad_data` out, or let Pipekit's own runner move the rows."
        )


def build_stage_sql(driver: Driver, plan: Plan) -> tuple[str, ...]:
    """Makes staging, in one transaction.

    A dest that is missing is made for it and taken away before the commit: staging has the types of its columns, and
    what stands in the way of making it is known before rows move.
    """
    if not plan.create_sql or driver.commits_ddl:
        return plan.staging_sql
    return (*plan.create_sql, *plan.staging_sql, *plan.undo_sql)


def build_merge_statements(
    context: RunContext, merge: MergePlan, create_sql: Sequence[str] = (), rows: int | None = None
) -> tuple[Statement, ...]:
    """The merge's one transaction: ledger row (with the rows that are staged, once known), claim, merge, staging's end.

    A dest that is missing is made first, where that can be rolled back. Around the merge stand the looks at what it
    does to others and at what became of its rows. Where a DROP would commit before the counts are checked, staging is
    dropped after it.
    """
    driver, guards, absent = context.dest_driver, context.module.guards, merge.absent
    claim = build_claim(context.run, context.instance, merge.staging)
    statements = (
        *driver.build_ledger_sql(replace(context.ledger_entry, rows=rows)),
        build_hold_sql(driver, claim),
        *driver.build_mark_check_sql(merge.staging, claim.run_key),
        *(Statement(sql=sql) for sql in create_sql if not driver.commits_ddl),
        *driver.build_turn_sql(merge),
        *build_child_counts(driver, merge, guards.children),
        *build_looks_before_gone(driver, absent, guards),
        *build_looks_before(driver, merge),
        *driver.build_changes_sql(merge),
        *build_looks_after_gone(driver, absent, guards),
        *build_looks_after(driver, merge, guards.dest_truth),
        *build_sequence_statements(driver, merge),
    )
    used = (merge.staging, absent.staging) if absent else (merge.staging,)
    drops = (Statement(sql=driver.build_drop_table_sql(table)) for table in used)
    return statements if driver.commits_ddl else (*statements, *drops, build_release_sql(driver, claim))


def sign_plan(plan: Plan) -> str:
    """A digest of what was found of the query's columns and of the dest; not of where its rows are staged."""
    nowhere = TableName(schema=None, name="")
    merge = replace(plan.merge, staging=nowhere, rebuild=None, leaves=False, at_once=False, obstacle="", undo=None)
    merge = forget_moment(replace(merge, apart=False))
    return sha256(repr((plan.create_sql, merge)).encode(errors="surrogatepass")).hexdigest()


def settle_load(context: RunContext, plan: Plan, rows: int) -> Plan:
    """The plan by which so many staged rows are merged; what is new is noted in the run's record."""
    if plan.create_sql:
        return plan
    loading, merge = settle_way(context, plan.loading, plan.merge, rows)
    merge = settle_search(context, merge, rows)
    if plan.loading.detour and rows >= LEAST_ROWS:
        loading = replace(loading, why=f"{loading.why}; {plan.loading.detour}")
    return replace_way(context, plan, loading, merge)


def _foretell_way(context: RunContext, loading: Loading, merge: MergePlan) -> tuple[Loading, MergePlan]:
    """For a dry run: the way of as many rows as the dest holds, and what would become of more."""
    loading, merge = settle_way(context, loading, merge, None)
    if find_onward(context, merge).merge is None:
        return loading, merge
    told = f"what comes behind {LEAST_ROWS:,} rows would go straight into the dest"
    return replace(loading, why=f"{loading.why}; {told}"), merge


def plan_onward(context: RunContext, plan: Plan) -> tuple[Plan, Plan | None]:
    """The plan, which says why where all of many rows are staged, and the one by which they go on into the dest."""
    if plan.create_sql or plan.loading.way != "staged" or context.run.preview:
        return plan, None
    way = find_onward(context, plan.merge)
    if way.merge is None:
        return replace(plan, loading=replace(plan.loading, detour=way.why)), None
    loading = Loading(way="direct", why=f"behind {LEAST_ROWS:,} rows that were staged; {way.why}")
    onward = build_onward(context, way.merge)
    merge = replace(way.merge, filled=True)
    gone = replace(
        plan,
        load=replace(plan.load, onward=onward),
        merge=merge,
        merge_sql=(*onward.statements, *build_merge_statements(context, merge)),
        loading=loading,
    )
    return plan, gone


def note_gone_on(context: RunContext, plan: Plan) -> Plan:
    """The plan of `plan_onward` once rows have gone on by it."""
    context.record.put(merge_sql=join_sql([statement.sql for statement in plan.merge_sql]))
    _note_way(context, plan.loading, plan.merge)
    return plan


def replace_way(context: RunContext, plan: Plan, loading: Loading, merge: MergePlan) -> Plan:
    """The same plan with another way into the dest, noted in the run's record."""
    _note_way(context, loading, merge)
    if merge == plan.merge:
        return replace(plan, loading=loading)
    statements = build_merge_statements(context, merge, plan.create_sql)
    context.record.put(merge_sql=join_sql([statement.sql for statement in statements]))
    return replace(plan, loading=loading, merge=merge, merge_sql=statements)


def replace_staging(context: RunContext, plan: Plan, staging: TableName) -> Plan:
    """The same plan with another staging table."""
    merge = replace(plan.merge, staging=staging)
    if merge.absent:
        merge = replace(merge, absent=replace(merge.absent, staging=context.dest_driver.name_keys(staging)))
    return replace(
        plan,
        staging_sql=build_staging_statements(context, merge),
        load=_build_load(context, merge),
        merge=merge,
        merge_sql=build_merge_statements(context, merge, plan.create_sql),
    )


def stage_after_all(context: RunContext, plan: Plan) -> Plan:
    """The plan for a dest that is not blank any more, noted in the run's record."""
    context.record.log(f"note: {plan.merge.dest} is not empty any more: its rows are staged\n")
    merge = replace(plan.merge, blank=False)
    staged = replace_staging(context, replace(plan, merge=merge, loading=Loading()), merge.staging)
    note_plan(context, staged)
    return staged


def build_staging_statements(context: RunContext, merge: MergePlan) -> tuple[str, ...]:
    """Makes the staging table anew and marks it as this run's."""
    driver = context.dest_driver
    if merge.swap:
        made = driver.build_swap_table_sql(merge)
    else:
        made = driver.build_staging_sql(merge.staging, merge.dest, merge.columns)
    absent = merge.absent
    keys = driver.build_staging_sql(absent.staging, absent.dest, absent.columns) if absent else ()
    return (*made, *driver.build_mark_sql(merge.staging, context.run.run_key), *keys)


def _design_dest(
    context: RunContext, dest: TableName, source: Sequence[ResultColumn], resolved: str, facts: TableFacts
) -> Design:
    """The dest as it is, or as it is made if it is missing."""
    if facts.exists:
        return Design(columns=context.dest_driver.get_columns(context.ask_dest(), dest))
    return design_dest(context, dest, source, resolved)


def _cut_to_columns(context: RunContext, sql: str, match: ColumnMatch) -> str:
    if not match.ignored:
        return sql
    return context.source_driver.build_select_columns_sql(sql, [item.source.name for item in match.columns])


def build_keys_load(context: RunContext, plan: Plan) -> Load:
    """Where the keys that are there go; their table is held by the claim of the other one."""
    assert plan.merge.absent is not None
    return replace(_build_load(context, plan.merge.absent), claim_sql=plan.load.claim_sql)


def _build_load(context: RunContext, merge: MergePlan) -> Load:
    columns = tuple(
        LoadColumn(
            source_name=item.source.name,
            source_type=item.source.type,
            stage_name=item.dest.name,
            stage_type=item.stage_type or item.dest.type,
            checked=item.checked,
        )
        for item in merge.columns
    )
    driver = context.dest_driver
    look = build_look_sql(driver, build_claim(context.run, context.instance, merge.staging))
    table, exact = driver.quote_table(merge.staging), context.module.guards.exactness
    return Load(table=table, columns=columns, exact=exact, claim_sql=look)


def _build_direct_load(context: RunContext, merge: MergePlan, loading: Loading) -> Load:
    """Into the dest itself, which nobody else fills: it is locked."""
    driver = context.dest_driver
    return replace(
        _build_load(context, merge),
        table=driver.quote_table(merge.dest),
        claim_sql="",
        before=driver.build_emptying_sql(merge),
        freezes=loading.freezes,
    )


def note_plan(context: RunContext, plan: Plan) -> None:
    """Puts the plan's text into the run record."""
    made_before = plan.create_sql if context.dest_driver.commits_ddl else ()
    before = [statement.sql for statement in plan.load.before]
    fitting = context.dest_driver.build_fitting_sql(plan.merge) if plan.merge.swap else ()
    context.record.put(
        resolved_sql=plan.resolved_sql,
        staging_sql=join_sql([*plan.alter_sql, *before, *build_stage_sql(context.dest_driver, plan), *fitting]),
        merge_sql=join_sql([*made_before, *(statement.sql for statement in plan.merge_sql)]),
        dest_table=context.dest_driver.write_table(plan.merge.dest),
        staging_table=None if before else str(plan.merge.staging),
    )
    note_columns(context, plan)
    _note_way(context, plan.loading, plan.merge)


def note_columns(context: RunContext, plan: Plan) -> None:
    """The receipt's line on how the query's columns meet the dest's."""
    unfed = f"; not fed: {', '.join(plan.columns.unfed)}" if plan.columns.unfed else ""
    ignored = f"; not loaded: {', '.join(plan.columns.ignored)}" if plan.columns.ignored else ""
    count = len(plan.columns.columns)
    meet = "1 column meets" if count == 1 else f"{count} columns meet"
    is_made = context.module.guards.column_truth
    off = "" if is_made else "; whether all do is switched off"
    context.record.check("columns", True if is_made else None, f"{meet}{unfed}{ignored}{off}")


def _note_way(context: RunContext, loading: Loading, merge: MergePlan) -> None:
    note_loading(context, loading)
    if keyed := judge_keyed(context.dest_driver, merge):
        context.record.check(keyed.name, keyed.ok, keyed.detail)
