# Answers that are no page: where to go next, JSON for scripts. Knows no noun.
"""`go` and `wants_json`, `answer_error`, `say_error`."""

from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from pipekit.errors import PipekitError
from pipekit.http.errors import describe, get_status, note_reason
from pipekit.http.state import Context
from pipekit.mends import find_mend


def go(request: Request, address: str) -> Response:
    """Leads to another page: HTMX by its header, a browser by a redirect."""
    if "hx-request" in request.headers:
        return Response(headers={"HX-Redirect": address})
    return RedirectResponse(address, 303)


def wants_json(request: Request) -> bool:
    """Whether a script asks: it takes JSON, or says nothing of HTML, which every browser does."""
    if "hx-request" in request.headers:
        return False
    accepted = request.headers.get("accept", "*/*")
    return "text/html" not in accepted and ("application/json" in accepted or "*/*" in accepted)


def answer_error(request: Request, error: PipekitError) -> Response:
    """An error for a script, as the API has it."""
    masker = request.app.state.context.secrets.masker()
    shown = {name: masker.tell(text) for name, text in describe(error).items()}
    note_reason(request.scope, f"{error.code}: {error}")
    return JSONResponse({"error": shown}, get_status(error))


def say_error(context: Context, error: PipekitError) -> dict[str, Any]:
    """An error's message and hint as `_error.html` shows them, secrets masked and cut; without a place in a query."""
    masker = context.secrets.masker()
    told = describe(error)
    told["hint"] = told["hint"] or find_mend(error.message)
    return {name: masker.tell(str(text)) for name, text in told.items()} | {"where": None}
