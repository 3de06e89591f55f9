# The wizard's form as a draft: what of it is kept, and getting it back. Knows no request and no template.
"""`keep_draft`, `open_draft`, `drop_draft`."""

import re
import secrets
from dataclasses import dataclass

from pipekit import repo
from pipekit.web.kit.forms import Form
from pipekit.web.modules.watermarks import FIELDS as WM_FIELDS
from pipekit.web.wizard.form import COLUMN_FIELDS, ENTRY_MODES, FIRST_STEPS, ORDER, STEP3, TICKS

KEPT = (*FIRST_STEPS, *STEP3, "filter")
# The fields of a row of each kind: a draft of an earlier version may lack some.
ROWS = {"col": COLUMN_FIELDS, "wm": (*WM_FIELDS, "deleted"), **{prefix: (field,) for prefix, field in TICKS.items()}}
STEP_WORDS: dict[repo.DraftStep, str] = {
    "tables": "choosing a table",
    "columns": "choosing columns",
    "sql": "writing SQL",
    "dest": "the dest",
}
_KEY = re.compile(r"[0-9a-f]{16}\Z")
_LONGEST_TITLE = 80


@dataclass(frozen=True, kw_only=True, slots=True)
class DraftLine:
    """A draft as the wizard's first page lists it."""

    key: str
    title: str
    at: str
    step: str


def new_draft_key() -> str:
    """What names a draft in the forms of one pass through the wizard."""
    return secrets.token_hex(8)


def keep_draft(db: repo.State, user_id: int, form: Form, step: repo.DraftStep) -> None:
    """Keeps what stands in the form; an empty one is no draft yet."""
    if not _KEY.match(form.value("draft")):
        form.values["draft"] = new_draft_key()
    if not form.value("source_id") and not form.value("query").strip():
        return
    values = {name: form.value(name) for name in KEPT if name in form.values}
    kept = {"values": values, "rows": {name: form.rows.get(name, []) for name in ROWS}}
    repo.save_draft(db, user_id, form.value("draft"), title=_tell(form), step=step, form=kept)
    form.values["kept"] = "1"


def open_draft(db: repo.State, user_id: int, key: str) -> tuple[Form, repo.DraftStep]:
    """A draft's form and the step it stood at. Raises NotFound."""
    draft = repo.get_draft(db, user_id, key)
    form = Form(values={**draft.form["values"], "draft": key, "kept": "1"}, order=ORDER)
    form.rows = {
        name: [{field: row.get(field, "") for field in names} for row in draft.form["rows"].get(name, [])]
        for name, names in ROWS.items()
    }
    if form.value("entry_mode") not in ENTRY_MODES:
        form.values["entry_mode"] = "sql" if draft.step == "sql" else "table"
    return form, draft.step


def choose_step(form: Form, wanted: str, last: repo.DraftStep) -> repo.DraftStep:
    """The step to show: the wanted one where the way in has it and there is enough for it, else the last."""
    ways: dict[str, tuple[repo.DraftStep, ...]] = {
        "sql": ("sql", "dest"),
        "table": ("tables", "columns", "dest"),
    }
    way = ways[form.value("entry_mode")]
    step = next((name for name in way if name == wanted), last if last in way else way[0])
    if step == "dest" and not form.rows["col"]:
        step = way[0]
    return "tables" if step == "columns" and not form.value("table") else step


def list_draft_lines(db: repo.State, user_id: int) -> list[DraftLine]:
    """A person's drafts, the latest first."""
    return [
        DraftLine(key=draft.key, title=draft.title, at=draft.updated_at, step=STEP_WORDS[draft.step])
        for draft in repo.list_drafts(db, user_id)
    ]


def drop_draft(db: repo.State, user_id: int, form: Form) -> None:
    """Throws away the draft of what was made."""
    repo.delete_draft(db, user_id, form.value("draft"))


def _tell(form: Form) -> str:
    """What a person knows the draft by: the module's name, the table, or the query's beginning."""
    if form.value("entry_mode") == "sql":
        what = " ".join(form.value("query").split()) or "a query"
    else:
        what = ".".join(filter(None, (form.value("schema"), form.value("table")))) or "a table"
    name = form.value("name").strip()
    title = f"{name}: {what}" if name else what
    return title if len(title) <= _LONGEST_TITLE else title[: _LONGEST_TITLE - 1] + "…"
