# Hooks in the state database. Knows nothing of how one is run.
"""Create, find, change and delete hooks."""

from typing import Any

from pipekit.fields import list_fields, pick
from pipekit.models import Hook, HookFields
from pipekit.repo.modules import check_parts, get_module
from pipekit.repo.names import check_fields, check_text, check_told, get_row
from pipekit.repo.state import State, transaction

_FIELDS = tuple(f.own for f in list_fields(HookFields))


def create_hook(db: State, *, module_id: int, sql: str, **options: Any) -> Hook:
    """Gives a module a hook. Options are the other fields of `HookFields`. Raises Invalid, NotFound for the module."""
    check_fields(options, _FIELDS)
    values = pick(HookFields(sql=sql, **options), HookFields)
    _check(values)
    with transaction(db):
        get_module(db, module_id)
        made = get_hook(db, db.insert("hook", {"module_id": module_id, **values}))
        check_parts(db, module_id)
        return made


def update_hook(db: State, hook_id: int, **changes: Any) -> Hook:
    """Changes some fields of a hook. Raises Invalid, NotFound."""
    check_fields(changes, _FIELDS)
    _check(changes)
    with transaction(db):
        db.update("hook", hook_id, changes)
        changed = get_hook(db, hook_id)
        if "sql" in changes:
            check_parts(db, changed.module_id)
        return changed


def delete_hook(db: State, hook_id: int) -> None:
    """Deletes a hook; raises NotFound."""
    with transaction(db):
        get_hook(db, hook_id)
        db.change("DELETE FROM hook WHERE id = ?", (hook_id,))


def get_hook(db: State, hook_id: int) -> Hook:
    """The hook of this id; raises NotFound."""
    return Hook.from_row(get_row(db, "hook", "hook", hook_id))


def list_hooks(db: State, module_id: int | None = None) -> list[Hook]:
    """A module's hooks in the order they run; without one, every module's."""
    where = "TRUE" if module_id is None else "module_id = :module"
    rows = db.rows(f"SELECT * FROM hook WHERE {where} ORDER BY module_id, run_order, id", {"module": module_id})
    return [Hook.from_row(row) for row in rows]


def _check(values: dict[str, Any]) -> None:
    if "sql" in values:
        check_text(values["sql"], "The hook's SQL", field="sql")
    check_told(values, HookFields)
