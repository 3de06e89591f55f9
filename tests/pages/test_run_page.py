# A run's page once the run has ended: receipt, cause, tabs, buttons. Knows how runs are recorded, runs none.
"""The page of a run."""

import pytest

from pipekit import repo
from pipekit.engine.receipt import build_receipt
from pipekit.engine.record import RunRecord
from pipekit.models import Check, MergeState, RunSession
from tests.pages.records import end_run, make_run, start_run
from tests.pages.site import Site, Visitor


def test_a_successful_run_shows_its_receipt(site: Site, vera: Visitor) -> None:
    run = make_run(site, site.make_module())
    page = vera.get(f"/runs/{run.id}")
    assert page.texts("#run-live .run-head > .status") == ["success"]
    assert [" ".join(text.split()) for text in page.texts(".figures div")] == [
        "read1 204",
        "staged1 204",
        "deleted1 100",
        "inserted1 204",
        "updated0",
        "rows/s135",
    ]
    assert page.texts(".checks li") == ["counts read = staged = 1204"]
    assert [text.split()[0] for text in page.texts(".legend li")] == ["watermark", "plan", "stage", "check", "merge"]
    assert not page.has(".run-cause")
    assert "by ana" in page.text


def test_rows_that_were_left_as_they_are_are_told_wherever_a_run_is_told(site: Site, vera: Visitor) -> None:
    module = site.make_module()
    group = repo.create_group(site.db, name="nightly")
    repo.create_member(site.db, group_id=group.id, module_id=module.id)
    group_run = repo.create_group_run(site.db, group.id, triggered_by="manual")
    run = start_run(site, module)
    site.db.change("UPDATE run_log SET group_run_id = ? WHERE id = ?", (group_run.id, run.id))
    run = end_run(site, run, rows_deleted=0, rows_inserted=3, rows_updated=2, rows_unchanged=1199)
    assert "unchanged1 199" in [" ".join(text.split()) for text in vera.get(f"/runs/{run.id}").texts(".figures div")]
    assert "Unchanged" in vera.get(f"/modules/{module.id}").texts(".facts dt")
    assert "deleted 0  inserted 3  updated 2  unchanged 1 199" in " ".join(build_receipt(run))
    assert run.to_json()["rows_unchanged"] == repo.list_runs(site.db)[0].rows_unchanged == 1199
    told = [" ".join(text.split()) for text in vera.get(f"/group-runs/{group_run.id}").texts("tbody td")]
    assert "3 inserted, 2 updated, 1 199 unchanged" in told


def test_the_jobs_that_serve_a_run_are_shown_while_it_goes_on_and_afterwards(site: Site, vera: Visitor) -> None:
    run = start_run(site, site.make_module())
    session = RunSession(name="041207/QUSER/QZDASOINIT", about="jt400 9.4, blocks of 512 KB", writes=False)
    RunRecord(site.db, run).meet(session)
    shown = [f"{session.name} reads, {session.about}"]
    assert vera.get(f"/runs/{run.id}").texts(".sessions li") == shown
    run = end_run(site, run)
    assert vera.get(f"/runs/{run.id}").texts(".sessions li") == shown
    assert repo.get_run(site.db, run.id).sessions == (session,)


def test_a_check_that_was_not_made_is_not_shown_as_passed(site: Site, vera: Visitor) -> None:
    made = [
        Check(name="counts", ok=True),
        Check(name="exact", ok=None, detail="switched off"),
        Check(name="x", ok=False),
    ]
    module = site.make_module()
    run = make_run(site, module, checks=made)
    for address in (f"/runs/{run.id}", f"/modules/{module.id}"):
        items = [(node.text(), node.attributes.get("class")) for node in vera.get(address).all(".checks li")]
        assert [(text.split()[0], shown) for text, shown in items] == [
            ("counts", None),
            ("exact", "off"),
            ("x", "failed"),
        ]
    assert [line.split(":")[0] for line in build_receipt(run) if line.startswith("  ok  ") or "  -- " in line] == [
        "  ok  counts",
        "  --  exact",
    ]
    assert [check["ok"] for check in run.to_json()["checks"]] == [True, None, False]


