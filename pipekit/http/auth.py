# Who a request is from and what it may do. Knows users, sessions and tokens; shows nothing.
"""Authentication by session cookie (pages) and by Basic or bearer token (API), roles, CSRF, login throttling."""

import base64
import hashlib
import hmac
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated

from fastapi import Depends, Request

from pipekit import repo
from pipekit.errors import ConfigError, Forbidden, Invalid, StateError, Unauthorized
from pipekit.http.state import Db
from pipekit.http.throttle import TRIES, Budget, Limit, Throttle, find_place, list_login_limits
from pipekit.logs import get_logger
from pipekit.models.people import Role, User
from pipekit.passwords import check_password, take_turn

COOKIE = "pipekit_session"
# Browsers take a name with this prefix only with Secure, for one host and every path of it: no neighbour can set it.
HTTPS_COOKIE = f"__Host-{COOKIE}"
CSRF_FIELD = "csrf"
CSRF_HEADER = "x-csrf-token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

LONGEST_NAME = 200
LONGEST_ADDRESS = 64

THROTTLE = Throttle()
# Failed logins are in the audit trail, but nobody fills a disk with them.
REFUSALS = Budget(60, 3600.0)

_LOG = get_logger("login")


class _Known:
    """Basic logins that were right lately, by a keyed hash: an Argon2 check for each request is a way to flood."""

    SECONDS = 60.0

    def __init__(self) -> None:
        self._key = os.urandom(32)
        self._until: dict[bytes, float] = {}

    def _digest(self, user: User, password: str) -> bytes:
        text = f"{user.id}\0{user.password_hash}\0{password}".encode(errors="replace")
        return hmac.new(self._key, text, hashlib.sha256).digest()

    def has(self, user: User, password: str) -> bool:
        return self._until.get(self._digest(user, password), 0.0) > time.monotonic()

    def add(self, user: User, password: str) -> None:
        if len(self._until) > 1000:
            self._until.clear()
        self._until[self._digest(user, password)] = time.monotonic() + self.SECONDS


_KNOWN = _Known()


def log_in(db: repo.State, name: str, password: str, address: str, *, by: str) -> User:
    """The user of a name and password. Raises Unauthorized (the same for an unknown name), TooMany.

    `by` is what asks, for the audit trail: `page` or `api`.
    """
    place = find_place(address)
    user = repo.find_user_by_name(db, name) if len(name) <= LONGEST_NAME else None
    limits = list_login_limits(name, place, is_known=user is not None and repo.knows_place(db, user.id, place))
    try:
        _check_password(user, password, limits)
    except Unauthorized:
        _note_refusal(db, user, name, address)
        raise
    assert user is not None
    # Whoever may read may read though the disk is full or the file may not be written.
    with suppress(StateError, ConfigError):
        if by == "page" or repo.is_login_due(db, user.id, place):
            repo.note_login(db, user, place=place, address=address, by=by)
    return user


def confirm_password(user: User, password: str) -> None:
    """That somebody who is logged in knows the password. Raises Unauthorized, TooMany: wherever it is guessed from."""
    _check_password(user, password, [Limit(f"password of {user.id}", TRIES)])


def _check_password(user: User | None, password: str, limits: Sequence[Limit]) -> None:
    """Raises Unauthorized, and counts it; TooMany when that is so already."""
    THROTTLE.check(limits)
    if user is not None and user.enabled and _KNOWN.has(user, password):
        return

    def is_right() -> bool:
        # While this one waited for its turn, others may have failed, or been right.
        THROTTLE.check(limits)
        if user is not None and user.enabled and _KNOWN.has(user, password):
            return True
        found = check_password(user.password_hash if user and user.enabled else None, password)
        if not found:
            THROTTLE.note_failure(limits)
        return found

    if not take_turn(is_right) or user is None:
        raise Unauthorized("The name or the password is wrong.")
    THROTTLE.forgive(limits[0])
    _KNOWN.add(user, password)


