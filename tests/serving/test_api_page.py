# The API's own page, and its description for whoever looks at pages.
"""`/api`, `/api/docs` and `/api/openapi.json` in a browser."""

from pathlib import Path

from pipekit.api.openapi import build_openapi
from tests.pages.site import Site


def test_a_browser_finds_the_api_described_behind_the_login_and_nothing_comes_from_elsewhere(tmp_path: Path) -> None:
    site = Site(tmp_path)
    try:
        stranger = site.new_client()
        assert stranger.get("/api/docs").headers["location"].startswith("/login")
        assert stranger.get("/api/openapi.json").status_code == 401
        vera = site.visit("vera")
        assert vera.client.get("/api").headers["location"] == "/api/docs"
        page = vera.get("/api/docs")
        document = build_openapi()
        operations = [item["operationId"] for path in document["paths"].values() for item in path.values()]
        assert [node.attributes["id"] for node in page.all("section:not(#models) > details")] == operations
        names = {node.attributes["id"] for node in page.all("#models > details > div")}
        assert names == set(document["components"]["schemas"])
        targets = {(node.attributes["href"] or "")[1:] for node in page.all("#main details a")}
        assert targets <= names, "each model that is named is there"
        assert "Five cron fields" in page.text
        assert vera.client.get("/api/openapi.json").json() == document
    finally:
        site.close()
