# Which names the pages and the API answer to. Knows settings and headers, no route.
"""`AllowedHosts`: a request for a name that is not ours is refused before anything looks at it."""

import ipaddress
import re
import socket
from typing import Any

from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from pipekit.config import Config
from pipekit.cutting import cut
from pipekit.errors import Invalid
from pipekit.http.errors import describe

_PORT = re.compile(r":[0-9]*\Z")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def is_loopback(address: str) -> bool:
    """Whether an address, or `localhost`, is the machine's own and reached by nobody else."""
    found = _find_address(address)
    if found is None:
        return address == "localhost" or address.endswith(".localhost")
    mapped = getattr(found, "ipv4_mapped", None)
    return (mapped or found).is_loopback


def _find_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None


def read_name(host: str) -> str:
    """A Host header without its port, in small letters: `[::1]:80` -> `::1`."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return _PORT.sub("", host).removesuffix(".").lower()


class AllowedHosts:
    """Lets a request through when its Host is one of `allowed_hosts`, or this machine by itself.

    Without that setting every name is let through, except where the request came to a loopback address: there a name
    of elsewhere means that a page of another site has led its own name here, so only addresses, names of this machine
    and the configured `host` pass.
    """

    def __init__(self, app: ASGIApp, config: Config) -> None:
        self._app = app
        self._listed = {read_name(name) for name in config.allowed_hosts}
        self._own = {*_LOOPBACK, config.host.lower(), socket.gethostname().lower()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
            if not self._is_ours(read_name(host), scope):
                await _build_refusal(scope, cut(host, 200))(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _is_ours(self, name: str, scope: Scope) -> bool:
        if self._listed:
            return "*" in self._listed or name in self._listed or is_loopback(name)
        if not name or name in self._own or is_loopback(name) or _find_address(name):
            return True
        server = scope.get("server")
        return not (server and is_loopback(server[0]))


def _build_refusal(scope: Scope, host: str) -> Response:
    error = Invalid(
        f"This server is not known by the name {host!r}.", hint="Add the name to `allowed_hosts` in config.yaml."
    )
    shown: dict[str, Any] = describe(error)
    if scope["path"].startswith("/api/"):
        return JSONResponse({"error": shown}, 400)
    return PlainTextResponse(f"{error.message} {error.hint}\n", 400)
