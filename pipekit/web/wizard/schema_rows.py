# Many tables at once: a line of the wizard's table for each, and the module that it will become. Knows no request.
"""`propose_rows`, `build_plans`, `check_dests`, `keep_plans`."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from pipekit import repo
from pipekit.definitions import edit
from pipekit.drivers import get_driver
from pipekit.drivers.base import TableColumn, TableInfo
from pipekit.engine.looking.dest_table import (
    TableDetails,
    build_merge_text,
    build_table_sql,
    find_dest_columns,
    settle_table,
)
from pipekit.engine.looking.look import Look
from pipekit.engine.looking.ways import propose_way
from pipekit.engine.planning.naming import clean_name
from pipekit.engine.record import join_sql
from pipekit.errors import Conflict, Invalid, PipekitError, RunFailed
from pipekit.models import Connection, Module, format_key, parse_key
from pipekit.web.kit.forms import MENDABLE, Form, FormRefused, FormRow, refuse_problems
from pipekit.web.modules.watermarks import save_watermark_rows, tell_unbounded
from pipekit.web.wizard.form import ORDER, TICKS, build_draft, check_whole, get_details, take_source_columns
from pipekit.web.wizard.query import add_comparison, take_query
from pipekit.web.wizard.settle import find_free_name, settle_dest

ROW_FIELDS = ("table", "name", "dest_table", "strategy", "key", "watermark")
MOST_TABLES = 1_000
# What the wizard of one table calls its fields -> the column of the line.
_PLACES = {"name": "name", "dest_table": "dest_table", "dest_schema": "dest_table", "merge_key": "key"}
_PLACES |= {"compare_column": "watermark", "merge_strategy": "strategy"}
_KEPT = (
    *("name", "source_id", "dest_id", "source_query", "dest_table"),
    *("merge_strategy", "merge_key", "columns"),
)

Inventory = Mapping[str, Sequence[TableColumn]]


@dataclass(kw_only=True, slots=True)
class Plan:
    """What one line will become: the wizard's form of its table, the module, and the statements of its dest table."""

    place: int
    form: Form
    draft: Module
    statements: tuple[str, ...] = ()

    @property
    def details(self) -> TableDetails:
        """What the dest table gets beside names and types."""
        return get_details(self.form)


# -- proposing ---------------------------------------------------------------------------------------------------------


def propose_rows(
    db: repo.State,
    source: Connection,
    schema: str,
    tables: Sequence[TableInfo],
    found: Inventory,
) -> list[FormRow]:
    """A line for each table that was found: a free name, a dest table, and the way that its columns tell."""
    driver, counts = get_driver(source.driver), {table.name: table.rows for table in tables}
    rows: list[FormRow] = []
    taken: set[str] = set()
    for table, columns in found.items():
        way = propose_way(driver, columns, counts.get(table))
        dest_table = clean_name(table, lower=True) or "result"
        name = _find_name(db, schema, dest_table, taken)
        taken.add(name.casefold())
        rows.append(
            {
                "table": table,
                "name": name,
                "dest_table": dest_table,
                "strategy": way.strategy,
                "key": format_key(way.key),
                "watermark": way.watermark,
            }
        )
    return rows


def _find_name(db: repo.State, schema: str, table: str, taken: set[str]) -> str:
    """The table's name; where a module has it already, with its schema; else with a number."""
    for name in (table[:60], f"{clean_name(schema, lower=True)}_{table}"[:60]):
        if name.casefold() not in taken and repo.find_module_by_name(db, name) is None:
            return name
    return find_free_name(db, f"{table[:50]}_{len(taken) + 1}")


def tell_row(row: FormRow) -> str:
    """What a line's choices mean where that may surprise; `""` where it does not."""
    if row["strategy"] == "append" and row["watermark"]:
        return "Rows that change after they were read are not read again."
    return "" if row["watermark"] else tell_unbounded(row["strategy"], ())


# -- from lines to modules ---------------------------------------------------------------------------------------------


def build_plans(db: repo.State, form: Form, source: Connection, dest: Connection, found: Inventory) -> list[Plan]:
    """What each line will become. Notes what is wrong with one beside it."""
    plans = [_build_plan(db, form, place, source, dest, found) for place in range(len(form.rows["t"]))]
    _note_twice(form, "name", "Another line has this name.")
    _note_twice(form, "dest_table", "Another line has this dest table.")
    for plan in plans:
        if plan.draft.name and repo.find_module_by_name(db, plan.draft.name):
            form.note(f"t.{plan.place}.name", f"There is a module named {plan.draft.name!r} already.")
    return plans


