# A module's form: a record as fields, fields as a record, and saving it all at once. Knows no request and no template.
"""`build_module_form`, `read_module_form`, `fill_module_form`, `save_module`."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

from starlette.datastructures import FormData

from pipekit import repo
from pipekit.definitions import edit
from pipekit.drivers import get_driver
from pipekit.drivers.sqltext import strip_query
from pipekit.engine.variables import fill_table
from pipekit.errors import NotFound, PipekitError
from pipekit.fields import Field, list_fields
from pipekit.models import Column, Guards, Hook, Module, ModuleFields, Watermark, parse_key
from pipekit.models.guards import Usual
from pipekit.web.kit.clash import check_clash
from pipekit.web.kit.forms import MENDABLE, Form, FormRow, get_rows, is_blank, refuse_problems
from pipekit.web.kit.settings import SECTIONS
from pipekit.web.modules.hooks import build_hook_rows, check_hook_rows, read_hook_rows, save_inline_hooks
from pipekit.web.modules.watermarks import TYPED as WATERMARK_TYPED
from pipekit.web.modules.watermarks import (
    _save_inline_watermarks,
    build_watermark_rows,
    check_watermark_rows,
    read_watermark_rows,
)

# In the order of the page: the first field with a problem gets the focus.
ORDER = (
    *("name", "source_id", "source_query", "dest_id", "dest_table", "merge_strategy", "merge_key", "match", "load"),
    *("shrink", "retries", "silence_timeout_s", "run_timeout_s"),
)
FLAGS = ("create_table", "create_types", "trim_char", "enabled")
GUARDS = list_fields(Guards)
# Fields that the template does not place itself stand at the end of the form, with the words they are told by.
MORE = tuple(f for f in list_fields(ModuleFields) if f.own not in {*ORDER, *FLAGS, "columns", "guards"})
COLUMN_FIELDS = ("id", "source_name", "source_type", "dest_name", "dest_type")
STRATEGY_WORDS = {
    "full": "Empties the dest table and loads every row of the query again.",
    "incremental": "Deletes the dest rows whose key appears in the load, then inserts the load. Keys may repeat.",
    "append": "Adds the rows of the query; nothing in the dest is deleted or changed.",
    "snapshot": "Keeps every version of a row: one that changed, or whose key is gone, ends, and the new one begins.",
    "upsert": "Changes the dest rows whose key is there and inserts the others; never deletes.",
}

LOAD_WORDS = {
    "auto": "Through staging; indexes are made anew after the rows of a large load, where that may be done.",
    "staged": "Through staging; the indexes of the dest stay, and every row is put into them.",
    "swap": "A new table is loaded and takes the place of the dest: readers wait for a moment only.",
    "direct": "The dest is emptied and filled in one transaction, without staging: readers wait for the whole load.",
}


Choices = Sequence[tuple[str, str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class MoreFields:
    """Fields at the end of the form with their choices: those with a title of their own, and the others."""

    sections: tuple[tuple[str, tuple[tuple[Field, Choices], ...]], ...]
    rest: tuple[tuple[Field, Choices], ...]


def group_more() -> MoreFields:
    """The fields of `MORE`, as the page shows them."""
    fields = [(f, [(choice, choice) for choice in f.choices]) for f in MORE]
    sections = tuple(
        (title, tuple(item for item in fields if item[0].own.startswith(prefix))) for prefix, title in SECTIONS.items()
    )
    rest = tuple(item for item in fields if not item[0].own.startswith(tuple(SECTIONS)))
    return MoreFields(sections=sections, rest=rest)


def build_module_form(
    module: Module | None = None, marks: Sequence[Watermark] = (), hooks: Sequence[Hook] = (), *, name: str = ""
) -> Form:
    """The form of a module, of a new one by default. With `name` it is one of a clone, which has no ids yet."""
    form = Form(values=_build_values(module), order=ORDER)
    form.rows = {
        "wm": build_watermark_rows(marks),
        "hook": build_hook_rows(hooks),
        "col": [{f: getattr(c, f) for f in COLUMN_FIELDS} for c in (module.columns if module else ())],
    }
    if name:
        form.values["name"] = name
        for row in (*form.rows["wm"], *form.rows["hook"]):
            row["id"] = ""
    return form


def read_module_form(db: repo.State, module: Module) -> Form:
    """The form of a module as it is kept now, with its watermarks and hooks."""
    return build_module_form(module, repo.list_watermarks(db, module.id), repo.list_hooks(db, module.id))


def _build_values(module: Module | None) -> dict[str, str]:
    if module is None:
        guards, plain = Guards(), {"merge_strategy": "full", "match": "name", "load": "auto", "retries": "2"}
        plain |= {"create_table": "1", "enabled": "1", **{f.own: _show(f.default) for f in MORE}}
    else:
        guards = module.guards
        placed = [name for name in ORDER if name not in ("shrink", "merge_key")]
        plain = {name: _show(getattr(module, name)) for name in (*placed, *(f.own for f in MORE))}
        plain |= {name: _show(getattr(module, name)) for name in FLAGS}
        plain["merge_key"] = module.key_text
    return plain | {name: _show(value) for name, value in asdict(guards).items()}


def _show(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    return f"{value:g}" if isinstance(value, float) else str(value)


def list_unusual_guards(form: Form) -> list[str]:
    """The guards of a form that are not as usual, in words."""
    flags = [
        f.unusual.format(form.holds(f.name)) for f in GUARDS if f.kind == "flag" and _read_flag(form, f) != f.default
    ]
    others = [f for f in GUARDS if f.kind != "flag" and form.value(f.name) not in ("", _show(f.default))]
    return flags + [f"{f.name} {form.value(f.name)}" for f in others]


def fill_module_form(form: Form, data: FormData) -> None:
    """Puts what was sent over the form; arrays that were not sent leave their rows as they are."""
    form.take(data)
    for prefix in ("wm", "hook", "col"):
        if any(name.startswith(f"{prefix}_") for name in data):
            form.rows[prefix] = _strip_blanks(prefix, _read_rows(prefix, data))


def _read_rows(prefix: str, data: FormData) -> list[FormRow]:
    if prefix == "wm":
        return read_watermark_rows(data)
    return read_hook_rows(data) if prefix == "hook" else get_rows(data, "col", COLUMN_FIELDS)


def _strip_blanks(prefix: str, rows: list[FormRow]) -> list[FormRow]:
    """Without the empty rows at the end: the page adds its own."""
    typed = {"wm": WATERMARK_TYPED, "hook": ("sql",), "col": COLUMN_FIELDS[1:]}[prefix]
    while rows and not rows[-1]["id"] and is_blank(rows[-1], typed):
        rows.pop()
    return rows


def save_module(db: repo.State, user: str, form: Form, data: FormData, module_id: int | None = None) -> Module:
    """Makes or changes a module with its watermarks and hooks and notes who did, in one transaction.

    Raises FormRefused, with the problems in the form and nothing changed; NotFound for a module that is gone.
    """
    with repo.transaction(db):
        if module_id is not None:
            kept = read_module_form(db, repo.get_module(db, module_id))
            kinds = ("module", "watermark", "hook")
            check_clash(db, form, kept, kinds=kinds, name=kept.value("name"), address=f"/modules/{module_id}")
        fields = read_fields(db, form)
        module = _write(db, user, form, fields, module_id)
        if module is not None:
            _save_inline_watermarks(db, user, module.id, data, form)
            save_inline_hooks(db, user, module.id, data, form)
        refuse_problems(form)
        assert module is not None
        return module


def _write(db: repo.State, user: str, form: Form, fields: dict[str, Any], module_id: int | None) -> Module | None:
    try:
        if module_id is None:
            return edit.create(db, edit.MODULE, user, **fields)
        return edit.update(db, edit.MODULE, user, module_id, **fields)
    except MENDABLE as error:
        # Which connection is not there was noted before.
        if not isinstance(error, NotFound):
            form.note_error(error, "name", {"guards": "shrink"})
        return None


def read_fields(db: repo.State, form: Form) -> dict[str, Any]:
    """The fields of the form's module; notes what is wrong with them, and with the rows of watermarks and hooks."""
    check_watermark_rows(form)
    check_hook_rows(form)
    form.need("name", "Give the module a name.")
    form.need("source_query", "Write the source query.")
    form.need("dest_table", "Name the dest table.")
    source_id, dest_id = _read_connection(db, form, "source_id"), _read_connection(db, form, "dest_id")
    _check_query(form)
    _check_table(db, form, dest_id)
    shrink = form.read_told("shrink", Guards)
    flags = {name: form.holds(name) for name in FLAGS}
    guards: dict[str, Any] = {f.name: _read_flag(form, f) for f in GUARDS if f.kind == "flag"}
    return {
        **flags,
        "name": form.value("name").strip(),
        "source_id": source_id,
        "dest_id": dest_id,
        "source_query": form.value("source_query"),
        "dest_table": form.value("dest_table").strip(),
        "merge_strategy": form.value("merge_strategy"),
        "merge_key": _read_key(form),
        "match": form.value("match"),
        "load": form.value("load"),
        "columns": _read_columns(form),
        **{f.own: _read_more(form, f) for f in MORE},
        "guards": Guards(shrink=shrink, usual=_read_usual(form), **guards),
        "retries": form.read_told("retries", ModuleFields) or 0,
        "silence_timeout_s": form.read_told("silence_timeout_s", ModuleFields),
        "run_timeout_s": form.read_told("run_timeout_s", ModuleFields),
    }


