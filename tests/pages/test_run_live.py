# The life of the live fragment: polled while the run is alive, silent while nothing changes, ended by itself.
"""`/runs/{id}/live`."""

import json
from typing import Any

import pytest

from pipekit import repo
from pipekit.web.runs import live
from tests.pages.records import OWNER, end_run, start_run
from tests.pages.site import Page, Site, Visitor

LOG = "-- watermark\n-- plan\n-- stage\nreading\n61 000\n"
AT_WORK: dict[str, Any] = {"stage": "stage", "rows_so_far": 61_000}


def read_stamp(page: Page) -> str:
    values: dict[str, str] = json.loads(page.one("#run-live").attributes["hx-vals"] or "")
    return values["have"]


def test_a_running_run_polls_every_two_seconds(site: Site, vera: Visitor) -> None:
    run = start_run(site, site.make_module(), LOG)
    live = vera.get(f"/runs/{run.id}").one("#run-live")
    assert live.attributes["hx-get"] == f"/runs/{run.id}/live"
    assert live.attributes["hx-trigger"] == "every 2s"
    assert live.attributes["hx-swap"] == "outerHTML"


def test_stage_and_rows_so_far_are_figures_of_the_run_whatever_its_log_says(site: Site, vera: Visitor) -> None:
    run = start_run(site, site.make_module(), LOG + "-- hook\n42\n", stages={"watermark": 0.1}, **AT_WORK)
    page = vera.get_fragment(f"/runs/{run.id}/live")
    assert page.texts(".legend .current strong") == ["stage"]
    assert page.texts(".figures dd")[0] == "61 000"
    assert page.one("#run-log").attributes["hx-swap-oob"] == "true"
    assert page.one("#run-log").text().lstrip("\n") == LOG + "-- hook\n42\n"


def test_an_unchanged_answer_has_no_body(site: Site, vera: Visitor) -> None:
    run = start_run(site, site.make_module(), LOG)
    stamp = read_stamp(vera.get(f"/runs/{run.id}"))
    answer = vera.get_fragment(f"/runs/{run.id}/live?have={stamp}")
    assert (answer.status, answer.html) == (204, "")


def test_an_unchanged_answer_reads_no_log(site: Site, vera: Visitor, traced: list[str]) -> None:
    run = start_run(site, site.make_module(), LOG * 1000)
    stamp = read_stamp(vera.get(f"/runs/{run.id}"))
    traced.clear()
    assert vera.get_fragment(f"/runs/{run.id}/live?have={stamp}").status == 204
    asked = [sql for sql in traced if "run_log_chunk" in sql]
    # Where the log ends, by its last chunk alone.
    assert len(asked) == 1
    assert "LIMIT 1" in asked[0]
    assert len(traced) <= 3


def test_many_who_watch_are_answered_from_one_drawing(
    site: Site, vera: Visitor, otto: Visitor, traced: list[str]
) -> None:
    run = start_run(site, site.make_module(), LOG)
    stamp = read_stamp(vera.get(f"/runs/{run.id}"))
    repo.note_live_figures(site.db, run.id, {"rows_so_far": 62_000})
    first = vera.get_fragment(f"/runs/{run.id}/live?have={stamp}")
    traced.clear()
    second = otto.get_fragment(f"/runs/{run.id}/live?have={stamp}")
    assert second.html == first.html
    assert "62 000" in first.html
    assert not [sql for sql in traced if "SELECT text" in sql]
    # Buttons and what they send along are each person's own: they stay as they are on the page.
    assert not second.has("#run-actions")
    assert otto.csrf not in second.html


def test_a_drawing_that_is_old_is_made_anew(site: Site, vera: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "DRAWN_EVERY_S", 0.0)
    run = start_run(site, site.make_module(), LOG)
    stamp = read_stamp(vera.get(f"/runs/{run.id}"))
    for rows in ("62 000", "63 000"):
        repo.note_live_figures(site.db, run.id, {"rows_so_far": int(rows.replace(" ", ""))})
        page = vera.get_fragment(f"/runs/{run.id}/live?have={stamp}")
        assert page.texts(".figures dd")[0] == rows
        stamp = read_stamp(page)


