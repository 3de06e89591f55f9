# Users, sessions, tokens and the audit trail in the state database. Knows no request and hashes no password.
"""Create, find, change and delete users; open and close sessions; note who changed what."""

import hashlib
import json
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pipekit.errors import ConfigError, Conflict, Invalid, StateError
from pipekit.models import Row
from pipekit.models.people import ROLES, AuditEntry, Role, Token, User
from pipekit.repo.names import check_fields, check_name, get_row, get_row_by_name, unique
from pipekit.repo.state import State, now, transaction

IDLE_S = 8 * 3600.0
ABSOLUTE_S = 7 * 24 * 3600.0
# Writing the moment of every request would make each page a write.
SEEN_EVERY_S = 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionUser:
    """Whose session a cookie is, and what its unsafe requests must repeat."""

    user: User
    csrf: str
    last_seen_at: str

    @property
    def is_due(self) -> bool:
        """Whether it is time to write down that it is used: see `touch_session`."""
        return self.last_seen_at < _ago(SEEN_EVERY_S)


def create_user(db: State, *, name: str, password_hash: str, role: Role = "admin") -> User:
    """Makes a user. Raises Invalid, NameTaken."""
    name = check_name(name)
    _check_role(role)
    with transaction(db), unique(f"There is a user named {name!r} already."):
        values = {"name": name, "password_hash": password_hash, "role": role, "created_at": now()}
        return get_user(db, db.insert("user", values))


def update_user(db: State, user_id: int, **changes: Any) -> User:
    """Changes `password_hash`, `role` or `enabled`; ends the user's sessions. Keeps one enabled admin (Conflict)."""
    check_fields(changes, ("password_hash", "role", "enabled"))
    if "role" in changes:
        _check_role(changes["role"])
    with transaction(db):
        get_user(db, user_id)
        db.update("user", user_id, changes)
        _keep_an_admin(db)
        db.change("DELETE FROM session WHERE user_id = ?", (user_id,))
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


def open_session(db: State, user_id: int) -> str:
    """A new session; returns the cookie's value, which is nowhere kept."""
    value = secrets.token_urlsafe(32)
    with transaction(db):
        db.change("DELETE FROM session WHERE created_at < ?", (_ago(ABSOLUTE_S),))
        at = now()
        db.execute(
            "INSERT INTO session (id_hash, user_id, csrf, created_at, last_seen_at) VALUES (?, ?, ?, ?, ?)",
            (_hash(value), user_id, secrets.token_urlsafe(32), at, at),
        )
        db.update("user", user_id, {"last_login_at": at})
    return value


def find_session(db: State, value: str) -> SessionUser | None:
    """Whose session a cookie's value is; None for an unknown or outlived one, or a user who is switched off.

    It only reads, and so waits for nobody who writes.
    """
    row = db.row(
        """
        SELECT s.csrf, s.last_seen_at, u.* FROM session s JOIN user u ON u.id = s.user_id
        WHERE s.id_hash = ? AND s.last_seen_at > ? AND s.created_at > ? AND u.enabled
        """,
        (_hash(value), _ago(IDLE_S), _ago(ABSOLUTE_S)),
    )
    if row is None:
        return None
    return SessionUser(user=User.from_row(row), csrf=row["csrf"], last_seen_at=row["last_seen_at"])


def touch_session(db: State, value: str) -> None:
    """Writes down that a session is used now, unless that was done within the last minute."""
    sql = "UPDATE session SET last_seen_at = ? WHERE id_hash = ? AND last_seen_at < ?"
    db.change(sql, (now(), _hash(value), _ago(SEEN_EVERY_S)))


def close_session(db: State, value: str) -> None:
    """Ends a session."""
    db.change("DELETE FROM session WHERE id_hash = ?", (_hash(value),))


def create_token(db: State, user_id: int, name: str) -> str:
    """A new bearer token of a user; returns its value, which is shown once. Raises Invalid, NameTaken, NotFound."""
    name = check_name(name)
    value = f"pk_{secrets.token_urlsafe(32)}"
    with transaction(db), unique(f"This user has a token named {name!r} already."):
        get_user(db, user_id)
        db.insert("token", {"user_id": user_id, "name": name, "hash": _hash(value), "created_at": now()})
    return value


def find_token_user(db: State, value: str) -> User | None:
    """Whose token this is, or None."""
    row = db.row(
        "SELECT t.id AS token_id, t.last_used_at, u.* FROM token t JOIN user u ON u.id = t.user_id"
        " WHERE t.hash = ? AND u.enabled",
        (_hash(value),),
    )
    if row is None:
        return None
    if (row["last_used_at"] or "") < _ago(SEEN_EVERY_S):
        # Whoever may read may read though the disk is full or the file may not be written.
        with suppress(StateError, ConfigError):
            db.change("UPDATE token SET last_used_at = ? WHERE id = ?", (now(), row["token_id"]))
    return User.from_row(row)


def list_tokens(db: State, user_id: int) -> list[Token]:
    """A user's tokens, the newest first."""
    rows = db.rows("SELECT * FROM token WHERE user_id = ? ORDER BY id DESC", (user_id,))
    return [Token.from_row(row) for row in rows]


def delete_token(db: State, user_id: int, token_id: int) -> bool:
    """Revokes a user's token; False when there is none."""
    return bool(db.change("DELETE FROM token WHERE id = ? AND user_id = ?", (token_id, user_id)))


def note_audit(
    db: State, *, user: str, action: str, kind: str, name: str, detail: Mapping[str, Any] | None = None
) -> None:
    """Notes who did what to which thing; call it in the transaction that does it."""
    text = json.dumps(dict(detail), ensure_ascii=False, default=str) if detail else None
    values = {"at": now(), "user": user, "action": action, "kind": kind, "name": name, "detail_json": text}
    db.insert("audit", values)


def list_audit(
    db: State,
    *,
    kind: str | None = None,
    name: str | None = None,
    user: str | None = None,
    limit: int = 100,
    before_id: int | None = None,
) -> list[AuditEntry]:
    """The audit trail, the newest first."""
    filters: dict[str, Any] = {
        "kind = :kind": kind,
        "name = :name": name,
        "user = :user": user,
        "id < :before_id": before_id,
    }
    where = " AND ".join(text for text, value in filters.items() if value is not None) or "TRUE"
    values = {"kind": kind, "name": name, "user": user, "before_id": before_id, "limit": limit}
    rows = db.rows(f"SELECT * FROM audit WHERE {where} ORDER BY id DESC LIMIT :limit", values)
    return [AuditEntry.from_row(row) for row in rows]


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise Invalid(f"There is no role {role!r}.", field="role", hint=f"Roles: {', '.join(ROLES)}.")


def _keep_an_admin(db: State) -> None:
    row: Row | None = db.row("SELECT 1 FROM user WHERE role = 'admin' AND enabled LIMIT 1")
    if row is None:
        raise Conflict("One enabled admin must stay.")


def _hash(value: str) -> str:
    # The values are 256 random bits: a fast hash is enough.
    return hashlib.sha256(value.encode(errors="replace")).hexdigest()


def _ago(seconds: float) -> str:
    moment = datetime.now(UTC) - timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