def _read_usual(form: Form) -> Usual:
    """As the form has it; what is none of the choices is refused when the module is checked."""
    return cast(Usual, form.value("usual") or Guards().usual)


def _read_flag(form: Form, f: Field) -> bool | None:
    """A switch; one without a default has a third position, which is empty."""
    return None if f.default is None and not form.value(f.name) else form.holds(f.name)


def _read_more(form: Form, f: Field) -> Any:
    if f.kind == "flag":
        return form.holds(f.own)
    return form.value(f.own) if f.kind in ("text", "pairs") else form.read_told(f.own, ModuleFields)


def _read_connection(db: repo.State, form: Form, name: str) -> int:
    text = form.value(name)
    known = {str(item.id): item.id for item in repo.list_connections(db)}
    if text not in known:
        form.note(name, "Choose a connection.")
    return known.get(text, 0)


def _check_query(form: Form) -> None:
    try:
        strip_query(form.value("source_query"))
    except PipekitError as error:
        form.note_error(error, "source_query", {getattr(error, "field", ""): "source_query"})


def _check_table(db: repo.State, form: Form, dest_id: int) -> None:
    try:
        if dest_id and form.value("dest_table").strip():
            dest = repo.get_connection(db, dest_id)
            get_driver(dest.driver).parse_table(fill_table(dest, form.value("dest_table").strip()))
    except PipekitError as error:
        form.note("dest_table", f"{error.message} {error.hint}".strip())


