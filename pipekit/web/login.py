# Logging in and out. Knows sessions, no other page.
"""`/login` and `/logout`."""

import re
from typing import Annotated
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from pipekit import repo
from pipekit.errors import TooMany, Unauthorized
from pipekit.http.auth import find_session, get_address, get_cookie, log_in
from pipekit.http.state import Db
from pipekit.web.kit.render import render
from pipekit.web.kit.sessions import Viewer, check_origin, delete_session_cookie, set_session_cookie

router = APIRouter(include_in_schema=False)

# An address of this server's pages, and of no other: browsers take // and /\ for the beginning of a host's name.
OURS = re.compile(r"/(?![/\\])[^\s\\]{0,1999}")


def get_login_address(request: Request) -> str:
    """The login, with the page that was asked for, to go on to; for a fragment that is the page it stands in."""
    asked = request.url
    if "hx-request" in request.headers:
        parts = urlsplit(request.headers.get("hx-current-url", ""))
        wanted = parts.path + (f"?{parts.query}" if parts.query else "")
    elif request.method == "GET":
        wanted = asked.path + (f"?{asked.query}" if asked.query else "")
    else:
        wanted = ""
    is_worth_it = wanted != "/" and OURS.fullmatch(wanted)
    return f"/login?{urlencode({'next': wanted})}" if is_worth_it else "/login"


def _choose_next(asked: str) -> str:
    """Where to go on to: home for anything that is no page of ours."""
    return asked if OURS.fullmatch(asked) else "/"


@router.get("/login")
def show_login(request: Request, db: Db) -> Response:
    """The form; somebody who is logged in is led on."""
    wanted = request.query_params.get("next", "")
    if find_session(request, db):
        return RedirectResponse(_choose_next(wanted), 303)
    return _show(request, db, wanted)


def _show(
    request: Request, db: repo.State, wanted: str, *, name: str = "", problem: str = "", status: int = 200
) -> Response:
    has_users = bool(repo.list_users(db))
    return render(request, "login.html", status, name=name, problem=problem, has_users=has_users, wanted=wanted)


@router.post("/login")
def do_login(
    request: Request,
    db: Db,
    name: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    wanted: Annotated[str, Form(alias="next")] = "",
) -> Response:
    """Opens a session with a new id, ends the one that came along, and leads to the page that was asked for."""
    check_origin(request)
    try:
        user = log_in(db, name.strip(), password, get_address(request), by="page")
    except (Unauthorized, TooMany) as error:
        status = 429 if isinstance(error, TooMany) else 401
        problem = f"{error.message} {error.hint}".strip()
        return _show(request, db, wanted, name=name, problem=problem, status=status)
    repo.close_session(db, get_cookie(request))
    answer = RedirectResponse(_choose_next(wanted), 303)
    set_session_cookie(request, answer, repo.open_session(db, user.id))
    return answer


@router.post("/logout")
def do_logout(request: Request, db: Db, user: Viewer) -> Response:
    """Ends the session."""
    repo.close_session(db, get_cookie(request))
    answer = RedirectResponse("/login", 303)
    delete_session_cookie(request, answer)
    return answer
