# Rendering: the template environment and what every page gets. Knows no route and no record.
"""`render`: a template with the frame's values."""

import time
import zlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal, get_args

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from pipekit import __version__
from pipekit.cutting import cut
from pipekit.engine.progress import round_rows, tell_left
from pipekit.engine.receipt import format_count, format_duration, get_duration_s
from pipekit.http.errors import note_reason
from pipekit.repo.pages import RunBrief
from pipekit.web.kit.assets import locate
from pipekit.web.kit.drawing import draw_gantt, draw_meter, draw_strip, draw_timeline, highlight_sql
from pipekit.web.kit.forms import Form
from pipekit.web.kit.settings import name_settings
from pipekit.web.kit.words import describe_age, format_clock, format_local, format_stamp, status_word, tell_trigger

Theme = Literal["system", "light", "dark"]
THEME_COOKIE = "pipekit_theme"
COMPRESS_FROM = 1000
# Of a value in a list.
LONGEST_SHOWN = 1_000
AGES_HOLD_S = 10

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
    left=tell_left,
    about=lambda rows: format_count(round_rows(rows)),
    age=describe_age,
    local=format_local,
    status_word=status_word,
    trigger=tell_trigger,
    clock=format_clock,
    stamp=format_stamp,
    settings=name_settings,
    sql=highlight_sql,
    strip=draw_strip,
    gantt=draw_gantt,
    ends=lambda value: cut(str(value), LONGEST_SHOWN),
)
ENVIRONMENT.globals.update(
    version=__version__, asset=locate, run_seconds=get_duration_s, meter=draw_meter, timeline=draw_timeline
)


_ERROR_WORDS = {403: "Not allowed", 404: "Not found", 409: "Not now", 429: "Too often", 502: "A database failed"}


def render(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page or a fragment. Every template may use `request`, `user` (None before a login), `csrf` and `theme`."""
    if status >= 400 or request.method == "POST":
        note_reason(request.scope, _find_refusal(values))
    session = getattr(request.state, "session", None)
    frame = {
        "request": request,
        "user": session.user if session else None,
        "csrf": session.csrf if session else "",
        "is_fragment": "hx-request" in request.headers,
        "theme": get_theme(request),
    }
    return answer_html(request, ENVIRONMENT.get_template(template).render({**frame, **values}), status)


def _find_refusal(values: Mapping[str, Any]) -> str:
    """For the log: the problems of a page's forms, the error or the problem that it shows."""
    told: list[str] = []
    for name, value in values.items():
        if isinstance(value, Form):
            told += [f"{field}: {text}" for field, text in value.problems.items()]
        elif isinstance(value, dict) and value.get("error"):
            told.append(_find_refusal(value))
        elif name == "error" and value:
            told.append(f"{value['message']} {value['hint']}".strip())
        elif name == "problem" and value:
            told.append(value)
    return "; ".join(told)


def render_piece(template: str, **values: Any) -> Markup:
    """A piece of a page that is the same for everybody who may see it, so it may be kept: nothing of the frame."""
    return Markup(ENVIRONMENT.get_template(template).render(values))


def get_moment() -> int:
    """Tells one stretch of time from the next, for what is kept with ages in it: `3 min ago` may stand that long."""
    return int(time.time() / AGES_HOLD_S)


def draw_run_row(run: RunBrief, with_module: bool) -> Markup:
    """A run as a line of a list."""
    return _draw_run_row(run, with_module, get_moment())


@lru_cache(maxsize=4000)
def _draw_run_row(run: RunBrief, with_module: bool, moment: int) -> Markup:
    return render_piece("_run_row.html", run=run, with_module=with_module)


class Packed:
    """HTML for many, compressed once, to which each may have something of its own added."""

    def __init__(self, html: str) -> None:
        self.plain = html.encode(errors="replace")
        # Higher levels take twice the time for a tenth less.
        self._packer = zlib.compressobj(3, zlib.DEFLATED, 31)
        self._begin = self._packer.compress(self.plain) + self._packer.flush(zlib.Z_FULL_FLUSH)

    def finish(self, more: bytes = b"") -> bytes:
        """All of it as gzip, with `more` at its end."""
        packer = self._packer.copy()
        return self._begin + packer.compress(more) + packer.flush()


def answer_html(request: Request, html: str, status: int = 200) -> HTMLResponse:
    """HTML as an answer, compressed here, in the request's own thread, where that is worth it."""
    if len(html) < COMPRESS_FROM:
        return HTMLResponse(html.encode(errors="replace"), status)
    return answer_packed(request, Packed(html), status=status)


def answer_packed(request: Request, packed: Packed, more: str = "", status: int = 200) -> HTMLResponse:
    """HTML that is compressed already, with `more` at its end."""
    tail = more.encode(errors="replace")
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return HTMLResponse(packed.plain + tail, status)
    headers = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    return HTMLResponse(packed.finish(tail), status, headers)


ENVIRONMENT.filters["run_row"] = draw_run_row


def get_theme(request: Request) -> Theme:
    """The looks this browser asked for on the settings page."""
    asked = request.cookies.get(THEME_COOKIE)
    return next((theme for theme in get_args(Theme) if theme == asked), "system")


def render_error(request: Request, status: int, shown: dict[str, Any]) -> HTMLResponse:
    """An error as a page, or as a fragment for HTMX."""
    template = "_error.html" if "hx-request" in request.headers else "error.html"
    words = _ERROR_WORDS.get(status, "Refused" if status < 500 else "It failed")
    return render(request, template, status, error=shown, status_code=status, words=words)
