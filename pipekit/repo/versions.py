# Versions of modules: their definitions as text, each as it was from a change on. Knows no YAML and no page.
"""`add_version`, `list_versions`, `get_version`: a row for each change that left a module other than before."""

from dataclasses import dataclass, fields
from typing import Self

from pipekit.errors import NotFound
from pipekit.models import Row
from pipekit.repo.state import State, now

_LISTED = "id, module_id, number, at, user, restores, NULL AS definition"


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """A module's definition from a change on, as a definition file says it; None in a list.

    `number` counts the module's versions from 1; `restores` is that of the one that it brought back. The first one that
    was kept of a module that is older has no user: it is what was found.
    """

    id: int
    module_id: int
    number: int
    at: str
    user: str | None
    restores: int | None
    definition: str | None

    @classmethod
    def from_row(cls, row: Row) -> Self:
        return cls(**{f.name: row[f.name] for f in fields(cls)})


def find_newest_version(db: State, module_id: int) -> Version | None:
    """The version that a module is at; None where none is kept yet."""
    row = db.row("SELECT * FROM module_version WHERE module_id = ? ORDER BY number DESC LIMIT 1", (module_id,))
    return Version.from_row(row) if row else None


def add_version(db: State, module_id: int, *, user: str | None, definition: str, restores: int | None = None) -> bool:
    """Keeps a definition as the newest version, in the caller's transaction; False where it is what the newest says."""
    newest = find_newest_version(db, module_id)
    if newest is not None and newest.definition == definition:
        return False
    values = {"module_id": module_id, "number": newest.number + 1 if newest else 1, "at": now(), "user": user}
    db.insert("module_version", {**values, "restores": restores, "definition": definition})
    return True


def list_versions(db: State, module_id: int, *, limit: int = 50, before: int | None = None) -> list[Version]:
    """The versions of a module without their texts, the newest first; `before` is a number."""
    sql = f"""
        SELECT {_LISTED} FROM module_version
        WHERE module_id = :module AND (:before IS NULL OR number < :before) ORDER BY number DESC LIMIT :limit
    """
    rows = db.rows(sql, {"module": module_id, "before": before, "limit": limit})
    return [Version.from_row(row) for row in rows]


def get_version(db: State, module_id: int, number: int) -> Version:
    """A version of a module; raises NotFound."""
    row = db.row("SELECT * FROM module_version WHERE module_id = ? AND number = ?", (module_id, number))
    if row is None:
        raise NotFound(f"There is no version {number} of this module.")
    return Version.from_row(row)
