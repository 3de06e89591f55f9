# Dest rows whose key the source no longer has: how the keys are read, which rows are meant. Decides, moves nothing.
"""`plan_gone`, for `deletes: hard` and `deletes: mark`.

The keys that are there are read behind the rows, by a query of their own: the module's own one with each watermark at
its default, as in a first run, unless the module names another. Keys that were staged count as there too, so that what
came or moved between the two reads is never taken for gone; what went between them goes with the next run.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from pipekit.drivers.base import Driver, MergePlan, StagedColumn, TableColumn, TableFacts
from pipekit.drivers.facts import Event, Gone
from pipekit.drivers.foreseen import Rows
from pipekit.drivers.sqltext import strip_query, tokens
from pipekit.engine.context import RunContext
from pipekit.engine.planning.children import build_child_counts
from pipekit.engine.planning.naming import find_named
from pipekit.engine.watermarks.places import PLACEHOLDER
from pipekit.engine.watermarks.resolve import fill_placeholders
from pipekit.errors import Invalid, RunFailed
from pipekit.models import Guards
from pipekit.runner_contract import Expect, Statement

DELETES = "deletes"
KEYS = "keys that are there"
_KEYS_MEND = "or name a query of the keys: `deleting: {keys: ...}` on the module"
_FORGOTTEN = "The table of keys does not hold its rows any more, as after a crash; nothing was merged."
_KEPT = "After the merge {got} rows of {dest} that are gone from the source were still there as before; {fires}."
_KEPT_HINT = "Mend what fires; with `guards: {dest_truth: false}` on the module they would stay."


@dataclass(frozen=True, kw_only=True, slots=True)
class KeysRead:
    """The query that gives the keys that are there, and what it is, for people."""

    sql: str
    told: str


def plan_gone(
    context: RunContext, merge: MergePlan, facts: TableFacts, dest: Sequence[TableColumn], values: Mapping[str, str]
) -> tuple[MergePlan, KeysRead | None]:
    """The merge with its plan for rows that are gone, and how keys are read; none of a dest that the run makes.

    Raises RunFailed where the module's settings do not fit the dest or the query.
    """
    if context.module.deletes == "none":
        return merge, None
    gone = _settle_gone(context, merge, dest, values)
    if not facts.exists:
        context.record.check(DELETES, True, "none: this run makes the dest")
        return merge, None
    read, columns = read_keys(context, merge, values)
    absent = replace(
        merge,
        strategy="upsert",
        staging=context.dest_driver.name_keys(merge.staging),
        columns=columns,
        sequences=(),
        moves_sequences=False,
        whole=False,
        unfed=(),
        gone=gone,
    )
    absent = _settle(absent, facts)
    _look_at_scope(context, absent)
    context.record.check(DELETES, True, f"{_say_gone(absent)}; keys are read by {read.told}")
    return replace(merge, absent=absent), read


def build_looks_before_gone(driver: Driver, plan: MergePlan | None, guards: Guards) -> tuple[Statement, ...]:
    """The keys that are there, and the rows of other tables that refer to rows that go."""
    if plan is None or plan.gone is None:
        return ()
    counts = () if plan.gone.mark or plan.strategy == "snapshot" else build_child_counts(driver, plan, guards.children)
    return (Statement(sql=f"SELECT COUNT(*) FROM {driver.quote_table(plan.staging)}", name=KEYS, value=True), *counts)


def expect_keys(plan: MergePlan) -> list[Expect]:
    """That the table of keys still holds them."""
    if plan.absent is None or plan.absent.gone is None or plan.absent.gone.rows is None:
        return []
    return [Expect(names=(KEYS,), equals=plan.absent.gone.rows, message=_FORGOTTEN, hint="Run it again.")]


def list_foreseen(driver: Driver, plan: MergePlan, *, is_history: bool = False) -> dict[str, tuple[Rows, ...]]:
    """What a merge would count of rows that are gone."""
    keys: dict[str, tuple[Rows, ...]] = {KEYS: (Rows(source=f"FROM {driver.quote_table(plan.staging)}"),)}
    gone = plan.gone
    if gone is None or is_history:
        return keys
    return {
        **keys,
        "marked" if gone.mark else "gone": (Rows(source=driver.build_gone_rows(plan), held=True),),
    }


def forget_moment(plan: MergePlan) -> MergePlan:
    """The same plan for these rows, but for what each run says anew."""
    if plan.history:
        plan = replace(plan, history=replace(plan.history, begins_at="", ends_at=""))
    if plan.absent is None or plan.absent.gone is None:
        return plan
    gone = replace(plan.absent.gone, at="", rows=None)
    return replace(plan, absent=replace(plan.absent, staging=plan.staging, gone=gone))


def set_keys(plan: MergePlan, rows: int | None) -> MergePlan:
    """The plan with the number of keys that its table must hold."""
    if plan.absent is None or plan.absent.gone is None:
        return plan
    return replace(plan, absent=replace(plan.absent, gone=replace(plan.absent.gone, rows=rows)))


def build_looks_after_gone(driver: Driver, plan: MergePlan | None, guards: Guards) -> tuple[Statement, ...]:
    """Where something fires, whether the rows are gone."""
    if plan is None or not plan.fires:
        return ()
    fires = f"between the merge and the table stands: {', '.join(plan.fires)}"
    refusal = _KEPT.replace("{dest}", str(plan.dest)).replace("{fires}", fires) if guards.dest_truth else ""
    count = f"SELECT COUNT(*) {driver.build_gone_rows(plan)}"
    return (Statement(sql=count, name="still there", value=True, refusal=refusal, hint=_KEPT_HINT if refusal else ""),)


# -- which rows are meant ----------------------------------------------------------------------------------------------


def _settle_gone(context: RunContext, merge: MergePlan, dest: Sequence[TableColumn], values: Mapping[str, str]) -> Gone:
    module, driver = context.module, context.dest_driver
    started = get_start(context)
    scopes = []
    if module.deletes_where.strip():
        scopes.append(_check_condition(fill_placeholders(module.deletes_where, values)))
    if module.deletes_days is not None:
        column = find_own_column(context, dest, module.deletes_day_column, "deleting: {day_column: ...}")
        since = started.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=module.deletes_days)
        day = write_moment(driver.quote_day, column, since)
        scopes.append(f"{driver.quote_identifier(column.name)} >= {day}")
    scope = " AND ".join(f"({item})" for item in scopes) if len(scopes) > 1 else "".join(scopes)
    if module.deletes == "hard":
        return Gone(scope=scope)
    column = find_own_column(context, dest, module.deletes_column, "deleting: {column: ...}")
    _check_mark(merge, column)
    return Gone(scope=scope, mark=column.name, at=write_moment(driver.quote_moment, column, started))


def get_start(context: RunContext) -> datetime:
    """When the run began, in UTC: the one time that it writes."""
    started = context.run.started_at
    return datetime.fromisoformat(started).astimezone(UTC) if started else datetime.now(UTC)


def write_moment(quote: Callable[[datetime, str], str], column: TableColumn, moment: datetime) -> str:
    """A time for a dest column. Raises RunFailed where its type holds none."""
    try:
        return quote(moment, column.under or column.type)
    except Invalid as error:
        message = f"The dest column '{column.name}' cannot have the time of a run: {error.message}"
        raise RunFailed(message, stage="plan", hint=error.hint) from error


def find_own_column(context: RunContext, dest: Sequence[TableColumn], name: str, setting: str) -> TableColumn:
    """A dest column that a setting of the module names. Raises RunFailed where there is none of that name."""
    found = find_named(context.dest_driver, name.strip(), [column.name for column in dest])
    column = next((column for column in dest if column.name == found), None)
    if column is None:
        message = f"The dest has no column '{name}', which `{setting}` names."
        raise RunFailed(message, stage="plan", hint="Add the column to the dest, or name another.")
    return column


def _check_mark(merge: MergePlan, column: TableColumn) -> None:
    problem = ""
    if any(item.dest.name == column.name for item in merge.columns):
        problem = "the query feeds it, and would write over the mark"
    elif not column.nullable:
        problem = "it takes no NULL, which says that a row is there"
    elif column.generated:
        problem = "the database computes it"
    if problem:
        message = f"Rows that are gone cannot be marked in the dest column '{column.name}': {problem}."
        raise RunFailed(message, stage="plan", hint="Name another column in `deleting: {column: ...}`.")


def _check_condition(text: str) -> str:
    """One condition, whose parentheses close what they open: nothing behind it becomes part of it."""
    problem, depth = "", 0
    try:
        text = strip_query(text)
    except Invalid as error:
        problem = error.message
    for kind, start, end in tokens(text):
        if kind == "other":
            depth += {"(": 1, ")": -1}.get(text[start:end], 0)
            if depth < 0:
                break
    if problem or depth:
        told = problem or "its parentheses do not meet"
        raise RunFailed(
            f"`deleting: {{where: ...}}` is no condition: {told}.", stage="plan", hint="Write one condition."
        )
    return text


def _look_at_scope(context: RunContext, absent: MergePlan) -> None:
    """Asks the dest for no rows of the condition, so that what is wrong with it is known before rows move."""
    if absent.gone and absent.gone.scope:
        dest = context.dest_driver.quote_table(absent.dest)
        context.ask_dest()(f"SELECT 1 FROM {dest} WHERE 1 = 0 AND (\n{absent.gone.scope}\n)")


def _settle(absent: MergePlan, facts: TableFacts) -> MergePlan:
    """Which foreign keys are touched, and what fires."""
    is_marking = bool(absent.gone and absent.gone.mark)
    event: Event = "update" if is_marking else "delete"
    return replace(
        absent,
        only=facts.only,
        referring=() if is_marking else tuple(item for item in facts.referring if item.find_event("gone")),
        fires=tuple(dict.fromkeys(firing.name for firing in facts.fires if event in firing.events)),
    )


def _say_gone(plan: MergePlan) -> str:
    gone = plan.gone
    assert gone is not None
    does = f"are marked in {gone.mark}" if gone.mark else "are deleted"
    within = f" and that meet {gone.scope}" if gone.scope else ""
    return f"rows whose {', '.join(plan.key)} the source no longer has{within} {does}"


# -- how the keys are read ---------------------------------------------------------------------------------------------


def read_keys(
    context: RunContext, merge: MergePlan, values: Mapping[str, str]
) -> tuple[KeysRead, tuple[StagedColumn, ...]]:
    """How the keys that are there are read, and how they travel. Raises RunFailed for a query that gives none."""
    by_name = {column.dest.name: column for column in merge.columns}
    fed = [by_name[name] for name in merge.key]
    if context.module.deletes_keys.strip():
        return _read_own_keys(context, fed, fill_placeholders(context.module.deletes_keys, values))
    first = _find_first_values(context)
    sql = fill_placeholders(context.module.source_query, {**values, **first})
    told = "the module's query" + (f" with {', '.join(f'{n} = {v}' for n, v in first.items())}" if first else "")
    names = [column.source.name for column in fed]
    return KeysRead(sql=context.source_driver.build_select_columns_sql(sql, names), told=told), tuple(fed)


def _find_first_values(context: RunContext) -> dict[str, str]:
    """The watermarks of the query as a first run has them. Raises RunFailed for one without a default."""
    used = {match[1] for match in PLACEHOLDER.finditer(context.module.source_query)}
    first = {}
    for mark in context.marks:
        if mark.name in used and mark.default_value is None:
            message = f"The watermark '{mark.name}' has no default, so the query cannot be asked for all keys."
            raise RunFailed(message, stage="plan", hint=f"Give it the `default` of a first run, {_KEYS_MEND}.")
        if mark.name in used:
            first[mark.name] = mark.default_value or ""
    return first


def _read_own_keys(
    context: RunContext, fed: Sequence[StagedColumn], sql: str
) -> tuple[KeysRead, tuple[StagedColumn, ...]]:
    """By a query of the module's own, whose columns are called like those of its query, or of the dest."""
    source, dest = context.source_driver, context.dest_driver
    found = source.introspect_query_columns(context.ask_source(), sql)
    if context.module.trim_char:
        found = [replace(column, type=source.trimmed_type(column.type)) for column in found]
    by_name = {column.name: column for column in found}
    columns = []
    for item in fed:
        name = find_named(dest, item.source.name, by_name) or find_named(dest, item.dest.name, by_name)
        if name is None:
            message = f"The query of the keys has no column '{item.source.name}', which is in the merge key."
            raise RunFailed(message, stage="plan", hint="Let `deleting: {keys: ...}` give every column of the key.")
        staged = dest.stage_column(by_name[name], source, item.dest)
        if staged.refused:
            message = f"The key '{name}' cannot be stored in '{item.dest.name}': {staged.refused}."
            raise RunFailed(message, stage="plan", hint="Cast it in `deleting: {keys: ...}`.")
        columns.append(staged)
    chosen = source.build_select_columns_sql(sql, [column.source.name for column in columns])
    return KeysRead(sql=chosen, told="its own query"), tuple(columns)
