# A run that lives: how far it is, what it waits for, whose values it has, who ended it, when its lines came.
"""Pages of a run from its place in the queue to its end, beside the module's good runs."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipekit import repo
from pipekit.engine.starting.requests import ask_cancel
from pipekit.models import Run
from pipekit.web.kit.words import format_local
from tests.pages.records import OWNER, end_run, make_run, start_run
from tests.pages.site import Site, Visitor


def start_staging(site: Site, rows: int | None = 602, **fields: Any) -> Run:
    """A run of a module that had a good one, five seconds within its stage."""
    module = site.make_module()
    make_run(site, module)
    since = repo.format_moment(datetime.now(UTC) - timedelta(seconds=5))
    return start_run(site, module, stage="stage", stage_started_at=since, rows_so_far=rows, **fields)


def test_a_run_says_how_far_it_is_and_draws_the_stages_to_come(site: Site, vera: Visitor) -> None:
    run = start_staging(site, stages={"watermark": 0.1, "plan": 0.1})
    for path in (f"/runs/{run.id}", f"/modules/{run.module_id}"):
        page = vera.get(path)
        assert "37 % 602 of about 1 200 rows" in " ".join(page.texts(".how-far")), path
        assert "left" in " ".join(page.texts(".how-far")), path
    page = vera.get(f"/runs/{run.id}")
    assert page.texts(".legend .coming") == ["check about 0.20 s", "merge about 3.00 s"]
    assert len(page.all(".timeline .fill-coming")) == 3
    assert "http-equiv" in (page.one("noscript").html or "")


def test_a_run_without_a_past_shows_its_rows_and_no_share(site: Site, vera: Visitor) -> None:
    run = start_run(site, site.make_module(), stage="stage", rows_so_far=602)
    page = vera.get(f"/runs/{run.id}")
    assert page.texts(".how-far") == ["602 rows"]
    assert not page.has(".fill-coming")


@pytest.mark.parametrize("given", [{"dry_run": True}, {"overrides": {"last": "1"}}])
def test_what_is_no_usual_load_is_not_told_by_usual_loads(site: Site, vera: Visitor, given: dict[str, object]) -> None:
    module = site.make_module()
    make_run(site, module)
    run = repo.enqueue_run(site.db, module.id, triggered_by="user:ana", **given)  # type: ignore[arg-type]
    page = vera.get(f"/runs/{run.id}")
    assert "%" not in page.text
    assert not page.has(".fill-coming")


def test_a_run_that_waits_says_what_for_wherever_it_is_shown(site: Site, vera: Visitor) -> None:
    module = site.make_module()
    group = repo.create_group(site.db, name="nightly")
    repo.create_member(site.db, group_id=group.id, module_id=module.id)
    run = repo.list_group_members(site.db, repo.create_group_run(site.db, group.id, triggered_by="manual").id)[0]
    paths = (f"/runs/{run.id}", f"/group-runs/{run.group_run_id}", f"/modules/{module.id}")
    stamps = {pages_stamp(site, run)}
    assert "waits for its turn" in vera.get(paths[0]).text
    repo.set_paused(site.db, True)
    stamps.add(pages_stamp(site, run))
    assert all(vera.get(path).has("main .status-paused") for path in paths)
    assert "when somebody lets everything go on" in vera.get(paths[0]).text
    repo.set_paused(site.db, False)
    repo.update_group(site.db, group.id, paused=True)
    stamps.add(pages_stamp(site, run))
    assert all(vera.get(path).has("main .status-paused") for path in paths)
    assert "lets the group go on" in vera.get(paths[0]).text
    assert len(stamps) == 3  # a page that is open learns of each


def pages_stamp(site: Site, run: Run) -> str:
    return repo.pages.get_run_stamp(site.db, run.id)


def run_by_hand(site: Site) -> Run:
    module = site.make_module(source_query="select * from orders where id > {last}")
    mark = {"name": "last", "connection_id": module.dest_id, "resolver_sql": "select 5"}
    repo.create_watermark(site.db, module_id=module.id, **mark)  # type: ignore[arg-type]
    repo.enqueue_run(site.db, module.id, triggered_by="user:ana", overrides={"last": "100"})
    run = repo.claim_next_run(site.db, owner=OWNER, lease_s=3600, max_runs=4)
    assert run is not None
    return end_run(site, run, watermark_values={"last": "100"})


def test_values_given_by_hand_are_marked_and_run_again_asks_which(site: Site, otto: Visitor) -> None:
    run = run_by_hand(site)
    page = otto.get(f"/runs/{run.id}?tab=watermarks")
    assert "values given by hand" in page.texts(".run-head .badge")
    assert page.texts("#run-tabs tbody td") == ["{last}", "100", "given by hand"]
    assert page.texts(".again .menu-items button") == ["Values found anew", "The same values"]
    for form, expected in ((0, {}), (1, {"last": "100"})):
        sent = {
            node.attributes["name"] or "": node.attributes["value"] or ""
            for node in page.all(".again form")[form].css("input")
        }
        otto.post(f"/modules/{run.module_id}/run", sent)
        asked = repo.list_runs(site.db, limit=1)[0]
        assert repo.get_overrides(site.db, asked.id) == expected
        repo.cancel_queued_run(site.db, asked.id)
    assert run.to_json()["watermarks_given"] == ["last"]


def test_a_cancelled_run_keeps_its_rows_and_says_who_cancelled_it(site: Site, vera: Visitor) -> None:
    run = start_staging(site, rows=418_326)
    assert ask_cancel(site.db, run, user="otto")
    assert "cancel asked for by otto" in vera.get(f"/runs/{run.id}").text
    ended = end_run(site, run, "cancelled", error_stage="stage", error="The run was cancelled during stage by otto.")
    page = vera.get(f"/runs/{run.id}")
    assert "cancelled by otto" in page.text
    assert (page.texts(".figures dt")[0], page.texts(".figures dd")[0]) == ("arrived before it ended", "418 326")
    assert (ended.to_json()["cancelled_by"], ended.rows_so_far) == ("otto", 418_326)


def test_lines_of_a_log_are_shown_with_when_they_came_and_kept_without(site: Site, vera: Visitor) -> None:
    run = start_run(site, site.make_module())
    first, second = "2026-11-30T17:00:01Z", "2026-11-30T17:00:02Z"
    repo.append_live_log(site.db, run.id, [repo.TimedText(first, "-- plan\n-- stage\n"), repo.TimedText(second, "7\n")])
    repo.append_live_log(site.db, run.id, [repo.TimedText(second, "8\nread\n")])
    shown = vera.get(f"/runs/{run.id}").one("#run-log").text().lstrip("\n").splitlines()
    clocks = [format_local(at)[11:] for at in (first, first, second, second)]
    assert shown == [f"{at}  {line}" for at, line in zip(clocks, ("-- plan", "-- stage", "8", "read"), strict=True)]
    whole = vera.client.get(f"/runs/{run.id}/log.txt").text.splitlines()
    assert whole[0] == f"{format_local(first)}  -- plan"
    assert repo.read_live_log(site.db, run.id)[0] == "-- plan\n-- stage\n8\nread\n"


def test_a_dry_run_opens_on_its_sql_and_brings_it_to_a_page_that_waits_for_it(site: Site, vera: Visitor) -> None:
    run = start_run(site, site.make_module(), dry_run=True)
    before = pages_stamp(site, run)
    end_run(site, run, "dry_run", resolved_sql="select 4711")
    page = vera.get(f"/runs/{run.id}")
    assert page.texts(".tabs [aria-current]") == ["SQL"]
    live = vera.get_fragment(f"/runs/{run.id}/live?have={before}")
    assert live.one("#run-tabs").attributes["hx-swap-oob"] == "true"
    assert "4711" in live.one("#run-tabs").text()


def test_the_pause_of_a_log_goes_with_its_run(site: Site, vera: Visitor) -> None:
    run = start_run(site, site.make_module(), "reading\n")
    before = pages_stamp(site, run)
    end_run(site, run)
    live = vera.get_fragment(f"/runs/{run.id}/live?have={before}")
    assert live.one("#run-tabs").css("[data-log]")
    assert not live.has("[data-log-pause]")


def test_a_good_run_stands_beside_the_last_good_one(site: Site, vera: Visitor) -> None:
    module = site.make_module()
    good = make_run(site, module)
    run = make_run(site, module, rows_read=2408, stages={"stage": 8.9, "merge": 12.0})
    page = vera.get(f"/runs/{run.id}")
    rows = page.one(".compared tbody").text(separator=" ").split()
    told = " ".join(rows)
    assert "read 2 408 1 204 +100 %" in told
    assert "stage 8.90 s 8.90 s same" in told
    assert "merge 12.0 s 3.00 s × 4.0" in told
    assert page.one(".compared th a").attributes["href"] == f"/runs/{good.id}"
