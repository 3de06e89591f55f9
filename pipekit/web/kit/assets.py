# What pages load: their files under an address that changes with them. Knows no page.
"""`locate`: the address of a static file; `Assets`: what answers there, once a year and browser."""

import hashlib
import os
import re
from functools import cache
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC = Path(__file__).parents[1] / "static"
SHEET = "css/main.css"
KEPT = "public, max-age=31536000, immutable"
_IMPORT = re.compile(r'@import url\("([a-z]+\.css)"\) layer\(([a-z]+)\);')
_DIGEST = re.compile(r"[0-9a-f]{12}")


@cache
def get_digest() -> str:
    """Of all static files, as they were when this process first asked."""
    digest = hashlib.sha256()
    for path in sorted(item for item in STATIC.rglob("*") if item.is_file()):
        digest.update(str(path.relative_to(STATIC)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def locate(name: str) -> str:
    """The address of a file; what it imports by a relative name lies beside it."""
    return f"/static/{get_digest()}/{name}"


@cache
def join_sheets() -> bytes:
    """The style sheet with all that it imports in it: a browser waits for one file instead of sixteen in a row."""

    def put_in(found: re.Match[str]) -> str:
        text = (STATIC / "css" / found[1]).read_text("utf-8")
        return f"@layer {found[2]} {{\n{text}\n}}"

    return _IMPORT.sub(put_in, (STATIC / SHEET).read_text("utf-8")).encode()


class Assets(StaticFiles):
    """The static files, with the digest before their names or without it.

    With the digest of now they may be kept for a year. With another one, of a page that was open while Pipekit was
    upgraded, or with none, they are what there is now, and are asked for again.
    """

    async def get_response(self, path: str, scope: Scope) -> Response:
        """A file, found below the folder alone."""
        first, _, rest = path.replace(os.sep, "/").partition("/")
        name = rest if _DIGEST.fullmatch(first) else path
        answer = await self._find(name, scope)
        if first == get_digest():
            answer.headers["Cache-Control"] = KEPT
        return answer

    async def _find(self, name: str, scope: Scope) -> Response:
        if name == SHEET and scope["method"] in ("GET", "HEAD"):
            return Response(join_sheets(), media_type="text/css", headers={"ETag": f'"{get_digest()}"'})
        return await super().get_response(name, scope)
