# A preview in a browser: its figures and rows, who sees which, merging and dropping what was staged. Runs none.
"""The page of a preview, and the buttons that lead there."""

from pipekit import repo
from pipekit.engine.definition import read_definition
from pipekit.engine.previews import sign_definition
from pipekit.models import Meeting, Module, Preview, Run, Samples
from tests.pages.records import OWNER, end_run, start_run
from tests.pages.site import Site, Visitor


def make_preview(site: Site, module: Module) -> Run:
    """A preview that has found something, its staging kept for an hour."""
    asked = repo.enqueue_run(site.db, module.id, triggered_by="user:ana", preview=True)
    claimed = repo.claim_next_run(site.db, owner=OWNER, lease_s=3600, max_runs=4)
    assert claimed is not None
    met = Meeting(key={"id": "2"}, differs={"v": ("<old>", None)})
    found = Preview(
        would_insert=1,
        would_update=1,
        would_delete=0,
        unchanged=7,
        samples=Samples(insert=({"id": "3", "v": "secret value"},), update=(met,)),
        notes=["What fires is not tried."],
        definition=sign_definition(read_definition(site.db, module)),
    )
    repo.keep_dest(site.db, asked.id, repo.get_connection(site.db, module.dest_id))
    repo.keep_preview(site.db, asked.id, found, 3600.0)
    repo.finish_run(site.db, asked.id, owner=OWNER, status="dry_run", rows_read=9, rows_staged=9)
    return repo.get_run(site.db, asked.id)


def test_a_preview_shows_its_figures_to_everybody_and_rows_to_admins(site: Site, vera: Visitor, ana: Visitor) -> None:
    run = make_preview(site, site.make_module())
    for visitor in (vera, ana):
        page = visitor.get(f"/runs/{run.id}")
        assert page.texts("#run-live .run-head > .status") == ["preview"]
        assert page.texts(".figures div")[2:6] == ["would delete0", "would insert1", "would update1", "would leave7"]
        assert "What fires is not tried." in page.text
        assert ("secret value" in page.text) is (visitor is ana)
    assert ana.get(f"/runs/{run.id}").texts("table.differs td") == ["v", "<old>", "NULL"]
    assert "preview" in vera.get("/runs").texts(".status")
    assert vera.get(f"/runs/{run.id}?tab=log").status == 200


def test_what_was_looked_at_is_merged_or_dropped_by_an_operator_and_the_audit_says_by_whom(
    site: Site, otto: Visitor, vera: Visitor
) -> None:
    module = site.make_module()
    run = make_preview(site, module)
    buttons = otto.get(f"/runs/{run.id}").texts("#run-actions button")
    assert buttons == ["Drop it", "Preview again", "Merge this"]
    assert vera.get(f"/runs/{run.id}").texts("#run-actions button") == []
    assert vera.post(f"/runs/{run.id}/drop").status == 403
    merged = otto.post(f"/modules/{module.id}/run", {"merges": str(run.id)})
    queued = repo.list_runs(site.db)[0]
    assert (merged.answer.json(), queued.merges_preview) == ({"run_id": queued.id}, run.id)
    assert repo.list_audit(site.db)[0].detail["merges"] == run.id
    repo.cancel_queued_run(site.db, queued.id)
    otto.post(f"/runs/{run.id}/drop")
    entry = repo.list_audit(site.db)[0]
    assert (entry.user, entry.action, entry.kind, entry.detail) == ("otto", "drop", "preview", {"run_id": run.id})
    assert [item.id for item in repo.list_leftover_runs(site.db)] == [run.id]
    assert otto.get(f"/runs/{run.id}").texts("#run-actions button") == ["Preview again"]
    assert otto.post(f"/modules/{module.id}/run", {"merges": str(run.id)}).status == 409


def test_modules_and_dry_runs_lead_to_a_preview(site: Site, otto: Visitor) -> None:
    module = site.make_module()
    dry = end_run(site, start_run(site, module, dry_run=True), "dry_run")
    for address in (f"/modules/{module.id}", f"/runs/{dry.id}"):
        assert "Preview" in otto.get(address).texts("button")
    otto.post(f"/modules/{module.id}/run", {"preview": "1"})
    assert (repo.list_runs(site.db)[0].preview, repo.list_runs(site.db)[0].status) == (True, "queued")
