# The pages of runs that the first Pipekit recorded. Knows nothing of its state file.
"""`/runs/archive`, `/runs/archive/{id}`, and the way there."""

from pipekit import repo
from pipekit.repo import ArchivedRun
from tests.pages.site import Site, Visitor


def keep(site: Site, count: int) -> None:
    runs = [
        ArchivedRun(
            first_id=str(n),
            module="odd" if n % 2 else "even",
            status="error" if n == 1 else "ok",
            started_at=f"2025-01-01 00:00:{n:02d}",
            rows=n * 1000,
            error="no <b>disk</b>" if n == 1 else "",
            record={"status": "x", "stdout": "first\nsecond <i>", "log_rows": [{"n": n}], "empty": None},
        )
        for n in range(1, count + 1)
    ]
    assert repo.keep_archived_runs(site.db, runs) == count


def test_the_archive_is_linked_where_there_is_one(site: Site, vera: Visitor) -> None:
    assert not vera.get("/runs").has("a[href='/runs/archive']")
    assert "No run was kept" in vera.get("/runs/archive").text
    keep(site, 1)
    assert vera.get("/runs").has("a[href='/runs/archive']")


def test_archived_runs_are_listed_by_pages_and_module(site: Site, vera: Visitor) -> None:
    keep(site, 60)
    page = vera.get("/runs/archive")
    assert page.texts("tbody .row-link") == [str(n) for n in range(60, 10, -1)]
    older = vera.get(page.one("a[rel=next]").attributes["href"] or "")
    assert (older.texts("tbody .row-link")[-1], older.has("a[rel=next]")) == ("1", False)
    odd = vera.get("/runs/archive?module=ODD")
    assert set(odd.texts("tbody td:nth-child(2)")) == {"odd"}
    assert len(odd.all("tbody tr")) == 30
    assert "No run fits" in vera.get("/runs/archive?module=none").text


def test_an_archived_run_shows_everything_as_text(site: Site, vera: Visitor) -> None:
    keep(site, 1)
    [run] = repo.list_archived_runs(site.db)
    page = vera.get(f"/runs/archive/{run.id}")
    assert page.one(".problem").text().strip() == "no <b>disk</b>"
    assert page.texts("h2") == ["stdout", "log_rows"]
    assert page.texts("pre")[0] == "first second <i>"
    assert page.texts("dl.facts dt") == ["status"]
    assert vera.get("/runs/archive/77").status == 404
