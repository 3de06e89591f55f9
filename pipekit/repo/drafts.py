# What people have typed into the wizard and not yet made. Knows the table, nothing of what a form means.
"""Drafts of the wizard: kept for one person each, a few of them, until they are made or thrown away."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

from pipekit.errors import NotFound
from pipekit.models import Row
from pipekit.repo.state import State, now, transaction

DraftStep = Literal["tables", "columns", "sql", "dest"]
# The oldest of a person's drafts makes room.
MOST_DRAFTS = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """One person's form as it stood at a step."""

    key: str
    title: str
    step: DraftStep
    form: Mapping[str, Any]
    created_at: str
    updated_at: str

    @classmethod
    def from_row(cls, row: Row) -> Self:
        plain = {name: row[name] for name in ("title", "step", "created_at", "updated_at")}
        return cls(key=row["draft_key"], form=json.loads(row["form_json"]), **plain)


def save_draft(db: State, user_id: int, key: str, *, title: str, step: DraftStep, form: Mapping[str, Any]) -> None:
    """Keeps a draft, over the one of the same key; the oldest beyond `MOST_DRAFTS` goes."""
    at = now()
    values = {"user": user_id, "key": key, "title": title, "step": step, "form": json.dumps(form), "at": at}
    with transaction(db):
        db.change(
            """
            INSERT INTO wizard_draft (user_id, draft_key, title, step, form_json, created_at, updated_at)
            VALUES (:user, :key, :title, :step, :form, :at, :at)
            ON CONFLICT (user_id, draft_key) DO UPDATE
            SET title = excluded.title, step = excluded.step, form_json = excluded.form_json,
                updated_at = excluded.updated_at
            """,
            values,
        )
        db.change(
            """
            DELETE FROM wizard_draft WHERE user_id = :user AND draft_key NOT IN (
                SELECT draft_key FROM wizard_draft WHERE user_id = :user
                ORDER BY updated_at DESC, draft_key = :key DESC LIMIT :most)
            """,
            {"user": user_id, "key": key, "most": MOST_DRAFTS},
        )


def get_draft(db: State, user_id: int, key: str) -> Draft:
    """A person's draft; raises NotFound, also for another person's."""
    row = db.row("SELECT * FROM wizard_draft WHERE user_id = ? AND draft_key = ?", (user_id, key))
    if row is None:
        raise NotFound("There is no such draft.", hint="It was made into a module, or thrown away.")
    return Draft.from_row(row)


def list_drafts(db: State, user_id: int) -> list[Draft]:
    """A person's drafts, the latest first."""
    rows = db.rows("SELECT * FROM wizard_draft WHERE user_id = ? ORDER BY updated_at DESC", (user_id,))
    return [Draft.from_row(row) for row in rows]


def delete_draft(db: State, user_id: int, key: str) -> bool:
    """Throws a person's draft away; False when there is none."""
    return bool(db.change("DELETE FROM wizard_draft WHERE user_id = ? AND draft_key = ?", (user_id, key)))
