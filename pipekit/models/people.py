# Records of people and what they may do. Knows nothing of where they are kept.
"""Users, tokens, the audit trail, and roles."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, Self

from pipekit.errors import Invalid
from pipekit.models import Row

Role = Literal["viewer", "operator", "admin"]
# What a later role may do includes what an earlier one may: look; run and cancel; define, and so run any SQL.
ROLES: tuple[Role, ...] = ("viewer", "operator", "admin")


@dataclass(frozen=True, kw_only=True, slots=True)
class User:
    """Somebody who may log in. The hash never leaves the program."""

    id: int
    name: str
    password_hash: str = field(repr=False)
    role: Role
    enabled: bool = True
    created_at: str
    last_login_at: str | None = None

    @classmethod
    def from_row(cls, row: Row) -> Self:
        return cls(**{**{f.name: row[f.name] for f in fields(cls)}, "enabled": bool(row["enabled"])})

    def may(self, role: Role) -> bool:
        """Whether the user's role includes this one."""
        return ROLES.index(self.role) >= ROLES.index(role)


@dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    """A bearer token of a user; its value is shown once and not kept. Without a role it has its owner's."""

    id: int
    user_id: int
    name: str
    created_at: str
    last_used_at: str | None = None
    role: Role | None = None
    expires_at: str | None = None

    @classmethod
    def from_row(cls, row: Row) -> Self:
        return cls(**{f.name: row[f.name] for f in fields(cls)})


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditEntry:
    """Who did what to which thing, and which fields changed."""

    id: int
    at: str
    user: str
    action: str
    kind: str
    name: str
    detail: Mapping[str, Any]

    @classmethod
    def from_row(cls, row: Row) -> Self:
        plain = {f.name: row[f.name] for f in fields(cls) if f.name != "detail"}
        return cls(**plain, detail=json.loads(row["detail_json"] or "{}"))


def as_role(text: str) -> Role:
    """A role by its name; raises Invalid."""
    for role in ROLES:
        if role == text:
            return role
    raise Invalid(f"There is no role {text!r}.", field="role", hint=f"Roles: {', '.join(ROLES)}.")


def limit_role(role: Role | None, owner: Role) -> Role:
    """What a token may do: its role (None: its owner's), and never more than its owner's is now."""
    return min(role or owner, owner, key=ROLES.index)
