# Sessions, and where people log in from, in the state database. Knows no request and no password.
"""Open, find and close sessions; note logins and the places they come from."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from pipekit.models.people import User
from pipekit.repo.state import State, format_moment, now, transaction, wall_clock
from pipekit.repo.users import note_audit

IDLE_S = 8 * 3600.0
ABSOLUTE_S = 7 * 24 * 3600.0
# Writing the moment of every request would make each page a write.
SEEN_EVERY_S = 60.0
# A script that sends name and password each time is noted so often.
NOTED_EVERY_S = 3600.0
MOST_PLACES = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionUser:
    """Whose session a cookie is, and what its unsafe requests must repeat."""

    user: User
    csrf: str
    last_seen_at: str

    @property
    def is_due(self) -> bool:
        """Whether it is time to write down that it is used: see `touch_session`."""
        return self.last_seen_at < ago(SEEN_EVERY_S)


def open_session(db: State, user_id: int) -> str:
    """A new session; returns the cookie's value, which is nowhere kept."""
    value = secrets.token_urlsafe(32)
    with transaction(db):
        db.change("DELETE FROM session WHERE created_at < ?", (ago(ABSOLUTE_S),))
        at = now()
        db.execute(
            "INSERT INTO session (id_hash, user_id, csrf, created_at, last_seen_at) VALUES (?, ?, ?, ?, ?)",
            (hash_value(value), user_id, secrets.token_urlsafe(32), at, at),
        )
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
        (hash_value(value), ago(IDLE_S), ago(ABSOLUTE_S)),
    )
    if row is None:
        return None
    return SessionUser(user=User.from_row(row), csrf=row["csrf"], last_seen_at=row["last_seen_at"])


def touch_session(db: State, value: str) -> None:
    """Writes down that a session is used now, unless that was done within the last minute."""
    sql = "UPDATE session SET last_seen_at = ? WHERE id_hash = ? AND last_seen_at < ?"
    db.change(sql, (now(), hash_value(value), ago(SEEN_EVERY_S)))


def close_session(db: State, value: str) -> None:
    """Ends a session."""
    db.change("DELETE FROM session WHERE id_hash = ?", (hash_value(value),))


def knows_place(db: State, user_id: int, place: str) -> bool:
    """Whether this user has logged in from there before."""
    return db.row("SELECT 1 FROM login_place WHERE user_id = ? AND place = ?", (user_id, place)) is not None


def is_login_due(db: State, user_id: int, place: str) -> bool:
    """Whether the last login from there was noted so long ago that this one is."""
    sql = "SELECT 1 FROM login_place WHERE user_id = ? AND place = ? AND last_at > ?"
    return db.row(sql, (user_id, place, ago(NOTED_EVERY_S))) is None


def note_login(db: State, user: User, *, place: str, address: str, by: str) -> None:
    """Notes that somebody has logged in, and remembers the place; `by` is what asked for it."""
    at = now()
    with transaction(db):
        db.execute(
            "INSERT INTO login_place (user_id, place, last_at) VALUES (?, ?, ?)"
            " ON CONFLICT (user_id, place) DO UPDATE SET last_at = excluded.last_at",
            (user.id, place, at),
        )
        db.change(
            "DELETE FROM login_place WHERE user_id = :user AND place NOT IN"
            " (SELECT place FROM login_place WHERE user_id = :user ORDER BY last_at DESC LIMIT :most)",
            {"user": user.id, "most": MOST_PLACES},
        )
        db.update("user", user.id, {"last_login_at": at})
        detail = {"from": address, "by": by}
        note_audit(db, user=user.name, action="accept", kind="login", name=user.name, detail=detail)


def hash_value(value: str) -> str:
    """What is kept of a cookie or a token. The values are 256 random bits: a fast hash is enough."""
    return hashlib.sha256(value.encode(errors="replace")).hexdigest()


def ago(seconds: float) -> str:
    """The moment so many seconds ago."""
    return format_moment(wall_clock() - timedelta(seconds=seconds))
