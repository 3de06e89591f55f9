# The hooks of a module's form: rows and saving. Knows no request and no template.
"""Editable rows sent as parallel arrays (`hook_id[]`, `hook_sql[]`, `hook_run_on[]`, `hook_run_order[]`)."""

from collections.abc import Iterable

from starlette.datastructures import FormData

from pipekit import repo
from pipekit.definitions import edit
from pipekit.models import RUN_ON, Hook
from pipekit.web.kit.forms import MENDABLE, Form, FormRow, get_list, get_rows

FIELDS = ("id", "sql", "run_on", "run_order")
HIGHEST_ORDER = 1_000_000


def build_hook_rows(hooks: Iterable[Hook]) -> list[FormRow]:
    """Hooks as rows of the form."""
    return [
        {"id": str(h.id), "sql": h.sql, "run_on": h.run_on, "run_order": str(h.run_order), "deleted": ""} for h in hooks
    ]


def read_hook_rows(data: FormData) -> list[FormRow]:
    """The rows that were sent, those to be deleted marked."""
    gone = set(get_list(data, "hook_deleted_id[]")) - {""}
    return [{**row, "deleted": "1" if row["id"] in gone else ""} for row in get_rows(data, "hook", FIELDS)]


def save_inline_hooks(db: repo.State, user: str, module_id: int, data: FormData, form: Form) -> None:
    """Deletes, changes and makes a module's hooks as the rows say; notes in `form` what cannot be kept."""
    known = {str(hook.id): hook for hook in repo.list_hooks(db, module_id)}
    for gone in set(get_list(data, "hook_deleted_id[]")) & set(known):
        edit.delete(db, edit.HOOK, user, known.pop(gone).id)
    for place, row in enumerate(read_hook_rows(data)):
        if row["deleted"] or (not row["id"] and not row["sql"].strip()):
            continue
        values = {"sql": row["sql"], "run_on": row["run_on"] or "success", "run_order": _read_order(place, row, form)}
        try:
            if row["id"] in known:
                edit.update(db, edit.HOOK, user, known[row["id"]].id, **values)
            else:
                edit.create(db, edit.HOOK, user, module_id=module_id, **values)
        except MENDABLE as error:
            form.note_error(error, f"hook.{place}.sql", {name: f"hook.{place}.{name}" for name in FIELDS})


def check_hook_rows(form: Form) -> None:
    """Notes what is wrong with the rows by themselves."""
    for place, row in enumerate(form.rows["hook"]):
        if row["deleted"] or (not row["id"] and not row["sql"].strip()):
            continue
        _read_order(place, row, form)
        if not row["sql"].strip():
            form.note(f"hook.{place}.sql", "Write the SQL, or tick delete.")
        if row["run_on"] and row["run_on"] not in RUN_ON:
            form.note(f"hook.{place}.run_on", f"A hook runs on {', '.join(RUN_ON)}.")


def _read_order(place: int, row: FormRow, form: Form) -> int:
    text = row["run_order"].strip() or "1"
    digits = text.removeprefix("-")
    if digits.isdecimal() and digits.isascii() and int(digits) <= HIGHEST_ORDER:
        return int(text)
    form.note(f"hook.{place}.run_order", "This must be a whole number; lower runs first.")
    return 1
