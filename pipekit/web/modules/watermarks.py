# The watermarks of a module's form: rows, checks, saving. Knows no request and no template.
"""Editable rows sent as parallel arrays (`wm_id[]`, `wm_name[]` ...), and the warning about names that do not meet."""

from collections.abc import Iterable, Sequence
from typing import Any

from starlette.datastructures import FormData

from pipekit import repo
from pipekit.definitions import edit
from pipekit.engine.watermarks.places import find_places, find_unmatched_placeholders
from pipekit.models import WATERMARK_NAME, Watermark
from pipekit.web.kit.forms import MENDABLE, Form, FormRow, get_list, get_rows, is_blank

# What was proposed, and where to ask it, tells in the wizard whether somebody has changed it since.
FIELDS = ("id", "name", "connection_id", "resolver_sql", "default_value", "proposed", "proposed_id")
TYPED = ("name", "resolver_sql", "default_value")


def build_watermark_rows(marks: Iterable[Watermark]) -> list[FormRow]:
    """Watermarks as rows of the form."""
    return [
        {
            "id": str(mark.id),
            "name": mark.name,
            "connection_id": str(mark.connection_id),
            "resolver_sql": mark.resolver_sql,
            "default_value": mark.default_value or "",
            "proposed": "",
            "proposed_id": "",
            "deleted": "",
        }
        for mark in marks
    ]


def read_watermark_rows(data: FormData) -> list[FormRow]:
    """The rows that were sent, those to be deleted marked."""
    gone = set(get_list(data, "wm_deleted_id[]")) - {""}
    return [{**row, "deleted": "1" if row["id"] in gone else ""} for row in get_rows(data, "wm", FIELDS)]


def is_left_aside(row: FormRow) -> bool:
    """Whether nothing was typed into a row that is no watermark yet."""
    return not row["id"] and is_blank(row, TYPED)


def _save_inline_watermarks(
    db: repo.State, user: str, module_id: int, data: FormData, form: Form | None = None
) -> None:
    """Deletes, changes and makes a module's watermarks as the rows say; notes in `form` what cannot be kept.

    A blank row without an id is left aside; watermarks that are in no row stay. Call it in the transaction that saves
    the module.
    """
    known = {str(mark.id) for mark in repo.list_watermarks(db, module_id)}
    for gone in set(get_list(data, "wm_deleted_id[]")) & known:
        edit.delete(db, edit.WATERMARK, user, int(gone))
    save_watermark_rows(db, user, module_id, read_watermark_rows(data), form if form is not None else Form())


def save_watermark_rows(db: repo.State, user: str, module_id: int, rows: Sequence[FormRow], form: Form) -> None:
    """Changes and makes a module's watermarks as the rows say, in the transaction that saves the module."""
    known = {str(mark.id): mark for mark in repo.list_watermarks(db, module_id)}
    for place, row in enumerate(rows):
        if not row["deleted"] and not is_left_aside(row):
            noted = _read_row(place, row, known.get(row["id"]), form)
            if noted:
                _save_row(db, user, module_id, place, noted, known.get(row["id"]), form)


def _read_row(place: int, row: FormRow, mark: Watermark | None, form: Form) -> dict[str, Any]:
    if not _check_row(place, row, form):
        return {}
    keeps_empty = mark is not None and mark.default_value == ""
    return {
        "name": row["name"].strip(),
        "connection_id": int(row["connection_id"]),
        "resolver_sql": row["resolver_sql"],
        "default_value": row["default_value"] if row["default_value"] or keeps_empty else None,
    }


def _save_row(
    db: repo.State, user: str, module_id: int, place: int, values: dict[str, Any], mark: Watermark | None, form: Form
) -> None:
    try:
        if mark is None:
            edit.create(db, edit.WATERMARK, user, module_id=module_id, **values)
        else:
            edit.update(db, edit.WATERMARK, user, mark.id, **values)
    except MENDABLE as error:
        form.note_error(error, f"wm.{place}.name", {name: f"wm.{place}.{name}" for name in FIELDS})


def check_watermark_rows(form: Form) -> None:
    """Notes what is wrong with the rows by themselves, so that it is told together with everything else."""
    seen: set[str] = set()
    for place, row in enumerate(form.rows["wm"]):
        if row["deleted"] or is_left_aside(row):
            continue
        if _check_row(place, row, form) and row["name"].strip() in seen:
            form.note(f"wm.{place}.name", "Another watermark of this module has this name.")
        seen.add(row["name"].strip())


def _check_row(place: int, row: FormRow, form: Form) -> bool:
    told = {
        "name": "" if WATERMARK_NAME.match(row["name"].strip()) else "Use letters, digits and _, not a digit first.",
        "connection_id": "" if row["connection_id"].isdecimal() else "Choose the connection that is asked.",
        "resolver_sql": "" if row["resolver_sql"].strip() else "Write the SQL whose first cell is the value.",
    }
    for name, problem in told.items():
        if problem:
            form.note(f"wm.{place}.{name}", problem)
    return not any(told.values())


def build_placeholder_warnings(query: str, names: Sequence[str]) -> list[str]:
    """What to say where `{name}` tokens of a query and the module's watermarks do not meet; empty when they do."""
    unknown = [f"{{{name}}}" for name in find_unmatched_placeholders(query, names)]
    used = {name for name, place in find_places(query).items() if place != "comment"}
    unused = [name for name in names if name not in used]
    warnings = []
    if unknown:
        warnings.append(f"The query has {', '.join(unknown)}, and no watermark of that name: it is sent as it stands.")
    if unused:
        shown = ", ".join(unused)
        warnings.append(f"The query does not use {shown}: write {{{unused[0]}}} where the value belongs.")
    return warnings


def tell_unbounded(strategy: str, rows: Sequence[FormRow]) -> str:
    """What a strategy that adds to the dest does where no watermark bounds the query; `""` where one does."""
    if any(row["name"].strip() and not row["deleted"] for row in rows):
        return ""
    if strategy == "append":
        return "Without a watermark, append adds every row of the query again at each run."
    if strategy not in ("incremental", "upsert"):
        return ""
    stays = "rows that are gone from the source stay in the dest unless the module is told to find them"
    return f"Without a watermark, {strategy} reads every row of the query again at each run; {stays}."
