# The page before a destructive act: what goes, what stays, and the name to be typed. Knows no noun.
"""`confirm` and `get_confirmed`."""

from collections.abc import Sequence

from fastapi import Request
from fastapi.responses import Response
from starlette.datastructures import FormData

from pipekit.web.kit.forms import get_text
from pipekit.web.kit.render import render


def confirm(
    request: Request,
    *,
    crumbs: Sequence[tuple[str, str]],
    title: str,
    goes: Sequence[str],
    button: str,
    back: str,
    stays: Sequence[str] = (),
    ask: str = "",
    problem: str = "",
    refusal: str = "",
    status: int = 200,
    fields: Sequence[tuple[str, str]] = (),
    lead: str = "This deletes:",
) -> Response:
    """A page whose form posts to its own address. `ask` is what must be typed where data is lost.

    `fields` are sent again as they are. With a `refusal` nothing is asked: it says why nothing can go now.
    """
    values = {"crumbs": crumbs, "title": title, "goes": goes, "stays": stays, "button": button, "back": back}
    values |= {"ask": ask, "problem": problem, "refusal": refusal, "fields": fields, "lead": lead}
    return render(request, "confirm.html", status, **values, action=request.url.path)


def get_confirmed(data: FormData, name: str) -> bool:
    """Whether the name was typed; blanks around it do not count."""
    return get_text(data, "confirm").strip() == name
