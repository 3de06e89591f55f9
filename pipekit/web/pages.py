# Rendering: the template environment and what every page gets. Knows no route and no record.
"""`render`: a template with the frame's values."""

from pathlib import Path
from typing import Any, Literal, get_args

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from pipekit import __version__
from pipekit.engine.receipt import format_count, format_duration, get_duration_s
from pipekit.web.drawing import draw_gantt, draw_history, draw_meter, draw_strip, draw_timeline, highlight_sql
from pipekit.web.run_view import format_clock, tell_trigger
from pipekit.web.words import describe_age, format_local, status_word

Theme = Literal["system", "light", "dark"]
THEME_COOKIE = "pipekit_theme"
STATIC = Path(__file__).parent / "static"

ENVIRONMENT = Environment(
    loader=PackageLoader("pipekit.web"),
    autoescape=select_autoescape(default=True, default_for_string=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
ENVIRONMENT.filters.update(
    count=format_count,
    duration=format_duration,
    age=describe_age,
    local=format_local,
    status_word=status_word,
    trigger=tell_trigger,
    clock=format_clock,
    sql=highlight_sql,
    strip=draw_strip,
    history=draw_history,
    gantt=draw_gantt,
)
ENVIRONMENT.globals.update(version=__version__, run_seconds=get_duration_s, meter=draw_meter, timeline=draw_timeline)


def render(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page or a fragment. Every template may use `request`, `user` (None before a login), `csrf` and `theme`."""
    session = getattr(request.state, "session", None)
    frame = {
        "request": request,
        "user": session.user if session else None,
        "csrf": session.csrf if session else "",
        "is_fragment": "hx-request" in request.headers,
        "theme": get_theme(request),
    }
    return HTMLResponse(ENVIRONMENT.get_template(template).render({**frame, **values}), status)


def get_theme(request: Request) -> Theme:
    """The looks this browser asked for on the settings page."""
    asked = request.cookies.get(THEME_COOKIE)
    return next((theme for theme in get_args(Theme) if theme == asked), "system")


def render_error(request: Request, status: int, shown: dict[str, Any]) -> HTMLResponse:
    """An error as a page, or as a fragment for HTMX."""
    template = "_error.html" if "hx-request" in request.headers else "error.html"
    return render(request, template, status, error=shown, status_code=status)
