# The log of requests that failed, with what was submitted. Masks and caps; knows no route.
"""`RequestLog`: raised HTTP errors are logged, 5xx at ERROR and 4xx at WARNING, with the submitted body."""

import logging
import re
from collections.abc import Callable
from urllib.parse import parse_qsl, urlencode

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipekit.logs import get_logger
from pipekit.secrets import MASK, Masker

KEPT_BYTES = 65_536
SECRET_FIELD = re.compile(r"pass|secret|token|csrf|authorization|api_?key", re.IGNORECASE)
_JSON_SECRET = re.compile(r'("[^"]*(?:pass|secret|token|api_?key)[^"]*"\s*:\s*)"(?:[^"\\]|\\.)*"', re.IGNORECASE)

# On an exception that stands in the log already: the server under us would write it there once more.
_LOGGED = "pipekit_logged"

_LOG = get_logger("http")


def is_new(record: logging.LogRecord) -> bool:
    """A filter for the server's own log: whether what it tells is not there yet."""
    error = record.exc_info[1] if record.exc_info else None
    return not (error and _LOGGED in error.__dict__)


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
        if "x-www-form-urlencoded" in content_type:
            pairs = parse_qsl(text, keep_blank_values=True)
            text = urlencode([(name, MASK if SECRET_FIELD.search(name) else value) for name, value in pairs])
        elif "multipart" in content_type:
            text = f"({self._size} bytes of {content_type.partition(';')[0]})"
        else:
            text = _JSON_SECRET.sub(rf'\1"{MASK}"', text)
        return text + (f" ... ({self._size} bytes)" if self._size > len(self._kept) else "")


class RequestLog:
    """Logs every answer of 400 and more with method, path, status and body."""

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
        if status >= 500:
            _LOG.error("%s", self._line(scope, status, body))
        elif status >= 400 and status != 401:
            _LOG.warning("%s", self._line(scope, status, body))

    def _line(self, scope: Scope, status: int, body: _RequestBodyCapture) -> str:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        text = body.describe(headers.get("content-type", ""))
        line = f"{scope['method']} {scope['path']} {status}" + (f" body: {text}" if text else "")
        return self._get_masker().mask(line)
