# Headers that every answer carries, and the cap on what a request may bring. Knows no route.
"""`SecurityHeaders`: content security policy, no sniffing, no framing, bounded bodies."""

import secrets

from fastapi import HTTPException
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY_BYTES = 1_000_000
# For what needs no more: questions, logins, and whoever does not even claim to be logged in.
SMALL_BODY_BYTES = 16_384
_SMALL_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "DELETE"})
_SMALL_PATHS = frozenset({"/login", "/logout"})
HTTPS_ONLY_S = 365 * 24 * 3600

# Styles come from our own files; the editor's are added at run time and carry the nonce.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class BodyTooLarge(HTTPException):
    """What was sent is too large."""

    def __init__(self, most: int) -> None:
        super().__init__(413, f"This request may bring {most:,} bytes.")


class SecurityHeaders:
    """Adds the headers, and refuses a body over the limit before it is read."""

    def __init__(self, app: ASGIApp, is_https: bool = False) -> None:
        self._app = app
        self._is_https = is_https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        nonce = secrets.token_urlsafe(16)
        scope.setdefault("state", {})["nonce"] = nonce
        is_asset = scope["path"].startswith("/static/")

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = POLICY.format(nonce=nonce)
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "same-origin"
                headers["Cross-Origin-Opener-Policy"] = "same-origin"
                if self._is_https:
                    headers["Strict-Transport-Security"] = f"max-age={HTTPS_ONLY_S}"
                headers.setdefault("Cache-Control", "no-cache" if is_asset else "no-store")
            await send(message)

        await self._app(scope, _capped(receive, _get_most(scope)), send_with_headers)


def _get_most(scope: Scope) -> int:
    """How many bytes a request may bring."""
    names = {name for name, _ in scope["headers"]}
    is_small = scope["method"] in _SMALL_METHODS or scope["path"] in _SMALL_PATHS
    return SMALL_BODY_BYTES if is_small or not names & {b"cookie", b"authorization"} else MAX_BODY_BYTES


def _capped(receive: Receive, most: int) -> Receive:
    size = 0

    async def receive_capped() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > most:
            raise BodyTooLarge(most)
        return message

    return receive_capped
