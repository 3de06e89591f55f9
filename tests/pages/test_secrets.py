# Secrets on their page, and the promise that no value gets into any page. Knows the secrets file.
"""Keeping, listing and deleting secrets."""

from pipekit import repo
from tests.pages.site import Site, Visitor

VALUE = "correct horse battery"


def test_a_secret_is_kept_and_only_its_name_is_shown(site: Site, ana: Visitor) -> None:
    assert ana.post("/secrets", {"name": "$DW_PASSWORD", "value": VALUE}).status == 303
    assert site.secrets.resolve("$DW_PASSWORD") == VALUE
    page = ana.get("/secrets")
    assert "DW_PASSWORD" in page.text
    assert VALUE not in page.html
    entry = repo.list_audit(site.db)[0]
    assert (entry.kind, entry.name, dict(entry.detail)) == ("secret", "DW_PASSWORD", {})


def test_a_name_that_cannot_be_is_refused_without_sending_the_value_back(site: Site, ana: Visitor) -> None:
    page = ana.post("/secrets", {"name": "no way", "value": VALUE})
    assert page.status == 422
    assert page.one("#f-name").attributes["value"] == "no way"
    assert page.has("#p-name")
    assert VALUE not in page.html
    assert site.secrets.names() == []


def test_a_reference_without_a_value_is_told_on_the_page(site: Site, ana: Visitor) -> None:
    site.add_connection("dw", "jdbc:postgresql://h/d", password="$DW_PASSWORD")
    assert "dw: the password $DW_PASSWORD has no value yet" in ana.get("/secrets").one(".notice.warn").text()
    site.secrets.set("DW_PASSWORD", VALUE)
    assert not ana.get("/secrets").has(".notice.warn")


def test_deleting_names_the_connections_that_lose_their_password(site: Site, ana: Visitor) -> None:
    site.add_connection("dw", "jdbc:postgresql://h/d", password="$DW_PASSWORD")
    site.secrets.set("DW_PASSWORD", VALUE)
    assert "the password of the connection dw" in ana.get("/secrets/DW_PASSWORD/delete").text
    ana.post("/secrets/DW_PASSWORD/delete")
    assert site.secrets.names() == []
    assert ana.get("/secrets/DW_PASSWORD/delete").status == 404


def test_no_page_shows_a_value_not_even_in_an_error(site: Site, ana: Visitor) -> None:
    site.secrets.set("DW_PASSWORD", VALUE)
    made = site.add_connection("dw", f"jdbc:postgresql://127.0.0.1:1/{VALUE.replace(' ', '')}", password="$DW_PASSWORD")
    site.secrets.set("OTHER", VALUE.replace(" ", ""))
    for path in ("/secrets", "/connections/new", f"/connections/{made.id}/edit", "/settings", "/audit"):
        assert VALUE not in ana.get(path).html, path
    fragment = ana.post(f"/connections/{made.id}/test", headers={"HX-Request": "true"})
    assert VALUE not in fragment.html
    assert VALUE.replace(" ", "") not in fragment.html
