# The documents as pages.
"""`/help`: every document is there, its links lead on, and every page leads to one."""

import pytest

from pipekit.web.help.rendering import draw_document, list_documents, slug
from pipekit.web.help.show import find_help
from tests.pages.site import Visitor


def test_every_document_is_a_page_and_its_links_lead_to_others(vera: Visitor) -> None:
    names = list_documents()
    assert {"index", "running", "pages", "postgresql"} <= set(names)
    for name in names:
        page = vera.get(f"/help/{name}")
        assert page.status == 200, name
        hrefs = [node.attributes["href"] or "" for node in page.all(".help-text a")]
        inside = [href for href in hrefs if not href.startswith(("http", "#"))]
        gone = [href for href in inside if href.partition("#")[0].removeprefix("/help/") not in names]
        assert gone == [], name


def test_a_document_shows_its_tables_code_and_pictures(vera: Visitor) -> None:
    page = vera.get("/help/pages")
    assert page.has(".help-text .table-box table")
    assert page.has("#keys")
    assert vera.get("/help/running").has(".help-text pre, .help-text code")
    assert "<!--" not in str(draw_document("benchmarks"))


def test_what_is_no_document_and_no_picture_is_not_found(vera: Visitor) -> None:
    for path in ("/help/nothing", "/help/..%2Fpyproject", "/help/img/nothing.png", "/help/img/..%2F..%2Fsetup.png"):
        assert vera.get(path).status == 404, path
    assert vera.get("/help/img/home.png").status == 200
    assert vera.get("/help").status == 303


def test_pages_lead_to_what_tells_more_of_them_and_to_the_list_of_keys(vera: Visitor) -> None:
    hrefs = [node.attributes["href"] for node in vera.get("/runs").all(".menu-items a")]
    assert "/help/running" in hrefs
    assert "/help/pages#keys" in hrefs


@pytest.mark.parametrize("path", ["/", "/modules/7", "/wizard/sql", "/groups", "/drift", "/connections/1", "/alerts"])
def test_the_place_that_a_page_leads_to_is_there(path: str) -> None:
    name, _, place = find_help(path).removeprefix("/help/").partition("#")
    document = draw_document(name)
    assert document is not None
    assert not place or f'id="{place}"' in document.body


def test_headings_are_anchored_as_links_write_them() -> None:
    assert slug("Keeping undo: what it costs") == "keeping-undo-what-it-costs"
