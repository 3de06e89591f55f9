# The documents in the browser, and which of them a page leads to. Knows no Markdown.
"""`/help`, `/help/{name}`, `/help/img/{name}`; `find_help`."""

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, RedirectResponse, Response

from pipekit.errors import NotFound
from pipekit.web.help.rendering import FIRST, draw_document, find_picture, list_documents
from pipekit.web.kit.render import ENVIRONMENT, render
from pipekit.web.kit.sessions import Viewer

router = APIRouter(include_in_schema=False)

# What tells more of a page, by how its address begins; the first that fits counts.
_HELP = (
    ("/modules", "running"),
    ("/wizard", "pages#the-wizard"),
    ("/group", "groups"),
    ("/runs", "running"),
    ("/connections", "pages#connections"),
    ("/alerts", "alerts"),
    ("/drift", "running#columns-that-change"),
    ("/drivers", "jdbc"),
    ("/secrets", "security"),
    ("/users", "users"),
    ("/account", "users"),
    ("/settings", "serving"),
    ("/audit", "users"),
    ("/", "pages"),
)


def find_help(path: str) -> str:
    """The address of the document that tells more of the page at `path`."""
    return "/help/" + next(document for begin, document in _HELP if path.startswith(begin))


ENVIRONMENT.globals["find_help"] = find_help


@router.get("/help")
def lead_to_first(user: Viewer) -> Response:
    """Leads to the list of all documents."""
    return RedirectResponse(f"/help/{FIRST}", 303)


@router.get("/help/img/{name}")
def show_picture(user: Viewer, name: str) -> Response:
    """A picture of a document."""
    path = find_picture(name)
    if path is None:
        raise NotFound(f"There is no picture {name!r}.")
    return FileResponse(path, media_type="image/png", headers={"Cache-Control": "private, max-age=3600"})


@router.get("/help/{name}")
def show_document(request: Request, user: Viewer, name: str) -> Response:
    """One document."""
    document = draw_document(name)
    if document is None:
        raise NotFound(f"There is no document {name!r}.", hint="The list of all of them is at /help.")
    return render(request, "help.html", document=document, names=list_documents(), name=name)
