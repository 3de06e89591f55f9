# What is kept of a page for the next one who asks: fresh after each write, and nobody's own.
"""`/`, `/modules` and `/groups`, asked for by several people one after the other."""

import pytest

from pipekit import repo
from tests.pages.records import make_run
from tests.pages.site import Site, Visitor

PATHS = ("/", "/modules", "/groups")


@pytest.mark.parametrize("path", PATHS)
def test_what_is_kept_of_an_admins_page_has_nothing_of_the_admin(
    site: Site, ana: Visitor, vera: Visitor, path: str
) -> None:
    make_run(site, site.make_module(), "error", error_stage="merge", error="no")
    repo.create_group(site.db, name="nightly")
    assert ana.csrf in ana.get(path).html
    page = vera.get(path)
    assert ana.csrf not in page.html
    assert "ana" not in page.text.split()
    assert not page.has("main button[formaction]")


def test_operators_get_their_buttons_after_a_viewer_was_there(site: Site, vera: Visitor, otto: Visitor) -> None:
    make_run(site, site.make_module(), "error", error_stage="merge", error="no")
    for path in ("/", "/modules"):
        assert not vera.get(path).has("button[formaction]")
        assert otto.get(path).has("button[formaction='/modules/1/run'][form='act']")
        assert otto.get(path).form("#act")["csrf"] == otto.csrf


def test_what_was_written_is_on_the_next_page(site: Site, vera: Visitor) -> None:
    for name in ("orders", "prices", "stock"):
        site.make_module(name)
        assert name in vera.get("/modules").text
        repo.create_group(site.db, name=f"group of {name}")
        assert f"group of {name}" in vera.get("/groups").text


def test_a_run_that_ended_is_on_its_modules_page(site: Site, vera: Visitor) -> None:
    module = site.make_module()
    for number in range(1, 4):
        make_run(site, module)
        assert len(vera.get(f"/modules/{module.id}").all("#history tbody tr")) == number