def test_stages_are_bars_in_proportion_to_their_seconds(site: Site, vera: Visitor) -> None:
    run = make_run(site, site.make_module())
    page = vera.get(f"/runs/{run.id}")
    widths = [float(node.attributes["width"] or 0) for node in page.all("svg.timeline rect")]
    assert len(widths) == 5
    assert widths[2] == pytest.approx(widths[4] * 8.9 / 3.0, rel=0.05)
    assert "style" not in page.one("svg.timeline").attributes


def test_a_failed_run_begins_with_one_sentence_and_says_how_to_mend_it(site: Site, vera: Visitor) -> None:
    run = make_run(
        site,
        site.make_module("invoices"),
        "error",
        error_stage="merge",
        error="duplicate key value 4711\nDETAIL: Key (id)=(4711) already exists.",
        hint="Use upsert.",
    )
    page = vera.get(f"/runs/{run.id}")
    assert page.texts(".run-cause > p:first-child") == ["Merging into invoices failed: duplicate key value 4711"]
    assert page.texts(".run-cause pre") == ["DETAIL: Key (id)=(4711) already exists."]
    assert page.texts(".dest-state") == ["invoices is unchanged."]
    assert page.texts(".mends li")[0] == "Use upsert."
    assert len(page.texts(".mends li")) == 2


@pytest.mark.parametrize(
    ("state", "words"),
    [("none", "is unchanged"), ("merged", "the merge was committed and stays"), ("unknown", "It is not known")],
)
def test_a_failed_run_says_what_state_the_dest_is_in(site: Site, vera: Visitor, state: MergeState, words: str) -> None:
    stage = "hook" if state == "merged" else "merge"
    run = make_run(site, site.make_module(), "error", error_stage=stage, error="It broke.", merge_state=state)
    assert words in vera.get(f"/runs/{run.id}").texts(".dest-state")[0]


def test_tabs_show_sql_merge_and_watermarks_without_scripts(site: Site, vera: Visitor) -> None:
    run = make_run(
        site,
        site.make_module(),
        resolved_sql="select 1 -- why",
        merge_sql="insert into t",
        staging_sql="create table s",
        watermark_values={"since": "2026-01-01"},
    )
    assert "select 1 -- why" in vera.get(f"/runs/{run.id}?tab=sql").texts("pre.sql")
    assert vera.get(f"/runs/{run.id}?tab=merge").texts("pre.sql") == ["create table s", "insert into t"]
    assert "2026-01-01" in vera.get(f"/runs/{run.id}?tab=watermarks").text
    page = vera.get(f"/runs/{run.id}?tab=nonsense")
    assert page.texts(".tabs [aria-current]") == ["Log"]


def test_an_operator_can_run_again_and_a_viewer_sees_no_button(site: Site, otto: Visitor, vera: Visitor) -> None:
    module = site.make_module()
    run = make_run(site, module)
    form = otto.get(f"/runs/{run.id}").one("#run-actions form")
    assert form.attributes["action"] == f"/modules/{module.id}/run"
    assert not vera.get(f"/runs/{run.id}").has("#run-actions form")


def test_an_operator_cancels_a_run_and_the_audit_says_who(site: Site, otto: Visitor) -> None:
    run = start_run(site, site.make_module())
    assert otto.get(f"/runs/{run.id}").one("#run-actions form").attributes["action"] == f"/runs/{run.id}/cancel"
    assert otto.post(f"/runs/{run.id}/cancel").answer.headers["location"] == f"/runs/{run.id}"
    assert repo.get_run(site.db, run.id).cancel_requested
    assert "cancel asked for" in otto.get(f"/runs/{run.id}").text
    entry = repo.list_audit(site.db)[0]
    assert (entry.user, entry.action, entry.kind) == ("otto", "cancel", "run")


def test_a_viewer_may_not_cancel(site: Site, vera: Visitor) -> None:
    run = start_run(site, site.make_module())
    assert vera.post(f"/runs/{run.id}/cancel").status == 403
    assert not repo.get_run(site.db, run.id).cancel_requested


def test_a_run_that_is_not_there_is_not_found(vera: Visitor) -> None:
    assert vera.get("/runs/999").status == 404
    assert vera.get("/runs/999/live").status == 404
    assert vera.get("/runs/999/log.txt").status == 404
