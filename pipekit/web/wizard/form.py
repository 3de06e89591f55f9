# What the wizard carries from step to step, as fields of a form. Knows no request, no template and no database.
"""`read_wizard_form`, and a form as the module it will become."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from starlette.datastructures import FormData

from pipekit import repo
from pipekit.drivers import get_driver
from pipekit.drivers.base import Cast, Driver, TableColumn, TableName
from pipekit.drivers.sqltext import strip_query
from pipekit.drivers.tables import Mark
from pipekit.engine.looking.dest_table import TableDetails, build_table_query, propose_columns
from pipekit.engine.planning.naming import clean_name, format_table
from pipekit.engine.watermarks.places import Place, find_places
from pipekit.errors import Invalid
from pipekit.models import KEYED, MODULE_NAME, STRATEGIES, Column, Connection, Module, as_strategy
from pipekit.web.kit.forms import Form, FormRow, get_list, get_rows, is_blank
from pipekit.web.modules.watermarks import FIELDS as WM_FIELDS
from pipekit.web.modules.watermarks import check_watermark_rows, read_watermark_rows

ENTRY_MODES = ("table", "sql")
COLUMN_FIELDS = ("id", "source_name", "source_type", "dest_name", "dest_type", "comment", "expression")
# What a module does not keep of them: the first goes to the dest table, the second into the query.
_NOT_KEPT = ("comment", "expression")
# In the order of the page; the first with a problem gets the focus.
ORDER = ("query", "dest_id", "dest_schema", "dest_table", "name", "merge_strategy", "merge_key")
# What travels in hidden fields through steps that do not show it.
FIRST_STEPS = ("entry_mode", "source_id", "schema", "table", "query", "written")
STEP3 = ("dest_id", "mapped_for", "dest_schema", "dest_table", "name", "merge_strategy", "primary_key")
# Rows of one field each: columns browsed and chosen, columns of the merge key, columns that take no NULL.
TICKS = {"pick": "name", "key": "id", "not_null": "id", "cast": "choice", "mark": "name"}


def read_wizard_form(data: FormData) -> Form:
    """Everything that was sent. `rows` has `col`, `wm`, and those of `TICKS`."""
    form = Form(values={"entry_mode": "table", "merge_strategy": "full"}, order=ORDER)
    form.take(data)
    form.rows = {
        "col": get_rows(data, "col", COLUMN_FIELDS),
        "wm": read_watermark_rows(data),
        **{prefix: [{field: text} for text in get_list(data, f"{prefix}[]")] for prefix, field in TICKS.items()},
    }
    if form.value("entry_mode") not in ENTRY_MODES:
        form.values["entry_mode"] = "table"
    return form


def find_connection(db: repo.State, form: Form, name: str) -> Connection | None:
    """The connection a field names, None when it names none."""
    text = form.value(name)
    return next((item for item in repo.list_connections(db) if str(item.id) == text), None)


def need_source(db: repo.State, form: Form) -> Connection:
    """The source connection. Raises Invalid."""
    found = find_connection(db, form, "source_id")
    if found is None:
        raise Invalid("Choose the source connection first.", field="source_id")
    return found


# -- step 3 ------------------------------------------------------------------------------------------------------------


def take_source_columns(
    form: Form,
    source: Connection,
    found: Sequence[TableColumn],
    *,
    marks: Sequence[Mark] = (),
    has_whole_key: bool = False,
) -> None:
    """Puts source columns into the form; what was typed for a column of the same name and type stays.

    New columns bring their NOT NULL along, all of them together their table's key, if `has_whole_key` as primary key.
    Without a dest yet (`settle_dest` comes later) new rows have no dest type.
    """
    driver = get_driver(source.driver)
    found, expressions = _apply_casts(driver, found, {row["choice"] for row in form.rows["cast"]})
    found += [TableColumn(name=mark.name, type=mark.type, comment=mark.what) for mark in marks]
    expressions |= {mark.name: mark.expression for mark in marks}
    before = {(row["source_name"], row["source_type"]): row for row in form.rows["col"]}
    keyed, required = _list_ticked(form, "key"), _list_ticked(form, "not_null")
    is_new = not before
    if is_new:
        form.values["primary_key"] = "1" if has_whole_key else "0"
    rows: list[FormRow] = []
    for column, proposed in zip(found, propose_columns(driver, driver, found), strict=True):
        old = before.get((column.name, column.type), {})
        rows.append(
            {
                "id": proposed.id,
                "source_name": column.name,
                "source_type": column.type,
                "dest_name": old.get("dest_name") or proposed.dest_name,
                "dest_type": old.get("dest_type", ""),
                "comment": old.get("comment", column.comment or ""),
                "expression": expressions.get(column.name, ""),
            }
        )
        if is_new and column.in_key:
            keyed.add(column.name)
        if not old and not column.nullable:
            required.add(column.name)
    form.rows["col"] = rows
    form.rows["key"] = [{"id": row["id"]} for row in rows if row["source_name"] in keyed]
    form.rows["not_null"] = [{"id": row["id"]} for row in rows if row["source_name"] in required]


def build_cast_choice(column: TableColumn, cast: Cast) -> str:
    """The value of a choice of another reading; no two columns share one."""
    return f"{column.name}={cast.label}"


def _apply_casts(
    driver: Driver, found: Sequence[TableColumn], choices: set[str]
) -> tuple[list[TableColumn], dict[str, str]]:
    """The columns with the types of the readings that were chosen, and the expressions of those by column."""
    columns, expressions = [], {}
    for column in found:
        chosen = [cast for cast in driver.list_casts(column) if build_cast_choice(column, cast) in choices]
        if chosen:
            expressions[column.name] = chosen[0].expression
            column = replace(column, type=chosen[0].type, nullable=True)
        columns.append(column)
    return columns, expressions


def _list_ticked(form: Form, prefix: str) -> set[str]:
    """The source names of the columns that are ticked; ids are given anew when columns are taken."""
    return {row["source_name"] for row in form.rows["col"] if {"id": row["id"]} in form.rows[prefix]}


def build_source_query(form: Form, source: Connection) -> str:
    """The source query as it stands in the form; where it is empty in the mode `table`, written from the columns."""
    is_typed = form.value("entry_mode") == "sql" or form.value("query").strip()
    return form.value("query") if is_typed else write_query(form, source)


def write_query(form: Form, source: Connection) -> str:
    """The query of a browsed table's chosen columns."""
    columns = [TableColumn(name=row["source_name"], type=row["source_type"]) for row in form.rows["col"]]
    casts = {row["source_name"]: row["expression"] for row in form.rows["col"]}
    table = TableName(schema=form.value("schema") or None, name=form.value("table"))
    driver = get_driver(source.driver)
    # A kind without schemas lists its tables under a name of its own that no query may use.
    table = TableName(schema=None, name=table.name) if driver.browse_fields() == ("table",) else table
    return build_table_query(driver, table, columns, casts)