def test_a_new_figure_is_a_change(site: Site, vera: Visitor) -> None:
    run = start_run(site, site.make_module(), LOG)
    stamp = read_stamp(vera.get(f"/runs/{run.id}"))
    repo.note_live_figures(site.db, run.id, {"rows_so_far": 62_000})
    page = vera.get_fragment(f"/runs/{run.id}/live?have={stamp}")
    assert page.status == 200
    assert page.texts(".figures dd")[0] == "62 000"
    assert read_stamp(page) != stamp


def test_a_cancel_that_was_asked_for_is_a_change(site: Site, vera: Visitor) -> None:
    run = start_run(site, site.make_module(), LOG)
    stamp = read_stamp(vera.get(f"/runs/{run.id}"))
    repo.request_cancel(site.db, run.id)
    assert vera.get_fragment(f"/runs/{run.id}/live?have={stamp}").status == 200


def test_polling_ends_with_the_run_and_the_receipt_takes_its_place(site: Site, otto: Visitor) -> None:
    run = start_run(site, site.make_module(), LOG)
    stamp = read_stamp(otto.get(f"/runs/{run.id}"))
    end_run(site, run)
    page = otto.get_fragment(f"/runs/{run.id}/live?have={stamp}")
    assert "hx-trigger" not in page.one("#run-live").attributes
    assert "hx-get" not in page.one("#run-live").attributes
    assert page.texts(".figures dt") == ["read", "staged", "deleted", "inserted", "updated", "rows/s"]
    assert page.texts("#run-actions button") == ["Run again"]
    assert page.one("#run-actions").attributes["hx-swap-oob"] == "true"


def test_a_queued_run_polls_until_it_starts(site: Site, vera: Visitor) -> None:
    run = repo.enqueue_run(site.db, site.make_module().id, triggered_by="api:cron")
    page = vera.get(f"/runs/{run.id}")
    assert page.one("#run-live").attributes["hx-trigger"] == "every 2s"
    assert "waits for its turn" in page.text
    repo.claim_next_run(site.db, owner=OWNER, lease_s=60, max_runs=4)
    assert vera.get_fragment(f"/runs/{run.id}/live?have={read_stamp(page)}").texts(".run-head .status") == ["running"]


def test_the_log_shown_is_the_last_64_kb(site: Site, vera: Visitor) -> None:
    lines = "".join(f"line {number:06d} of a long log\n" for number in range(10_000))
    run = start_run(site, site.make_module(), lines)
    shown = vera.get(f"/runs/{run.id}").one("#run-log").text().lstrip("\n")
    assert len(shown) <= 65_536
    assert shown == lines[-len(shown) :]
    assert shown.startswith("line ")


def test_the_log_has_search_pause_and_download(site: Site, vera: Visitor) -> None:
    run = start_run(site, site.make_module(), LOG)
    page = vera.get(f"/runs/{run.id}")
    assert all(page.has(f"[{name}]") for name in ("data-log", "data-log-search", "data-log-pause"))
    assert page.one("a[download]").attributes["href"] == f"/runs/{run.id}/log.txt"
    # They stand outside of what is swapped, so that what was typed stays.
    assert not page.has("#run-live [data-log-search]")


def test_the_download_has_the_whole_log(site: Site, vera: Visitor) -> None:
    lines = "".join(f"line {number:06d} of a log that takes several blocks\n" for number in range(30_000))
    run = start_run(site, site.make_module(), lines)
    answer = vera.client.get(f"/runs/{run.id}/log.txt")
    assert answer.text == lines
    assert answer.headers["content-type"].startswith("text/plain")
    assert f"run-{run.id}.log" in answer.headers["content-disposition"]


def test_another_tab_is_not_sent_the_log(site: Site, vera: Visitor) -> None:
    run = start_run(site, site.make_module(), LOG)
    assert not vera.get_fragment(f"/runs/{run.id}/live?tab=sql").has("#run-log")


def test_a_new_line_of_the_log_is_a_change(site: Site, vera: Visitor) -> None:
    run = start_run(site, site.make_module(), LOG)
    stamp = read_stamp(vera.get(f"/runs/{run.id}"))
    repo.append_live_log(site.db, run.id, "a word of the source\n")
    assert read_stamp(vera.get_fragment(f"/runs/{run.id}/live?have={stamp}")) != stamp
