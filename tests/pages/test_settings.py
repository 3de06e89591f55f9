# Settings and the audit trail on their pages.
"""The pause switch, looks, what is in force, who did what."""

from pipekit import repo
from tests.pages.site import Site, Visitor


def test_everything_is_paused_and_resumed_by_an_operator(site: Site, otto: Visitor) -> None:
    otto.post("/settings/pause")
    assert repo.is_paused(site.db)
    assert "Everything is paused" in otto.get("/settings").text
    otto.post("/settings/resume")
    assert not repo.is_paused(site.db)
    assert [entry.action for entry in repo.list_audit(site.db)] == ["resume", "pause"]


def test_looks_are_kept_in_the_browser(vera: Visitor) -> None:
    assert "data-theme" not in vera.get("/settings").one("html").attributes
    vera.post("/settings/theme", {"theme": "dark"})
    page = vera.get("/settings")
    assert page.one("html").attributes["data-theme"] == "dark"
    assert page.one("input[name=theme][checked]").attributes["value"] == "dark"
    vera.post("/settings/theme", {"theme": "system"})
    assert "data-theme" not in vera.get("/settings").one("html").attributes


def test_what_is_in_force_is_shown(site: Site, vera: Visitor) -> None:
    text = vera.get("/settings").text
    assert "365 days" in text
    assert "max_runs" in text
    assert str(site.config.state_path) in text


def test_the_audit_trail_is_filtered_and_paged(site: Site, vera: Visitor) -> None:
    for number in range(150):
        detail = {"enabled": [True, False]}
        repo.note_audit(site.db, user="ana", action="change", kind="module", name=f"m{number}", detail=detail)
    repo.note_audit(site.db, user="otto", action="run", kind="group", name="nightly")
    page = vera.get("/audit?runs=1")
    assert page.texts("tbody strong")[0] == "nightly"
    assert len(page.all("tbody tr")) == 100
    older = vera.get((page.one(".pages a").attributes["href"] or "").replace("&amp;", "&"))
    assert len(older.all("tbody tr")) == 51
    assert vera.get("/audit?user=otto&runs=1").texts("tbody strong") == ["nightly"]
    assert vera.get("/audit?kind=module&name=m7").texts("tbody strong") == ["m7"]
    assert "Nothing of this kind" in vera.get("/audit?user=nobody").text