def _build_plan(db: repo.State, form: Form, place: int, source: Connection, dest: Connection, found: Inventory) -> Plan:
    row = form.rows["t"][place]
    columns = found.get(row["table"], ())
    one = Form(
        values={
            "entry_mode": "table",
            "source_id": str(source.id),
            "dest_id": str(dest.id),
            "schema": form.value("schema"),
            "table": row["table"],
            "dest_table": row["dest_table"].strip(),
            "name": row["name"].strip(),
            "merge_strategy": row["strategy"],
        },
        rows={name: [] for name in ("col", "wm", *TICKS)},
        order=ORDER,
    )
    if not columns:
        form.note(f"t.{place}.table", f"{source.name} has no such table any more.")
    key, table_key = parse_key(row["key"]), {column.name for column in columns if column.in_key}
    take_source_columns(one, source, columns, has_whole_key=bool(key) and {*key} == table_key)
    _tick_key(one, key)
    take_query(one, source)
    settle_dest(db, one, source)
    one.values["dest_schema"] = form.value("dest_schema").strip()
    if row["watermark"]:
        if row["strategy"] == "full":
            one.note("compare_column", "The strategy full reads everything: choose another one, or no watermark.")
        named = (item["id"] for item in one.rows["col"] if item["source_name"] == row["watermark"])
        one.values |= {"compare_column": next(named, ""), "compare_name": "since"}
        add_comparison(one, source, dest)
    draft = build_draft(one, source, dest)
    check_whole(one)
    for field, text in one.problems.items():
        form.note(f"t.{place}.{_PLACES.get(field, 'table')}", text)
    return Plan(place=place, form=one, draft=draft)


def _tick_key(one: Form, key: Sequence[str]) -> None:
    by_name = {row["source_name"].casefold(): row["id"] for row in one.rows["col"]}
    missing = [name for name in key if name.casefold() not in by_name]
    if missing:
        one.note("merge_key", f"The table has no column {', '.join(missing)}.")
    one.rows["key"] = [{"id": by_name[name.casefold()]} for name in key if name.casefold() in by_name]


def _note_twice(form: Form, field: str, words: str) -> None:
    counts = Counter(row[field].strip().casefold() for row in form.rows["t"])
    for place, row in enumerate(form.rows["t"]):
        if counts[row[field].strip().casefold()] > 1:
            form.note(f"t.{place}.{field}", words)


def check_dests(look: Look, form: Form, plans: Sequence[Plan], source: Connection) -> None:
    """Finds out which dest tables are there and fit, and what makes the others; notes what does not fit."""
    for plan in plans:
        try:
            plan.draft = settle_table(look, plan.draft)
            existing = find_dest_columns(look, plan.draft)
            build_merge_text(get_driver(source.driver), look.driver, plan.draft, existing)
            plan.statements = () if existing else build_table_sql(look.driver, plan.draft, plan.details)
        except (Invalid, Conflict, RunFailed) as error:
            form.note(f"t.{plan.place}.dest_table", f"{error.message} {error.hint}".strip())


# -- keeping them ------------------------------------------------------------------------------------------------------


def try_keeping(db: repo.State, user: str, form: Form, plans: Sequence[Plan]) -> None:
    """Keeps everything and takes it back, to find out what stands in the way before tables are made.

    Raises FormRefused with the problems in the form.
    """
    try:
        with repo.transaction(db):
            _keep(db, user, form, plans)
            raise _TakenBack
    except _TakenBack:
        return


class _TakenBack(Exception):
    """Undoes a transaction that went well."""


def keep_plans(db: repo.State, user: str, form: Form, plans: Sequence[Plan], dest: Connection) -> int | None:
    """The modules with their watermarks, the group and its schedule, and what was made in the dest, in the audit trail.

    Returns the group's id, None where none was asked for. Raises FormRefused, with nothing kept.
    """
    for plan in plans:
        if plan.statements:
            name, made = f"{dest.name}: {plan.draft.dest_table}", {"sql": [None, join_sql(plan.statements)]}
            repo.note_audit(db, user=user, action="create", kind="table", name=name, detail=made)
    with repo.transaction(db):
        return _keep(db, user, form, plans)


def _keep(db: repo.State, user: str, form: Form, plans: Sequence[Plan]) -> int | None:
    modules = [_keep_module(db, user, form, plan) for plan in plans]
    group_id = _keep_group(db, user, form)
    refuse_problems(form)
    for module in modules:
        if group_id is not None and module is not None:
            edit.create(db, edit.MEMBER, user, group_id=group_id, module_id=module.id, run_order=1)
    return group_id


def _keep_module(db: repo.State, user: str, form: Form, plan: Plan) -> Module | None:
    try:
        values = {f.name: getattr(plan.draft, f.name) for f in fields(plan.draft) if f.name in _KEPT}
        module = edit.create(db, edit.MODULE, user, **values)
        save_watermark_rows(db, user, module.id, plan.form.rows["wm"], plan.form)
        refuse_problems(plan.form)
        return module
    except FormRefused:
        form.note(f"t.{plan.place}.watermark", " ".join(plan.form.problems.values()))
    except MENDABLE as error:
        form.note(f"t.{plan.place}.name", f"{error.message} {error.hint}".strip())
    return None


def _keep_group(db: repo.State, user: str, form: Form) -> int | None:
    name, cron = form.value("group").strip(), form.value("cron").strip()
    if not name:
        return None
    try:
        group = edit.create(db, edit.GROUP, user, name=name, parallel=_read_parallel(form))
    except PipekitError as error:
        form.note("group", f"{error.message} {error.hint}".strip())
        return None
    try:
        if cron:
            edit.create(db, edit.SCHEDULE, user, group_id=group.id, cron=cron)
    except PipekitError as error:
        form.note("cron", f"{error.message} {error.hint}".strip())
    return group.id


def _read_parallel(form: Form) -> int:
    text = form.value("parallel").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 1
