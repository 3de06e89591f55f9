# Who looks at a page. Knows the session cookie and the CSRF value, no page.
"""Dependencies of pages: a session, a role, and a CSRF check on every unsafe request."""

from contextlib import suppress
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response
from starlette.concurrency import run_in_threadpool

from pipekit import repo
from pipekit.errors import ConfigError, Forbidden, StateError, Unauthorized
from pipekit.http.auth import (
    CSRF_FIELD,
    CSRF_HEADER,
    SAFE_METHODS,
    find_session,
    get_cookie,
    get_cookie_name,
    is_https,
    require,
)
from pipekit.http.state import Db
from pipekit.models.people import Role, User
from pipekit.web.kit.forms import MAX_FIELDS

COOKIE_S = 7 * 24 * 3600


async def read_csrf(request: Request) -> str:
    """What an unsafe request repeats of the session's CSRF value: a header (HTMX) or a form field."""
    given = request.headers.get(CSRF_HEADER, "")
    kind = request.headers.get("content-type", "")
    if not given and "form" in kind:
        given = str((await request.form(max_fields=MAX_FIELDS)).get(CSRF_FIELD, ""))
    return given


def check_origin(request: Request) -> None:
    """Raises Forbidden for an unsafe request that another site's page sent."""
    if request.method in SAFE_METHODS:
        return
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    foreign = origin is not None and urlsplit(origin).netloc != request.headers.get("host")
    if site not in (None, "same-origin", "none") or (site is None and foreign):
        raise Forbidden("This request came from another site.")


async def get_session_user(request: Request, db: repo.State) -> User:
    """The page's user. Raises Unauthorized (which leads to the login) and Forbidden for a forged request."""
    # Read here and not in another thread: it is one look at an index, which nobody who writes can hold up.
    session = find_session(request, db)
    if session is None:
        raise Unauthorized()
    if session.is_due:
        # A page is shown though its disk is full or its file may not be written.
        with suppress(StateError, ConfigError):
            await run_in_threadpool(repo.touch_session, db, get_cookie(request))
    request.state.session, request.state.user = session, session.user
    check_origin(request)
    if request.method not in SAFE_METHODS and await read_csrf(request) != session.csrf:
        raise Forbidden("This form is too old or came from elsewhere.", hint="Load the page again and repeat.")
    return session.user


def set_session_cookie(request: Request, answer: Response, value: str) -> None:
    """Gives the browser a session: not for scripts, not along with other sites' requests."""
    name, secure = get_cookie_name(request), is_https(request)
    answer.set_cookie(name, value, max_age=COOKIE_S, path="/", secure=secure, httponly=True, samesite="lax")


def delete_session_cookie(request: Request, answer: Response) -> None:
    """Takes the browser's session away."""
    answer.delete_cookie(get_cookie_name(request), path="/", secure=is_https(request), httponly=True, samesite="lax")


class RequirePage:
    """A dependency: the page's user, who must have a role."""

    def __init__(self, role: Role) -> None:
        self._role = role

    async def __call__(self, request: Request, db: Db) -> User:
        user = await get_session_user(request, db)
        require(user, self._role)
        return user


Viewer = Annotated[User, Depends(RequirePage("viewer"))]
Operator = Annotated[User, Depends(RequirePage("operator"))]
Admin = Annotated[User, Depends(RequirePage("admin"))]