def build_draft(form: Form, source: Connection, dest: Connection) -> Module:
    """The module the form describes, not yet kept. Notes in the form what is wrong with it."""
    driver = get_driver(dest.driver)
    columns = _read_columns(form, driver)
    if not columns:
        form.note("merge_key", "Choose at least one column.")
    name = form.need("name", "Give the module a name.")
    if name and not MODULE_NAME.match(name):
        form.note("name", "Use 1 to 60 letters, digits, _ . or -, the first a letter, a digit or _.")
    strategy = form.value("merge_strategy")
    if strategy not in STRATEGIES:
        form.note("merge_strategy", "Choose one of these.")
        strategy = "full"
    key = tuple(column.dest_name for column in columns if {"id": column.id} in form.rows["key"])
    if strategy in KEYED and not key:
        form.note("merge_key", f"The strategy {strategy} needs a merge key: tick its columns in the table.")
    query = build_source_query(form, source)
    return Module(
        id=0,
        name=name,
        source_id=source.id,
        dest_id=dest.id,
        source_query=query,
        dest_table=read_table(form, driver),
        merge_strategy=as_strategy(strategy),
        merge_key=key if strategy in KEYED else (),
        columns=columns,
    )


def _read_columns(form: Form, driver: Driver) -> tuple[Column, ...]:
    seen: set[str] = set()
    columns = []
    for place, row in enumerate(form.rows["col"]):
        row["dest_name"] = name = clean_name(row["dest_name"], driver.max_identifier_bytes)
        if not name:
            form.note(f"col.{place}.dest_name", "A name is needed.")
        elif name.casefold() in seen:
            form.note(f"col.{place}.dest_name", f"{name!r} stands twice.")
        seen.add(name.casefold())
        try:
            driver.check_type(row["dest_type"].strip())
        except Invalid as error:
            form.note(f"col.{place}.dest_type", f"{error.message} {error.hint}")
        columns.append(Column(**{field: row[field].strip() for field in COLUMN_FIELDS if field not in _NOT_KEPT}))
    return tuple(columns)


