# The log of requests that failed, with what was submitted. Masks and caps; knows no route.
"""`RequestLog`: what was refused is logged with its reason and what was sent, 5xx at ERROR, the rest at WARNING."""

import json
import logging
import re
from collections.abc import Callable
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipekit.cutting import cut
from pipekit.http.errors import find_reason
from pipekit.logs import get_logger
from pipekit.masking import MASK, Masker

KEPT_BYTES = 65_536
# Asked over and over, by anybody; what keeps the state from being written is told by who wants to write it.
HEALTH_PATHS = ("/health", "/api/health")
# What a field is called that holds something secret; the whole names are those of the forms for secrets and passwords.
SECRET_FIELD = re.compile(
    r"pass|pwd|secret|token|csrf|authorization|api_?key|\A(?:value|current|again)\Z", re.IGNORECASE
)
# What is sent there may be a secret in whatever field it was typed: nothing of it is told, nor what a reason quotes.
SECRET_PATH = re.compile(r"/(?:api/)?(?:login|secrets|users|account|tokens|connections)(?:/|\Z)")
_SECRET_NAME = re.compile(r"(?<=/secrets/)[^/]+")
_QUOTED = re.compile(r"(?s:'.*'|\".*\")")
# The same inside a text: a parameter of an address, a field of a document that cannot be read as one, cut or not.
_SECRET_PAIR = re.compile(
    r"""((?:pass|pwd|secret|token|api_?key)[\w-]*["']?\s*[:=]\s*)"""
    r"""("(?:[^"\\]|\\.)*(?:"|\\?\Z)|'[^']*(?:'|\Z)|\{(?:[^}]|\}\})*(?:\}|\Z)|[^\s,;&"'}\])]+)""",
    re.IGNORECASE,
)
# A login inside an address: `//name:password@host`, and Oracle's `thin:name/password@host`.
_SECRET_LOGIN = re.compile(r"(//[^/@\s:]*:|\bthin:[^/@\s]*/)[^@\s]+(?=@)", re.IGNORECASE)

# On an exception that stands in the log already: the server under us would write it there once more.
_LOGGED = "pipekit_logged"
_CAUSE = "pipekit_cause"

_Cause = tuple[type[Exception], Exception, TracebackType | None]

_LOG = get_logger("http")


def is_new(record: logging.LogRecord) -> bool:
    """A filter for the server's own log: whether what it tells is not there yet."""
    error = record.exc_info[1] if record.exc_info else None
    return not (error and _LOGGED in error.__dict__)


def keep_cause(scope: Scope, error: Exception) -> None:
    """Keeps what an error answer was made from, for the log."""
    scope.setdefault("state", {})[_CAUSE] = (type(error), error, error.__traceback__)


def _find_cause(scope: Scope) -> _Cause | None:
    """What `keep_cause` kept; None for an answer that was made without an exception."""
    cause: _Cause | None = scope.get("state", {}).get(_CAUSE)
    return cause


class _RequestBodyCapture:
    """Hands a request's body on and keeps its beginning."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._kept = bytearray()
        self._size = 0

    async def __call__(self) -> Message:
        message = await self._receive()
        body = message.get("body", b"")
        self._size += len(body)
        self._kept += body[: KEPT_BYTES - len(self._kept)]
        return message

    def describe(self, content_type: str) -> str:
        """The body as text: secret-looking fields masked, cut where it was too long."""
        text = self._kept.decode(errors="replace")
        is_whole = self._size == len(self._kept)
        if "x-www-form-urlencoded" in content_type:
            pairs = parse_qsl(text, keep_blank_values=True)
            text = urlencode([(name, _mask_field(name, value)) for name, value in pairs])
        elif "multipart" in content_type:
            text = f"({self._size} bytes of {content_type.partition(';')[0]})"
        else:
            text = _mask_document(text) if is_whole else _mask_pairs(text)
        return text + ("" if is_whole else f" ... ({self._size} bytes)")


def _mask_pairs(text: str) -> str:
    return _SECRET_LOGIN.sub(rf"\1{MASK}", _SECRET_PAIR.sub(rf"\1{MASK}", text))


def _mask_field(name: str, value: Any) -> Any:
    """A field's value, or `****` where its name or what stands in it looks secret."""
    if SECRET_FIELD.search(name):
        return MASK
    if isinstance(value, dict):
        return {str(key): _mask_field(str(key), item) for key, item in value.items()}
    if isinstance(value, list):
        return [_mask_field("", item) for item in value]
    return _mask_pairs(value) if isinstance(value, str) else value


def _mask_document(text: str) -> str:
    try:
        return json.dumps(_mask_field("", json.loads(text)), ensure_ascii=False)
    except (ValueError, RecursionError):
        return _mask_pairs(text)


class RequestLog:
    """Logs answers of 400 and more, and forms that were given back: method, path, status, reason and body."""

    def __init__(self, app: ASGIApp, get_masker: Callable[[], Masker]) -> None:
        self._app = app
        self._get_masker = get_masker

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _RequestBodyCapture(receive)
        status = 0

        async def send_and_look(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, body, send_and_look)
        except Exception as error:
            _LOG.exception("%s", self._line(scope, 500, body))
            error.__dict__[_LOGGED] = True
            raise
        if scope["path"] in HEALTH_PATHS:
            return
        if status >= 500:
            _LOG.error("%s", self._line(scope, status, body), exc_info=_find_cause(scope))
        elif status >= 400 or find_reason(scope):
            _LOG.warning("%s", self._line(scope, status, body))

    def _line(self, scope: Scope, status: int, body: _RequestBodyCapture) -> str:
        masker = self._get_masker()
        path, cause = cut(scope["path"], 500), _find_cause(scope)
        reason = f"{cause[0].__name__}: {cause[1]}" if cause else find_reason(scope)
        text = ""
        if SECRET_PATH.match(path):
            path, reason = _hide_what_was_sent(path, reason)
        elif scope.get("state", {}).get("user"):
            text = body.describe(_get_type(scope))
        told = f" {_mask_pairs(masker.tell(reason))}" if reason else ""
        return masker.mask(f"{scope['method']} {path} {status}{told}" + (f" body: {text}" if text else ""))


def _hide_what_was_sent(path: str, reason: str) -> tuple[str, str]:
    """A path and a reason without the name of a secret, and without what the reason quotes."""
    found = _SECRET_NAME.search(path)
    if found:
        path, reason = path.replace(found[0], MASK), reason.replace(found[0], MASK)
    return path, _QUOTED.sub(MASK, reason)


def _get_type(scope: Scope) -> str:
    """What a request says its body is."""
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == b"content-type"), "")
