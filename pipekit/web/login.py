# Logging in and out. Knows sessions, no other page.
"""`/login` and `/logout`."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from pipekit import repo
from pipekit.errors import TooMany, Unauthorized
from pipekit.http.auth import COOKIE, find_session, get_address, log_in
from pipekit.http.state import Db
from pipekit.web.pages import render
from pipekit.web.sessions import Viewer, check_origin, set_session_cookie

router = APIRouter(include_in_schema=False)


@router.get("/login")
def show_login(request: Request, db: Db) -> Response:
    """The form; somebody who is logged in is led home."""
    if find_session(request, db):
        return RedirectResponse("/", 303)
    return render(request, "login.html", name="", problem="", has_users=bool(repo.list_users(db)))


@router.post("/login")
def do_login(
    request: Request, db: Db, name: Annotated[str, Form()] = "", password: Annotated[str, Form()] = ""
) -> Response:
    """Opens a session with a new id, whatever cookie came along."""
    check_origin(request)
    try:
        user = log_in(db, name.strip(), password, get_address(request))
    except (Unauthorized, TooMany) as error:
        status = 429 if isinstance(error, TooMany) else 401
        problem = f"{error.message} {error.hint}".strip()
        return render(request, "login.html", status, name=name, problem=problem, has_users=bool(repo.list_users(db)))
    answer = RedirectResponse("/", 303)
    set_session_cookie(request, answer, repo.open_session(db, user.id))
    return answer


@router.post("/logout")
def do_logout(request: Request, db: Db, user: Viewer) -> Response:
    """Ends the session."""
    repo.close_session(db, request.cookies.get(COOKIE, ""))
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(COOKIE, path="/")
    return answer
