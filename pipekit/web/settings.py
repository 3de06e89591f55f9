# The program itself: the pause switch, settings in force, looks, the audit trail. Knows no module.
"""`/settings`, `/audit`."""

from collections.abc import Callable
from dataclasses import fields
from datetime import datetime
from typing import Any, get_args
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response

from pipekit import repo
from pipekit.config import KEYS, Config
from pipekit.cron import get_zone
from pipekit.engine.starting.requests import ask_pause
from pipekit.http.auth import is_https
from pipekit.http.state import ContextDep, Db
from pipekit.models.people import AuditEntry
from pipekit.repo import pages
from pipekit.web.kit.answers import go
from pipekit.web.kit.forms import FormDep, get_text
from pipekit.web.kit.render import THEME_COOKIE, Theme, render
from pipekit.web.kit.sessions import Operator, Viewer

router = APIRouter(include_in_schema=False)

THEME_KEPT_S = 365 * 24 * 3600
AUDIT_ROWS = 100
# Of these nothing but runs is noted.
RUN_KINDS = ("run", "group run")
KINDS = (
    "connection",
    "module",
    "watermark",
    "hook",
    "group",
    "member",
    "schedule",
    "secret",
    "user",
    "token",
    "login",
    "driver",
    "alert channel",
    "alert rule",
    "program",
)
_DEFAULTS = {f.name: f.default for f in fields(Config)}


@router.get("/settings")
def show_settings(request: Request, db: Db, context: ContextDep, user: Viewer) -> Response:
    """The pause switch, what is in force and where it is set."""
    config = context.config
    lines = [(name, _describe(getattr(config, name)), getattr(config, name) == _DEFAULTS[name]) for name in KEYS]
    return render(
        request,
        "settings.html",
        paused=repo.is_paused(db),
        lines=lines,
        config=config,
        zone=datetime.now(get_zone()).strftime("%Z, UTC%z"),
        server=repo.find_server(db),
        themes=get_args(Theme),
    )


def _describe(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(_describe, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


@router.post("/settings/pause")
def pause(request: Request, db: Db, user: Operator) -> Response:
    """Holds back everything the server would start; what runs goes on."""
    ask_pause(db, True, user=user.name)
    return go(request, "/settings")


@router.post("/settings/resume")
def resume(request: Request, db: Db, context: ContextDep, user: Operator) -> Response:
    """Lets everything go on."""
    ask_pause(db, False, user=user.name)
    context.wake()
    return go(request, "/settings")


@router.post("/settings/theme")
def choose_theme(request: Request, user: Viewer, data: FormDep) -> Response:
    """Light, dark, or as the system has it; kept in this browser."""
    theme = get_text(data, "theme")
    answer = go(request, "/settings")
    if theme in ("light", "dark"):
        secure = is_https(request)
        answer.set_cookie(THEME_COOKIE, theme, max_age=THEME_KEPT_S, secure=secure, httponly=True, samesite="lax")
    else:
        answer.delete_cookie(THEME_COOKIE)
    return answer


@router.get("/audit")
def show_audit(request: Request, db: Db, user: Viewer) -> Response:
    """Who changed what, the newest first; filters and place live in the address."""
    asked = {name: request.query_params.get(name, "").strip() for name in ("kind", "name", "user", "runs", "before")}
    before_id = int(asked["before"]) if asked["before"].isdecimal() else None
    filters = {name: asked[name] or None for name in ("kind", "name", "user")}
    with_runs = asked["runs"] == "1" or asked["kind"] in RUN_KINDS
    entries = repo.list_audit(db, **filters, limit=AUDIT_ROWS + 1, before_id=before_id, with_runs=with_runs)
    more = entries[AUDIT_ROWS - 1].id if len(entries) > AUDIT_ROWS else None
    kept = {name: value for name, value in asked.items() if value and name != "before"}
    return render(
        request,
        "audit.html",
        entries=entries[:AUDIT_ROWS],
        asked=asked,
        kinds=KINDS,
        newest=f"/audit?{urlencode(kept)}",
        older=f"/audit?{urlencode({**kept, 'before': more})}" if more else "",
        is_filtered=bool(kept),
        versions=_list_versions_of(db),
    )


def _list_versions_of(db: repo.State) -> Callable[[AuditEntry], str]:
    """Where the versions are of the module that an entry is of; `""` for one of something else, or that is gone."""
    ids = {module.name.casefold(): module.id for module in pages.list_module_names(db)}

    def find(entry: AuditEntry) -> str:
        if entry.kind not in ("module", "watermark", "hook") or entry.action in ("run", "cancel", "drop"):
            return ""
        found = ids.get(entry.name.partition(": ")[0].casefold())
        return f"/modules/{found}/versions" if found else ""

    return find
