# Users and the audit trail in the state database. Knows no request and hashes no password.
"""Create, find, change and delete users; note who changed what."""

import json
from collections.abc import Mapping
from typing import Any

from pipekit.cutting import cut
from pipekit.errors import Conflict
from pipekit.models import Row
from pipekit.models.people import AuditEntry, Role, User, as_role
from pipekit.repo.names import check_fields, check_name, get_row, get_row_by_name, unique
from pipekit.repo.state import State, now, transaction

# Of a value that was changed; queries are seldom longer.
LONGEST_NOTED = 10_000


def create_user(db: State, *, name: str, password_hash: str, role: Role = "admin") -> User:
    """Makes a user. Raises Invalid, NameTaken."""
    name = check_name(name)
    as_role(role)
    with transaction(db), unique(f"There is a user named {name!r} already."):
        values = {"name": name, "password_hash": password_hash, "role": role, "created_at": now()}
        return get_user(db, db.insert("user", values))


def update_user(db: State, user_id: int, **changes: Any) -> User:
    """Changes `password_hash`, `role` or `enabled`; ends the user's sessions, and tokens with the old password.

    Keeps one enabled admin (Conflict).
    """
    check_fields(changes, ("password_hash", "role", "enabled"))
    if "role" in changes:
        as_role(changes["role"])
    with transaction(db):
        get_user(db, user_id)
        db.update("user", user_id, changes)
        _keep_an_admin(db)
        db.change("DELETE FROM session WHERE user_id = ?", (user_id,))
        if "password_hash" in changes:
            db.change("DELETE FROM token WHERE user_id = ?", (user_id,))
        return get_user(db, user_id)


def delete_user(db: State, user_id: int) -> None:
    """Deletes a user with sessions and tokens. Keeps one enabled admin (Conflict). Raises NotFound."""
    with transaction(db):
        get_user(db, user_id)
        db.change("DELETE FROM user WHERE id = ?", (user_id,))
        _keep_an_admin(db)


def get_user(db: State, user_id: int) -> User:
    """The user of this id; raises NotFound."""
    return User.from_row(get_row(db, "user", "user", user_id))


def get_user_by_name(db: State, name: str) -> User:
    """The user of this name, letter case aside; raises NotFound."""
    return User.from_row(get_row_by_name(db, "user", "user", name))


def find_user_by_name(db: State, name: str) -> User | None:
    """The user of this name, letter case aside, or None."""
    row = db.row("SELECT * FROM user WHERE name = ?", (name,))
    return User.from_row(row) if row else None


def list_users(db: State) -> list[User]:
    """Every user by name."""
    return [User.from_row(row) for row in db.rows("SELECT * FROM user ORDER BY name")]


# In the words of the index `audit_of_changes`.
NO_RUNS = "action NOT IN ('run', 'cancel')"


def note_audit(
    db: State, *, user: str, action: str, kind: str, name: str, detail: Mapping[str, Any] | None = None
) -> None:
    """Notes who did what to which thing, long values by their ends; call it in the transaction that does it."""
    kept = {name: _cut_values(value) for name, value in (detail or {}).items()}
    text = json.dumps(kept, ensure_ascii=False, default=str) if kept else None
    values = {"at": now(), "user": user, "action": action, "kind": kind, "name": name, "detail_json": text}
    db.insert("audit", values)


def _cut_values(value: Any) -> Any:
    """An old and a new value, or one alone, each as it is or, where it is long, as a text that is cut."""
    if isinstance(value, list | tuple) and len(value) == 2:
        return [_cut_value(item) for item in value]
    return _cut_value(value)


def _cut_value(value: Any) -> Any:
    if value is None or isinstance(value, int | float):
        return value
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return value if len(text) <= LONGEST_NOTED else cut(text, LONGEST_NOTED)


def list_audit(
    db: State,
    *,
    kind: str | None = None,
    name: str | None = None,
    user: str | None = None,
    limit: int = 100,
    before_id: int | None = None,
    with_runs: bool = True,
) -> list[AuditEntry]:
    """The audit trail, the newest first; without what people ran and cancelled where `with_runs` is False."""
    filters: dict[str, Any] = {
        "kind = :kind": kind,
        "name = :name": name,
        "user = :user": user,
        "id < :before_id": before_id,
    }
    given = [text for text, value in filters.items() if value is not None]
    where = " AND ".join([*given, *(() if with_runs else (NO_RUNS,))]) or "TRUE"
    values = {"kind": kind, "name": name, "user": user, "before_id": before_id, "limit": limit}
    rows = db.rows(f"SELECT * FROM audit WHERE {where} ORDER BY id DESC LIMIT :limit", values)
    return [AuditEntry.from_row(row) for row in rows]


def _keep_an_admin(db: State) -> None:
    row: Row | None = db.row("SELECT 1 FROM user WHERE role = 'admin' AND enabled LIMIT 1")
    if row is None:
        raise Conflict("One enabled admin must stay.")
