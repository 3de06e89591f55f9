# Watermarks in the state database. Knows nothing of how one is resolved.
"""Create, find, change and delete watermarks."""

from typing import Any

from pipekit.errors import Invalid
from pipekit.fields import list_fields, pick
from pipekit.models import WATERMARK_NAME, Watermark, WatermarkFields
from pipekit.repo.connections import get_connection
from pipekit.repo.modules import check_parts, get_module
from pipekit.repo.names import check_fields, check_text, check_told, get_row, unique
from pipekit.repo.state import State, transaction

_FIELDS = ("connection_id", *(f.own for f in list_fields(WatermarkFields)))


def create_watermark(db: State, *, module_id: int, connection_id: int, **fields: Any) -> Watermark:
    """Gives a module a watermark of these `WatermarkFields`. Raises Invalid, NotFound, NameTaken."""
    check_fields(fields, _FIELDS)
    given = {"connection_id": connection_id, **pick(WatermarkFields(**fields), WatermarkFields)}
    name = given["name"]
    with transaction(db), unique(f"This module has a watermark named {name!r} already."):
        get_module(db, module_id)
        _check(db, given)
        made = get_watermark(db, db.insert("watermark", {"module_id": module_id, **given}))
        check_parts(db, module_id)
        return made


def update_watermark(db: State, watermark_id: int, **changes: Any) -> Watermark:
    """Changes some fields of a watermark. Raises as `create_watermark`."""
    check_fields(changes, _FIELDS)
    with transaction(db), unique(f"This module has a watermark named {changes.get('name')!r} already."):
        _check(db, changes)
        db.update("watermark", watermark_id, changes)
        changed = get_watermark(db, watermark_id)
        if changes.keys() & {"resolver_sql", "default_value"}:
            check_parts(db, changed.module_id)
        return changed


def delete_watermark(db: State, watermark_id: int) -> None:
    """Deletes a watermark; raises NotFound."""
    with transaction(db):
        get_watermark(db, watermark_id)
        db.change("DELETE FROM watermark WHERE id = ?", (watermark_id,))


def get_watermark(db: State, watermark_id: int) -> Watermark:
    """The watermark of this id; raises NotFound."""
    return Watermark.from_row(get_row(db, "watermark", "watermark", watermark_id))


def list_watermarks(db: State, module_id: int | None = None) -> list[Watermark]:
    """A module's watermarks in the order they were made; without one, every module's."""
    where = "TRUE" if module_id is None else "module_id = :module"
    rows = db.rows(f"SELECT * FROM watermark WHERE {where} ORDER BY module_id, id", {"module": module_id})
    return [Watermark.from_row(row) for row in rows]


def _check(db: State, values: dict[str, Any]) -> None:
    if "name" in values and not WATERMARK_NAME.match(values["name"]):
        raise Invalid(
            f"{values['name']!r} cannot be a watermark's name.",
            field="name",
            hint="Use letters, digits and _, not a digit first; the query uses it as {name}.",
        )
    if "connection_id" in values:
        get_connection(db, values["connection_id"])
    if "resolver_sql" in values:
        check_text(values["resolver_sql"], "Resolver SQL", field="resolver_sql")
    check_told(values, WatermarkFields)