def _read_key(form: Form) -> tuple[str, ...]:
    key = parse_key(form.value("merge_key"))
    if len(set(key)) < len(key):
        form.note("merge_key", "A column stands twice in the merge key.")
    return key


def _read_columns(form: Form) -> tuple[Column, ...]:
    rows = [(i, row) for i, row in enumerate(form.rows["col"]) if not is_blank(row, COLUMN_FIELDS[1:])]
    numbers = [int(row["id"][1:]) for _, row in rows if row["id"][1:].isdecimal() and row["id"][:1] == "c"]
    free = max(numbers, default=0)
    columns: list[Column] = []
    seen: dict[str, set[str]] = {"source_name": set(), "dest_name": set()}
    for place, row in rows:
        for name, names in seen.items():
            _check_column_name(form, f"col.{place}.{name}", row[name].strip(), names)
        if not row["id"]:
            free += 1
        columns.append(Column(**{f: row[f].strip() for f in COLUMN_FIELDS[1:]}, id=row["id"] or f"c{free}"))
    return tuple(columns)


def _check_column_name(form: Form, field: str, text: str, seen: set[str]) -> None:
    if not text:
        form.note(field, "A name is needed.")
    elif text in seen:
        form.note(field, f"{text!r} stands twice.")
    seen.add(text)
