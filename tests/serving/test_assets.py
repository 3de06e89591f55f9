# What pages load: addresses that change with the files, kept for a year, and one style sheet.
"""Static files, as a browser asks for them."""

import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from pipekit.serving.app import create_app
from pipekit.web.kit import assets
from tests.project import Project


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    project = Project(tmp_path)
    return TestClient(create_app(project.config, project.secrets, with_service=False), base_url="http://localhost")


def test_what_a_page_names_may_be_kept_for_a_year_and_is_asked_for_under_another_name_when_it_changed(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = client.get("/login").text
    named = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
    assert len(named) == 4
    for address in named:
        answer = client.get(address)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, assets.KEPT), address
    monkeypatch.setattr(assets, "get_digest", lambda: "0123456789ab")
    assert '"/static/0123456789ab/css/main.css"' in client.get("/login").text
    old = client.get(named[0])
    assert (old.status_code, old.headers["cache-control"]) == (200, "no-cache")


def test_one_style_sheet_holds_all_of_them_in_their_layers(client: TestClient) -> None:
    sheet = client.get("/static/css/main.css").text
    assert "@import" not in sheet
    for name in (assets.STATIC / "css").glob("*.css"):
        if name.name != "main.css":
            assert name.read_text("utf-8") in sheet, name
    assert sheet.index("@layer tokens, base") < sheet.index("@layer tokens {")


def test_no_address_leads_out_of_the_folder(client: TestClient) -> None:
    digest = assets.get_digest()
    for path in (f"/static/{digest}/../../app.py", f"/static/{digest}/..%2f..%2fapp.py", f"/static/{digest}/nothing"):
        assert client.get(path).status_code == 404, path
