# The description of the API, made from its routes. Knows every router and no page.
"""`GET /api/openapi.json` and `build_openapi`."""

from functools import cache
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.responses import JSONResponse

from pipekit import __version__
from pipekit.api.bodies import ROUTER, describe_error_models
from pipekit.api.routes import ROUTERS
from pipekit.http.auth import ApiReader

router = APIRouter(prefix="/api", **ROUTER)

DESCRIPTION = """\
Everything that the pages do, as JSON. Log in with HTTP Basic or a bearer token. Errors have the form
`{"error": {"code", "message", "hint", "field"}}`. A viewer looks, an operator also runs, cancels and tests connections,
an admin also defines and runs SQL. Times are UTC, ISO 8601 with milliseconds.
"""
_SCHEMES = {"basic": {"type": "http", "scheme": "basic"}, "bearer": {"type": "http", "scheme": "bearer"}}
_OPEN_PATHS = ("/api/health",)


@cache
def build_openapi() -> dict[str, Any]:
    """The OpenAPI document of everything under /api."""
    described = FastAPI(title="Pipekit", version=__version__, description=DESCRIPTION)
    for item in ROUTERS:
        described.include_router(item)
    document = described.openapi()
    document["components"]["schemas"] |= describe_error_models()
    document["components"]["securitySchemes"] = _SCHEMES
    document["security"] = [{name: []} for name in _SCHEMES]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _leave_out(operation, method)
            if path in _OPEN_PATHS:
                operation["security"] = []
    return document


def _leave_out(operation: dict[str, Any], method: str) -> None:
    """Takes out the errors an operation cannot have."""
    never = set() if "requestBody" in operation else {"400", "413"}
    if method == "get":
        never.add("409")
    for status in never:
        operation["responses"].pop(status, None)


@router.get("/openapi.json", include_in_schema=False)
def get_openapi(user: ApiReader) -> JSONResponse:
    """The description of the API, for those who may use it."""
    return JSONResponse(build_openapi())
