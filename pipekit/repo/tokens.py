# Bearer tokens in the state database. Knows no request; a value is kept hashed.
"""Create, find, list and delete tokens."""

import secrets
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from pipekit.errors import ConfigError, Invalid, StateError
from pipekit.models.people import Role, Token, User, limit_role
from pipekit.repo.names import check_name, unique
from pipekit.repo.sessions import SEEN_EVERY_S, ago, hash_value
from pipekit.repo.state import State, format_moment, now, transaction, wall_clock
from pipekit.repo.users import get_user

USUAL_DAYS = 365
MOST_DAYS = 3650


def create_token(
    db: State, user_id: int, name: str, *, role: Role | None = None, days: int = USUAL_DAYS, until: str | None = None
) -> str:
    """A new bearer token of a user; returns its value, which is shown once. Raises Invalid, NameTaken, NotFound.

    It may what `role` may (the owner's unless given, and never more), and ends after `days`, at `until` at the latest.
    """
    name = check_name(name)
    if not 1 <= days <= MOST_DAYS:
        raise Invalid(f"A token ends after 1 to {MOST_DAYS:,} days.", field="days")
    ends = format_moment(wall_clock() + timedelta(days=days))
    value = f"pk_{secrets.token_urlsafe(32)}"
    with transaction(db), unique(f"This user has a token named {name!r} already."):
        owner = get_user(db, user_id)
        role = role or owner.role
        if not owner.may(role):
            raise Invalid(f"{owner.name} is {owner.role}; a token may no more than its owner.", field="role")
        values = {"user_id": user_id, "name": name, "role": role, "expires_at": min(ends, until or ends)}
        db.insert("token", {**values, "hash": hash_value(value), "created_at": now()})
    return value


def find_token_user(db: State, value: str) -> User | None:
    """Whose token this is, with the role that the token has now; None for one that is unknown or has ended."""
    row = db.row(
        "SELECT t.id AS token_id, t.last_used_at, t.role AS token_role, u.* FROM token t"
        " JOIN user u ON u.id = t.user_id"
        " WHERE t.hash = ? AND u.enabled AND (t.expires_at IS NULL OR t.expires_at > ?)",
        (hash_value(value), now()),
    )
    if row is None:
        return None
    if (row["last_used_at"] or "") < ago(SEEN_EVERY_S):
        # Whoever may read may read though the disk is full or the file may not be written.
        with suppress(StateError, ConfigError):
            db.change("UPDATE token SET last_used_at = ? WHERE id = ?", (now(), row["token_id"]))
    owner = User.from_row(row)
    return replace(owner, role=limit_role(row["token_role"], owner.role))


def find_token_end(db: State, value: str) -> str | None:
    """When the token of this value ends; None where there is none, or it has no end."""
    row = db.row("SELECT expires_at FROM token WHERE hash = ?", (hash_value(value),))
    return row["expires_at"] if row else None


def list_tokens(db: State, user_id: int) -> list[Token]:
    """A user's tokens, the newest first."""
    rows = db.rows("SELECT * FROM token WHERE user_id = ? ORDER BY id DESC", (user_id,))
    return [Token.from_row(row) for row in rows]


def describe_new_password(db: State, user_id: int) -> dict[str, list[str | None]]:
    """What the audit trail says of a new password, before it is set: the tokens that end with the old one."""
    ended = ", ".join(token.name for token in list_tokens(db, user_id))
    return {"password": ["(old)", "(new)"], **({"tokens": [ended, None]} if ended else {})}


def delete_token(db: State, user_id: int, token_id: int) -> bool:
    """Revokes a user's token; False when there is none."""
    return bool(db.change("DELETE FROM token WHERE id = ? AND user_id = ?", (token_id, user_id)))