def read_table(form: Form, driver: Driver) -> str:
    """The dest table as a module names it; `""`, noted in the form, where it has no name that can be."""
    name = form.need("dest_table", "Name the dest table.")
    try:
        return format_table(driver, form.value("dest_schema").strip(), name) if name else ""
    except Invalid as error:
        form.note("dest_table", f"{error.message} {error.hint}".strip())
        return ""


def check_whole(form: Form) -> None:
    """Notes what is wrong with the query and the watermarks."""
    check_watermark_rows(form)
    if form.value("entry_mode") == "sql" or form.value("query").strip():
        try:
            strip_query(form.value("query"))
        except Invalid as error:
            form.note("query", f"{error.message} {error.hint}".strip())


def get_details(form: Form) -> TableDetails:
    """What the dest table gets beside names and types."""
    comments = {row["id"]: row["comment"].strip() for row in form.rows["col"] if row["comment"].strip()}
    known = {row["id"] for row in form.rows["col"]}
    key, not_null = (
        tuple(row["id"] for row in form.rows[prefix] if row["id"] in known) for prefix in ("key", "not_null")
    )
    return TableDetails(comments=comments, not_null=not_null, primary_key=key if form.holds("primary_key") else ())


def take_placeholders(form: Form, query: str) -> dict[str, Place]:
    """A watermark for each `{name}` that stands where a value belongs, none that was only offered for another.

    Returns where each name stands.
    """
    places = find_places(query)
    names = sorted(name for name, place in places.items() if place == "value")
    drop_unmeant_watermarks(form, names)
    add_missing_watermarks(form, names)
    return places


def add_missing_watermarks(form: Form, names: Sequence[str]) -> None:
    """Adds a row for each placeholder without one; what it asks is proposed once there is a dest."""
    known = {row["name"].strip() for row in form.rows["wm"]}
    for name in names:
        if name not in known:
            blank = dict.fromkeys((*WM_FIELDS, "deleted"), "")
            form.rows["wm"].append({**blank, "name": name})


def drop_unmeant_watermarks(form: Form, names: Collection[str]) -> None:
    """Takes out rows that were only offered, for braces of other names than these, and that nobody has filled in."""
    form.rows["wm"] = [row for row in form.rows["wm"] if row["name"].strip() in names or not _is_offered(row)]


def _is_offered(row: FormRow) -> bool:
    return is_blank(row, ("default_value",)) and row["resolver_sql"] in ("", row["proposed"])


def list_defaults(form: Form) -> dict[str, str]:
    """The values when there is none, by name; no blank ones."""
    return {row["name"].strip(): row["default_value"] for row in form.rows["wm"] if row["default_value"]}
