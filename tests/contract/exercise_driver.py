# The same questions for every driver; their answers are golden files, one folder per kind. Starts no database.
"""`CASES`: what a driver is asked to write. Each spells the types itself, so that the questions are the same."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pipekit.drivers.base import Driver, LedgerEntry, MergePlan, StagedColumn, TableColumn, TableName
from pipekit.drivers.facts import Gone, History, Keeping, Rebuild, Reference
from pipekit.drivers.types import Type
from pipekit.drivers.undoing import Fires, Kept, Undo, name_images
from pipekit.models import Strategy
from pipekit.runner_contract import Query, QueryResult, ResultColumn, Statement

INTEGER = Type(name="int64")
DECIMAL = Type(name="decimal", precision=12, scale=2)
FLOAT = Type(name="float64")
TEXT = Type(name="text")
MOMENT = Type(name="timestamp")
MADE_AT = datetime(2026, 11, 30, 13, 49, 51, 123456)

NEUTRAL_TYPES = (
    *(Type(name=name) for name in ("bool", "int16", "int32", "int64", "float32", "float64", "decimal", "text", "char")),
    *(Type(name=name) for name in ("bytes", "date", "time", "timetz", "timestamp", "timestamptz", "interval", "uuid")),
    *(Type(name=name) for name in ("json", "xml", "other")),
    Type(name="decimal", precision=12, scale=2),
    Type(name="decimal", precision=38, scale=0),
    Type(name="text", length=20),
    Type(name="char", length=3),
    Type(name="bytes", length=16),
    Type(name="timestamp", precision=3),
    Type(name="timestamp", precision=7),
    Type(name="time", precision=0),
)
QUERY_WITH_A_TAIL = "select id, name from orders -- all of them\n ; -- the end"
ENTRY = LedgerEntry(run_key="0a1b2c3d-42", run_id=42, module="it's orders", fence=7, rows=1000)


@dataclass(frozen=True, slots=True)
class Case:
    """One golden file: its name and what makes its text."""

    name: str
    write: Callable[[Driver], str]


class _Asked(Exception):
    """Carries the SQL of a looking method to the test."""


def build_column(driver: Driver, name: str, neutral: Type, **more: object) -> TableColumn:
    """A dest column of a neutral type as the driver spells it."""
    return replace(TableColumn(name=name, type=driver.from_neutral(neutral)), **more)  # type: ignore[arg-type]


def build_orders(driver: Driver) -> list[TableColumn]:
    """The table most cases are about; one name needs quoting with care."""
    return [
        build_column(driver, "id", INTEGER, nullable=False, in_key=True),
        build_column(driver, "line", INTEGER, nullable=False),
        build_column(driver, "amount", DECIMAL),
        build_column(driver, 'odd "name"', TEXT, comment="what it's called"),
        build_column(driver, "at", MOMENT),
    ]


def build_staged(driver: Driver, *, converted: Sequence[str] = ()) -> tuple[StagedColumn, ...]:
    """The columns of `build_orders` on their way; those named in `converted` are staged as floats."""
    columns = []
    for dest in build_orders(driver):
        stage_type = driver.from_neutral(FLOAT) if dest.name in converted else None
        source = ResultColumn(name=dest.name.upper(), type=stage_type or dest.type)
        columns.append(StagedColumn(source=source, dest=dest, stage_type=stage_type, lossy=stage_type is not None))
    return tuple(columns)


def build_plan(
    driver: Driver,
    strategy: Strategy = "full",
    key: tuple[str, ...] = (),
    *,
    null_keys: bool = False,
    can_truncate: bool = True,
    converted: Sequence[str] = (),
    only: Sequence[str] = (),
    leaves: bool = False,
    at_once: bool = False,
    apart: bool = False,
) -> MergePlan:
    """A merge into `orders`."""
    columns = [column for column in build_staged(driver, converted=converted) if not only or column.dest.name in only]
    return MergePlan(
        strategy=strategy,
        staging=driver.staging_table("load.orders"),
        dest=_orders(driver),
        columns=tuple(columns),
        key=key,
        null_keys=null_keys,
        can_truncate=can_truncate,
        leaves=leaves,
        unique=at_once,
        at_once=at_once,
        apart=apart,
    )


def join(statements: Sequence[Statement | str]) -> str:
    """Statements as one text; what the engine reads from each stands above it."""
    parts = []
    for statement in statements:
        if isinstance(statement, str):
            parts.append(f"{statement};")
        else:
            reads = f"-- {statement.name}{' (first cell)' if statement.value else ''}\n" if statement.name else ""
            parts.append(f"{reads}{statement.sql};")
    return "\n".join(parts)


def capture(ask: Callable[[Query], object]) -> str:
    """The first SQL text a looking method asks for."""

    def query(sql: str) -> QueryResult:
        raise _Asked(sql)

    try:
        ask(query)
    except _Asked as asked:
        return str(asked)
    return "(asks nothing)"


def _merge(name: str, strategy: Strategy, key: tuple[str, ...] = (), **more: Any) -> Case:
    """`more` is what `build_plan` takes."""

    def write(driver: Driver) -> str:
        return join(driver.build_merge_sql(build_plan(driver, strategy, key, **more)))

    return Case(f"merge_{name}", write)


def _staging(name: str, *converted: str) -> Case:
    def write(driver: Driver) -> str:
        plan = build_plan(driver, converted=converted)
        return join(driver.build_staging_sql(plan.staging, plan.dest, plan.columns))

    return Case(f"staging_{name}", write)


def _write_types(driver: Driver) -> str:
    lines = []
    for neutral in NEUTRAL_TYPES:
        spelling = driver.from_neutral(neutral)
        lines.append(f"-- {_show(neutral)} -> {spelling} -> {_show(driver.to_neutral(spelling))}")
    return "\n".join(lines)


def _show(neutral: Type) -> str:
    numbers = [neutral.length, neutral.precision, neutral.scale]
    shown = ", ".join(str(number) for number in numbers if number is not None)
    return f"{neutral.name}({shown})" if shown else neutral.name


def _write_exactness(driver: Driver) -> str:
    plan = build_plan(driver, "full", converted=("line", "amount"))
    return join([f"-- {name}\n{sql}" for name, sql in driver.build_exactness_sql(plan)])


def _look_at_indexes(driver: Driver, query: Query) -> object:
    return driver.find_rebuild(query, driver.parse_table('"it\'s"')) if driver.can_rebuild else None


def _write_rebuilt(driver: Driver, strategy: Strategy) -> str:
    """The merge around one index."""
    rebuild = Rebuild(
        names=("i",), unchanged=Statement(sql="SELECT 'as seen'", name="as seen"), drop=("DROP i",), make=("MAKE i",)
    )
    plan = build_plan(driver, strategy, () if strategy != "incremental" else ("id",))
    return join(driver.build_merge_sql(replace(plan, rebuild=rebuild))) if driver.can_rebuild else "(keeps it)"


def _write_filling(driver: Driver) -> str:
    """Before and behind rows that come without staging."""
    if not driver.can_fill:
        return "(not without staging)"
    plan = build_plan(driver)
    return "\nROWS\n".join(map(join, (driver.build_emptying_sql(plan), driver.build_filled_sql(plan))))


def _write_onward(driver: Driver) -> str:
    """What begins the merge before more rows come into the dest, and what ends it."""
    if not driver.can_go_on:
        return "(stages all)"
    plan = build_plan(driver)
    ended = driver.build_merge_sql(replace(plan, filled=True))
    return "\nROWS\n".join(map(join, (driver.build_onward_sql(plan), ended)))


def _write_kept(driver: Driver, strategy: Strategy) -> str:
    """A merge that keeps what it changes."""
    if not driver.can_undo:
        return "(keeps nothing)"
    plan, columns = build_plan(driver, strategy, ("id", "line")), tuple(build_orders(driver))
    images = driver.staging_table(name_images(ENTRY.run_key))
    keeping = Keeping(images=images, columns=columns, whole=strategy == "full", note="run 42 of it's orders")
    return join(driver.build_merge_sql(replace(plan, undo=keeping)))


def _write_undo(driver: Driver, **more: Any) -> str:
    """What takes it back."""
    if not driver.can_undo:
        return "(keeps nothing)"
    images = driver.staging_table(name_images(ENTRY.run_key))
    kept = Kept(images=images, columns=tuple(build_orders(driver)), before=3, after=4)
    trigger = Fires(name="note", off="(switches note off)", on="(switches note on)")
    return join(driver.build_undo_sql(Undo(dest=_orders(driver), kept=kept, **more), [trigger]))


def _write_comparison(driver: Driver, plan: MergePlan, **more: Any) -> str:
    found = driver.build_comparison(plan, **more)
    if found is None:
        return "(cannot tell)"
    left_out = f"-- not compared: {', '.join(found.left_out)}\n" if found.left_out else ""
    return left_out + join([found.staged, found.held, found.counts, found.rows])


def _write_foreseen(driver: Driver, *arguments: Any, **more: Any) -> str:
    """What prepares, then the rows by their names, one of each counted."""
    found = driver.build_foreseen(build_plan(driver, *arguments, **more))
    counts = [f"-- {name}\nSELECT {found.count} {each.source}" for name, rows in found.rows.items() for each in rows]
    return join([*(statement.sql for statement in found.before), *counts])


def _write_gone(driver: Driver, key: tuple[str, ...], *, null_keys: bool = False, mark: str = "") -> str:
    """What a merge does to rows whose key is not in a table of keys."""
    plan = build_plan(driver, "upsert", key, null_keys=null_keys, only=key)
    at = driver.quote_moment(MADE_AT, driver.from_neutral(MOMENT))
    staging = driver.name_keys(plan.staging)
    plan = replace(plan, staging=staging, gone=Gone(scope="amount > 0 -- some", mark=mark, at=at))
    staged = build_plan(driver).staging
    asked = (driver.build_known_count_sql(plan, staged), driver.build_keep_sql(plan, staged))
    counted = (f"SELECT COUNT(*) {driver.build_gone_rows(plan)}", driver.build_present_count_sql(plan))
    return join([*asked, *counted, *driver.build_gone_sql(plan)])


def _write_versions(driver: Driver, key: tuple[str, ...], *, null_keys: bool = False) -> str:
    """The merge that keeps versions, and what a preview of it would count."""
    if not driver.can_version:
        return "(keeps no versions)"
    at = driver.quote_moment(MADE_AT, driver.from_neutral(MOMENT))
    yes, no = (driver.quote_flag(flag, driver.from_neutral(Type(name="bool"))) for flag in (True, False))
    history = History(start="valid_from", end="valid_to", current="current", begins_at=at, ends_at=at, yes=yes, no=no)
    plan = replace(build_plan(driver, "snapshot", key, null_keys=null_keys), history=history)
    found = driver.build_versions_foreseen(plan, driver.build_foreseen(replace(plan, strategy="append", history=None)))
    counts = [f"-- {name}\nSELECT {found.count} {each.source}" for name, rows in found.rows.items() for each in rows]
    return join([*driver.build_merge_sql(plan), *counts])


def _orders(driver: Driver) -> TableName:
    """Where an address as it stands in the documents makes it."""
    schema = {"postgresql": "public", "sqlserver": "dbo"}.get(driver.kind)
    return TableName(schema=schema, name=driver.fold_name("orders"))


CASES = (
    Case("types", _write_types),
    Case("create_key_index", lambda d: join(d.build_key_index_sql(_orders(d), ["id", "line"]))),
    Case("create_table", lambda d: join(d.build_create_table_sql(_orders(d), build_orders(d)))),
    Case("add_column", lambda d: join(d.build_add_column_sql(_orders(d), build_orders(d)[3]))),
    Case("comment", lambda d: d.build_comment_sql(_orders(d), "id", 'the order\'s "number"')),
    Case("drop_table", lambda d: d.build_drop_table_sql(d.staging_table("load.orders"))),
    Case("analyze", lambda d: join(d.build_analyze_sql(build_plan(d, "upsert", ("id", "line"))))),
    Case("preview", lambda d: d.build_preview_sql(QUERY_WITH_A_TAIL, 20)),
    Case("select_columns", lambda d: d.build_select_columns_sql(QUERY_WITH_A_TAIL, ["id", 'odd "name"'])),
    Case("introspect", lambda d: capture(lambda query: d.introspect_query_columns(query, QUERY_WITH_A_TAIL))),
    Case("look_schemas", lambda d: capture(d.list_schemas)),
    Case("look_tables", lambda d: capture(lambda query: d.list_tables(query, "it's"))),
    Case("look_columns", lambda d: capture(lambda query: d.get_columns(query, d.parse_table('"it\'s"')))),
    Case("look_inventory", lambda d: capture(lambda query: d.column_inventory(query, "it's"))),
    Case("look_facts", lambda d: capture(lambda query: d.get_table_facts(query, d.parse_table('"it\'s"')))),
    Case("look_setup", lambda d: capture(d.find_setup_sql)),
    _staging("like_dest"),
    _staging("converted", "amount", "at"),
    Case("check_null_key", lambda d: d.build_null_key_sql(build_plan(d, "incremental", ("id", 'odd "name"')))),
    Case("check_repeated_key", lambda d: d.build_repeated_key_sql(build_plan(d, "upsert", ("id", "line")))),
    Case(
        "check_repeated_key_converted",
        lambda d: d.build_repeated_key_sql(build_plan(d, "upsert", ("id",), converted=("id",))),
    ),
    Case(
        "check_proof",
        lambda d: d.build_proof_sql(build_plan(d, "upsert", ("id", "line"), at_once=True)) or "(counts them)",
    ),
    Case("check_exactness", _write_exactness),
    _merge("full", "full"),
    _merge("full_without_truncate", "full", can_truncate=False),
    _merge("full_converted", "full", converted=("amount",)),
    _merge("incremental", "incremental", ("id",)),
    _merge("incremental_two_keys", "incremental", ("id", "line")),
    _merge("incremental_null_keys", "incremental", ("id", 'odd "name"'), null_keys=True),
    _merge("incremental_converted", "incremental", ("id",), converted=("id", "amount")),
    _merge("append", "append"),
    _merge("upsert", "upsert", ("id", "line")),
    _merge("upsert_null_keys", "upsert", ("id", 'odd "name"'), null_keys=True),
    _merge("upsert_converted", "upsert", ("id",), converted=("id", "amount")),
    _merge("upsert_only_keys", "upsert", ("id", "line"), only=("id", "line")),
    _merge("upsert_leaving", "upsert", ("id", "line"), leaves=True),
    _merge("incremental_at_once", "incremental", ("id", "line"), leaves=True, at_once=True),
    _merge("upsert_at_once_only_keys", "upsert", ("id", "line"), only=("id", "line"), leaves=True, at_once=True),
    _merge("upsert_apart", "upsert", ("id", "line"), converted=("amount",), leaves=True, at_once=True, apart=True),
    Case("look_rebuild", lambda d: capture(lambda query: _look_at_indexes(d, query))),
    Case("full_rebuilt", lambda d: _write_rebuilt(d, "full")),
    Case("incremental_rebuilt", lambda d: _write_rebuilt(d, "incremental")),
    Case("append_rebuilt", lambda d: _write_rebuilt(d, "append")),
    Case("fill", _write_filling),
    Case("onward", _write_onward),
    Case("kept_full", lambda d: _write_kept(d, "full")),
    Case("kept_upsert", lambda d: _write_kept(d, "upsert")),
    Case("undo_by_key", lambda d: _write_undo(d, key=("id", "line"), silent=True)),
    Case("undo_by_rows", _write_undo),
    Case(
        "undo_referred",
        lambda d: _write_undo(
            d,
            key=("id", "line"),
            referring=(
                Reference(child=_orders(d), columns=("line",), referred=("id",), on_delete="cascade", is_own=True),
            ),
        ),
    ),
    Case("foreseen_full", lambda d: _write_foreseen(d, "full")),
    Case("foreseen_incremental", lambda d: _write_foreseen(d, "incremental", ("id", "line"))),
    Case("foreseen_upsert_leaving", lambda d: _write_foreseen(d, "upsert", ("id", "line"), leaves=True)),
    Case(
        "foreseen_upsert_null_keys",
        lambda d: _write_foreseen(d, "upsert", ("id", 'odd "name"'), null_keys=True, converted=("amount",)),
    ),
    Case("compare", lambda d: _write_comparison(d, build_plan(d, "upsert", ("id", "line")))),
    Case("compare_whole_rows", lambda d: _write_comparison(d, build_plan(d, converted=("amount",)), within="id > 1")),
    Case("gone_deleted", lambda d: _write_gone(d, ("id", "line"))),
    Case("gone_marked", lambda d: _write_gone(d, ("id", 'odd "name"'), null_keys=True, mark="at")),
    Case("snapshot", lambda d: _write_versions(d, ("id", "line"))),
    Case("snapshot_null_keys", lambda d: _write_versions(d, ("id", 'odd "name"'), null_keys=True)),
    Case("ledger", lambda d: join(d.build_ledger_sql(ENTRY))),
    Case("ledger_fence", lambda d: d.build_fence_sql(replace(ENTRY, rows=None))),
    Case("ledger_outcome", lambda d: d.build_outcome_sql(ENTRY.run_key)),
    Case("end_sessions", lambda d: d.build_end_sessions_sql("pipekit:it's 42")),
)
