# Who a request is from and what it may do. Knows users, sessions and tokens; shows nothing.
"""Authentication by session cookie (pages) and by Basic or bearer token (API), roles, CSRF, login throttling."""

import base64
import hashlib
import hmac
import os
import threading
import time
from collections import defaultdict
from typing import Annotated

from fastapi import Depends, Request

from pipekit import repo
from pipekit.errors import Forbidden, TooMany, Unauthorized
from pipekit.http.state import Db
from pipekit.models.people import Role, User
from pipekit.passwords import check_password

COOKIE = "pipekit_session"
CSRF_FIELD = "csrf"
CSRF_HEADER = "x-csrf-token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

TRIES = 5
TRIES_FROM_ONE_PLACE = 20
TRIES_WITHIN_S = 60.0


class Throttle:
    """Failed logins of the last minute, by name and by address. Kept in memory: a restart forgives."""

    def __init__(self) -> None:
        self._failed: defaultdict[str, list[float]] = defaultdict(list)
        self._lock = threading.Lock()

    def check(self, name: str, address: str) -> None:
        """Raises TooMany when a name or an address has failed too often."""
        with self._lock:
            for key, limit in ((f"name {name.casefold()}", TRIES), (f"from {address}", TRIES_FROM_ONE_PLACE)):
                recent = [at for at in self._failed[key] if time.monotonic() - at < TRIES_WITHIN_S]
                self._failed[key] = recent
                if len(recent) >= limit:
                    raise TooMany("Too many failed logins.", hint="Wait a minute and try again.")

    def note_failure(self, name: str, address: str) -> None:
        """Counts a failed login."""
        with self._lock:
            for key in (f"name {name.casefold()}", f"from {address}"):
                self._failed[key].append(time.monotonic())

    def forgive(self, name: str) -> None:
        """A login that succeeded wipes the name's slate."""
        with self._lock:
            self._failed.pop(f"name {name.casefold()}", None)


THROTTLE = Throttle()


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


def log_in(db: repo.State, name: str, password: str, address: str) -> User:
    """The user of a name and password. Raises Unauthorized (the same for an unknown name), TooMany."""
    THROTTLE.check(name, address)
    user = repo.find_user_by_name(db, name)
    if user is not None and user.enabled and _KNOWN.has(user, password):
        return user
    is_right = check_password(user.password_hash if user and user.enabled else None, password)
    if user is None or not is_right:
        THROTTLE.note_failure(name, address)
        raise Unauthorized("The name or the password is wrong.")
    THROTTLE.forgive(name)
    _KNOWN.add(user, password)
    return user


def get_address(request: Request) -> str:
    """Where a request comes from."""
    return request.client.host if request.client else "unknown"


def find_session(request: Request, db: repo.State) -> repo.SessionUser | None:
    """The session of the request's cookie."""
    value = request.cookies.get(COOKIE)
    return repo.find_session(db, value) if value else None


def get_api_user(request: Request, db: Db) -> User:
    """The user of the Authorization header. Browsers are refused: they send Basic logins along to anyone."""
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        raise Forbidden("The API does not answer other sites' pages.")
    if scheme.lower() == "bearer":
        user = repo.find_token_user(db, credentials.strip())
        if user is None:
            raise Unauthorized("This token is not known.")
        return user
    if scheme.lower() == "basic":
        name, password = _decode_basic(credentials)
        return log_in(db, name, password, get_address(request))
    raise Unauthorized("Log in with HTTP Basic or a bearer token.")


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


ApiViewer = Annotated[User, Depends(RequireApi("viewer"))]
ApiOperator = Annotated[User, Depends(RequireApi("operator"))]
ApiAdmin = Annotated[User, Depends(RequireApi("admin"))]