def _note_refusal(db: repo.State, user: User | None, name: str, address: str) -> None:
    """In the log, and in the audit trail; of a name that nobody has the beginning: it may be a password."""
    begin = f"{name[: min(2, len(name) // 2)]}..."
    _LOG.warning("login of %s from %s refused", begin, address)
    if REFUSALS.take():
        shown = user.name if user else begin
        with suppress(StateError, ConfigError, Invalid):
            repo.note_audit(db, user="-", action="refuse", kind="login", name=shown, detail={"from": address})


def get_address(request: Request) -> str:
    """Where a request comes from."""
    return request.client.host[:LONGEST_ADDRESS] if request.client else "unknown"


def is_https(request: Request) -> bool:
    """Whether the browser came by HTTPS: by the setting, or as a trusted proxy says."""
    return bool(request.app.state.context.config.https) or request.url.scheme == "https"


def get_cookie_name(request: Request) -> str:
    """What the session's cookie is called for this request."""
    return HTTPS_COOKIE if is_https(request) else COOKIE


def get_cookie(request: Request) -> str:
    """The value of the session's cookie, `""` when there is none."""
    return request.cookies.get(get_cookie_name(request), "")


def find_session(request: Request, db: repo.State) -> repo.SessionUser | None:
    """The session of the request's cookie."""
    value = get_cookie(request)
    return repo.find_session(db, value) if value else None


def get_api_user(request: Request, db: Db) -> User:
    """The user of the Authorization header. Browsers are refused: they send Basic logins along to anyone."""
    scheme, credentials = _read_authorization(request)
    if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        raise Forbidden("The API does not answer other sites' pages.")
    if scheme == "bearer":
        user = repo.find_token_user(db, credentials)
        if user is None:
            raise Unauthorized("This token is not known, or has ended.")
        return _keep_user(request, user)
    if scheme == "basic":
        name, password = _decode_basic(credentials)
        return _keep_user(request, log_in(db, name, password, get_address(request), by="api"))
    raise Unauthorized("Log in with HTTP Basic or a bearer token.")


def get_bearer(request: Request) -> str:
    """The value of the token that was sent, `""` where another login was."""
    scheme, credentials = _read_authorization(request)
    return credentials if scheme == "bearer" else ""


def _read_authorization(request: Request) -> tuple[str, str]:
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    return scheme.lower(), credentials.strip()


def _keep_user(request: Request, user: User) -> User:
    """The log shows what somebody sent who is known here, and nothing of anybody else."""
    request.state.user = user
    return user


def _decode_basic(credentials: str) -> tuple[str, str]:
    try:
        text = base64.b64decode(credentials, validate=True).decode()
    except ValueError:  # no base64, or no UTF-8
        raise Unauthorized("The Authorization header cannot be read.") from None
    name, _, password = text.partition(":")
    return name, password


ApiUser = Annotated[User, Depends(get_api_user)]


def require(user: User, role: Role) -> None:
    """Raises Forbidden when the user's role does not include this one."""
    if not user.may(role):
        raise Forbidden(f"This needs the role {role}; {user.name} is {user.role}.")


class RequireApi:
    """A dependency: the API's user, who must have a role."""

    def __init__(self, role: Role) -> None:
        self._role = role

    async def __call__(self, user: ApiUser) -> User:
        require(user, self._role)
        return user


def get_reader(request: Request, db: Db) -> User:
    """The user of the Authorization header or, for what a page leads to and only reads, of its session."""
    session = None if request.headers.get("authorization") else find_session(request, db)
    return _keep_user(request, session.user) if session else get_api_user(request, db)


ApiReader = Annotated[User, Depends(get_reader)]
ApiViewer = Annotated[User, Depends(RequireApi("viewer"))]
ApiOperator = Annotated[User, Depends(RequireApi("operator"))]
ApiAdmin = Annotated[User, Depends(RequireApi("admin"))]
