# Taking a run back from its page: the button, what it says it will do, and what it asks for. Runs no runner.
"""`/runs/{id}/undo`."""

from pipekit import repo
from pipekit.models import Run
from tests.pages.records import make_run
from tests.pages.site import Site, Visitor


def make_kept(site: Site) -> Run:
    """A run of which its dest keeps what it has changed."""
    module = site.make_module(undo_runs=3)
    return make_run(site, module, undo_rows=1218, undo_bytes=4096, rows_inserted=1204, rows_updated=7, rows_deleted=0)


def test_an_operator_is_told_what_an_undo_does_and_then_asks_for_it(site: Site, otto: Visitor) -> None:
    run = make_kept(site)
    assert f"/runs/{run.id}/undo" in otto.get(f"/runs/{run.id}").html
    page = otto.get(f"/runs/{run.id}/undo")
    told = page.texts("form li")
    assert told[:2] == ["1 204 rows that it inserted are deleted", "7 rows that it updated are as they were"]
    assert "This deletes" not in page.text
    sent = otto.post(f"/runs/{run.id}/undo")
    asked = repo.list_runs(site.db)[0]
    assert (sent.status, sent.answer.headers["location"]) == (303, f"/runs/{asked.id}")
    assert (asked.undoes, asked.triggered_by, asked.status) == (run.id, "undo", "queued")
    entry = repo.list_audit(site.db)[0]
    assert (entry.user, entry.action, entry.kind, entry.detail) == (
        "otto", "undo", "run", {"run_id": asked.id, "undoes": run.id},
    )  # fmt: skip
    assert f"takes run {run.id} back" in otto.get(f"/runs/{asked.id}").text
    busy = otto.post(f"/runs/{run.id}/undo")
    assert (busy.status, "is waiting to run already" in busy.text) == (409, True)


def test_a_run_that_keeps_nothing_has_no_button_and_says_why(site: Site, otto: Visitor, vera: Visitor) -> None:
    run = make_run(site, site.make_module())
    assert "/undo" not in otto.get(f"/runs/{run.id}").html
    page = otto.get(f"/runs/{run.id}/undo")
    assert (page.status, "nothing is kept of what it has changed" in page.text) == (409, True)
    assert otto.post(f"/runs/{run.id}/undo").status == 409
    assert vera.get(f"/runs/{run.id}/undo").status == 403


def test_a_run_that_was_taken_back_leads_to_the_one_that_did_it(site: Site, otto: Visitor) -> None:
    run = make_kept(site)
    otto.post(f"/runs/{run.id}/undo")
    taken = repo.claim_next_run(site.db, owner="tests:1", lease_s=3600, max_runs=4)
    assert taken is not None
    repo.finish_run(site.db, taken.id, owner="tests:1", status="success", merge_state="merged")
    page = otto.get(f"/runs/{run.id}")
    assert "taken back" in page.texts(".badge")
    assert f'href="/runs/{taken.id}"' in page.html
    assert f'href="/runs/{run.id}/undo"' not in page.html


def test_a_modules_page_says_how_much_its_dest_keeps(site: Site, vera: Visitor) -> None:
    run = make_kept(site)
    told = vera.get(f"/modules/{run.module_id}").texts(".facts dd")
    assert any(
        "the newest 3 runs can be taken back; the dest keeps 1 218 rows of 1 run, 4.1 kB" in text for text in told
    )
