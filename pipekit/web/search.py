# Searching everything that has a name. Knows where each kind of thing lives.
"""`/search?q=`."""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from pipekit.http.state import Db
from pipekit.repo import overview
from pipekit.web.kit.render import render
from pipekit.web.kit.sessions import Viewer

router = APIRouter(include_in_schema=False)

ADDRESSES = {"module": "/modules/{}", "group": "/groups/{}", "connection": "/connections/{}", "run": "/runs/{}"}
TITLES = {"run": "Runs", "module": "Modules", "group": "Groups", "connection": "Connections"}


@router.get("/search")
def show_search(request: Request, db: Db, user: Viewer, q: str = "") -> Response:
    """Modules (by name, table or query), groups, connections, and a run by its number."""
    q = q.strip()[:200]
    hits = overview.search(db, q)
    if len(hits) == 1 and hits[0].name.casefold() == q.casefold():
        return RedirectResponse(ADDRESSES[hits[0].kind].format(hits[0].id), 303)
    found = {kind: [hit for hit in hits if hit.kind == kind] for kind in TITLES}
    return render(request, "search.html", q=q, found=found, titles=TITLES, addresses=ADDRESSES, total=len(hits))
