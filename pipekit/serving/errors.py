# Errors as HTTP answers: the one place where they are caught. Knows no route.
"""An error becomes JSON with code, message and hint under /api, a page or a fragment elsewhere."""

from contextlib import closing, suppress
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from pipekit import repo
from pipekit.api.bodies import SafeJson
from pipekit.cutting import cut
from pipekit.errors import PipekitError
from pipekit.http.auth import find_session, get_cookie
from pipekit.http.errors import describe, get_status, note_reason
from pipekit.serving.request_log import keep_cause
from pipekit.web.kit.render import render_error
from pipekit.web.login import OURS, get_login_address


def install_error_handlers(app: FastAPI) -> None:
    """Every error of a request goes through here."""
    app.add_exception_handler(PipekitError, _handle_ours)
    app.add_exception_handler(RequestValidationError, _handle_invalid)
    app.add_exception_handler(HTTPException, _handle_http)
    app.add_exception_handler(ClientDisconnect, _handle_gone)
    app.add_exception_handler(Exception, _handle_unexpected)


def _handle_ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, PipekitError)
    keep_cause(request.scope, error)
    masker = request.app.state.context.secrets.masker()
    shown = {name: masker.tell(text) for name, text in describe(error).items()}
    return _answer(request, get_status(error), shown)


def _handle_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    if first["loc"][0] == "path" and not _is_api(request):
        return _handle_http(request, HTTPException(404))
    field = ".".join(str(part) for part in first["loc"] if part not in ("body", "query", "path"))
    field = cut(field, 200)
    shown = {"code": "Invalid", "message": cut(f"{field}: {first['msg']}"), "hint": "", "field": field}
    # A name that nobody knows may be what was meant as a value: a password, say.
    known = "a field that is not known" if first["type"] == "extra_forbidden" else field
    note_reason(request.scope, f"Invalid: {known}: {first['msg']}")
    return _answer(request, 422, shown)


def _handle_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    messages = {404: "There is no such page.", 405: "This address does not take that method."}
    message = messages.get(error.status_code, str(error.detail))
    address = _find_without_slash(request) if error.status_code == 404 else ""
    if address:
        return RedirectResponse(address, 307)
    note_reason(request.scope, message)
    _find_who_looks(request)
    code = {404: "NotFound", 405: "MethodNotAllowed"}.get(error.status_code, "HttpError")
    return _answer(request, error.status_code, {"code": code, "message": message, "hint": "", "field": ""})


def _find_without_slash(request: Request) -> str:
    """The address of a page that was asked for with a slash at its end; by path alone, whatever the Host says."""
    path = request.url.path
    address = path.rstrip("/") + (f"?{request.url.query}" if request.url.query else "")
    is_ours = path.endswith("/") and not path.startswith("/static/") and OURS.fullmatch(address)
    return address if is_ours else ""


def _find_who_looks(request: Request) -> None:
    """The session of a request that came to no page, so that its error has the bar of all pages around it."""
    if _is_api(request) or getattr(request.state, "session", None) or not get_cookie(request):
        return
    with suppress(PipekitError), closing(repo.open_to_read(request.app.state.context.config.state_path)) as db:
        request.state.session = find_session(request, db)


def _handle_gone(request: Request, error: Exception) -> Response:
    note_reason(request.scope, "The request was not sent whole.")
    return Response(status_code=400)


def _handle_unexpected(request: Request, error: Exception) -> Response:
    shown = {"code": "Internal", "message": "Pipekit itself failed.", "hint": "The server's log has more.", "field": ""}
    return _answer(request, 500, shown)


def _answer(request: Request, status: int, shown: dict[str, Any]) -> Response:
    if _is_api(request):
        headers = {"WWW-Authenticate": 'Basic realm="pipekit"'} if status == 401 else None
        return SafeJson({"error": shown}, status, headers)
    if status == 401 and request.url.path != "/login":
        address = get_login_address(request)
        # HTMX follows a redirect inside its fragment; this header makes it leave the page instead.
        headers = {"HX-Redirect": address} if "hx-request" in request.headers else None
        return Response(status_code=401, headers=headers) if headers else RedirectResponse(address, 303)
    return render_error(request, status, shown)


def _is_api(request: Request) -> bool:
    path = request.url.path
    return (path.startswith("/api/") or path == "/metrics") and path != "/api/docs"
