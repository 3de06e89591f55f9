# The first page: three steps when there is nothing, else what is late, failed, running and next; and the bar.
"""`/`, `/board` and `/status`."""

import json
from datetime import UTC, datetime, timedelta

from pipekit import repo
from tests.pages.records import make_run, start_run
from tests.pages.site import Page, Site, Visitor


def sections(page: Page) -> list[str]:
    return page.texts(".board > h2")


def test_an_empty_install_shows_three_steps_and_the_demo(ana: Visitor) -> None:
    page = ana.get("/")
    assert [node.attributes["href"] for node in page.all(".steps a")] == ["/connections/new", "/wizard", "/groups"]
    assert page.texts(".steps .primary") == ["Add a connection"]
    assert "pipekit demo" in page.text
    assert sections(page) == []


def test_steps_that_are_done_are_ticked(site: Site, ana: Visitor) -> None:
    site.make_module()
    page = ana.get("/")
    assert len(page.all(".steps .done")) == 2
    assert page.texts(".steps .primary") == ["Make a group"]


def test_a_viewer_sees_the_steps_without_buttons(vera: Visitor) -> None:
    assert not vera.get("/").has(".steps a")


def test_a_module_whose_last_run_failed_is_shown_until_it_succeeds(site: Site, vera: Visitor) -> None:
    module = site.make_module("invoices")
    run = make_run(site, module, "error", error_stage="merge", error="duplicate key 4711")
    page = vera.get("/")
    assert "Failed (1)" in sections(page)
    assert "duplicate key 4711" in page.text
    assert page.has(f"a[href='/runs/{run.id}']")
    assert not page.has(".board form")
    make_run(site, module)
    assert "Failed (1)" not in sections(vera.get("/"))


def test_what_runs_is_shown_with_rows_and_rate(site: Site, vera: Visitor) -> None:
    module = site.make_module()
    make_run(site, module)
    since = repo.format_moment(datetime.now(UTC) - timedelta(seconds=5))
    start_run(site, module, stage="stage", stage_started_at=since, rows_so_far=602, stages={"watermark": 0.1})
    page = vera.get("/")
    assert "Running (1)" in sections(page)
    assert "37 % stage 602 of about 1 200 rows" in page.text
    assert "/s" in page.text
    assert page.has("svg.bar-meter")


def make_scheduled(site: Site, cron: str = "0 4 * * *") -> int:
    group = repo.create_group(site.db, name="nightly")
    repo.create_member(site.db, group_id=group.id, module_id=site.make_module().id)
    return repo.create_schedule(site.db, group_id=group.id, cron=cron).id


def test_what_comes_next_is_told_with_its_time(site: Site, vera: Visitor) -> None:
    make_scheduled(site)
    page = vera.get("/")
    assert "04:00" in page.text
    assert "1 module" in page.text
    assert not any(title.startswith("Late") for title in sections(page))


def test_a_schedule_that_nothing_looked_at_is_late(site: Site, vera: Visitor) -> None:
    schedule_id = make_scheduled(site, "0 * * * *")
    repo.restart_schedule(site.db, schedule_id, datetime.now(UTC) - timedelta(hours=3))
    page = vera.get("/")
    assert "Late (1)" in sections(page)
    assert "nothing has started" in page.text
    assert "never good yet" in page.text


def test_a_missed_time_is_late_until_the_group_succeeds(site: Site, vera: Visitor) -> None:
    schedule_id = make_scheduled(site)
    now = datetime.now(UTC)
    repo.record_fire(site.db, schedule_id, now - timedelta(hours=1), "missed", recorded_at=now, reason="it was down")
    assert "missed: it was down" in vera.get("/").text
    schedule = repo.get_schedule(site.db, schedule_id)
    repo.update_module(site.db, 1, enabled=False)
    repo.create_group_run(site.db, schedule.group_id, triggered_by="manual")
    assert "Late (1)" not in sections(vera.get("/"))


def test_the_last_day_is_drawn_with_its_failures(site: Site, vera: Visitor) -> None:
    module = site.make_module()
    make_run(site, module)
    make_run(site, module, "error", error_stage="merge", error="no")
    page = vera.get("/")
    assert page.one(".day").attributes["aria-label"] == "2 runs ended in the last 24 hours, 1 failed"
    assert page.texts(".lane-name") == ["by hand"]
    assert [node.attributes["href"] for node in page.all(".lane a")] == ["/runs/1", "/runs/2"]
    assert page.has(".lane a:last-child rect.fill-error")


def test_the_bar_tells_what_runs_and_a_pause_and_is_silent_when_nothing_changed(site: Site, vera: Visitor) -> None:
    start_run(site, site.make_module())
    repo.set_paused(site.db, True)
    page = vera.get_fragment("/status")
    assert "1 running" in page.text
    assert "paused" in page.text
    have = page.one("input").attributes["value"]
    answer = vera.get_fragment(f"/status?have={have}")
    assert (answer.status, answer.html) == (204, "")


def test_the_board_is_drawn_again_only_when_it_looks_different(site: Site, vera: Visitor) -> None:
    module = site.make_module("invoices")
    board = vera.get("/").one("#board")
    assert (board.attributes["hx-get"], board.attributes["hx-trigger"]) == ("/board", "every 10s")
    have = json.loads(board.attributes["hx-vals"] or "")["have"]
    assert vera.get_fragment(f"/board?have={have}").status == 204
    make_run(site, module, "error", error_stage="merge", error="duplicate key 4711")
    page = vera.get_fragment(f"/board?have={have}")
    assert "duplicate key 4711" in page.one("#board").text()
    assert not page.has("header")


def test_a_board_of_nothing_is_none(vera: Visitor) -> None:
    assert not vera.get("/").has("#board")
    assert vera.get_fragment("/board").status == 204


def test_the_night_is_told_in_a_sentence_with_what_is_held_back(site: Site, vera: Visitor) -> None:
    module = site.make_module("invoices")
    assert vera.get("/").one(".night").text() == "Nothing ran in the last 24 hours."
    make_run(site, module)
    assert vera.get("/").one(".night").text() == "The one run of the last 24 hours went well."
    make_run(site, module, "error", error="no")
    schedule = make_scheduled(site)
    now = datetime.now(UTC)
    repo.record_fire(site.db, schedule, now, "skipped", recorded_at=now, reason="paused")
    repo.set_paused(site.db, True)
    page = vera.get("/")
    told = "1 of 2 runs failed in the last 24 hours; 1 module still fails, 1 is late, 1 due time was skipped."
    assert page.one(".night").text() == f"{told} Everything is paused: nothing starts by itself."
    assert "paused" in page.text


def test_a_module_that_fails_says_since_when_how_often_and_when_it_last_was_good(site: Site, vera: Visitor) -> None:
    module = site.make_module("invoices")
    make_run(site, module, "error", error="no")
    assert "never good yet" in vera.get("/").text
    make_run(site, module)
    for _ in range(3):
        make_run(site, module, "error", error="no")
    text = vera.get("/").text
    assert "3 times since" in text
    assert "last good" in text


def test_rows_that_are_older_than_promised_are_late(site: Site, vera: Visitor) -> None:
    module = site.make_module("invoices", fresh_within_s=60)
    make_run(site, module)
    assert not vera.get("/").has(".status-late")
    site.db.execute("DROP TRIGGER run_log_is_final")
    site.db.execute("UPDATE run_log SET finished_at = '2026-01-01T00:00:00.000Z'")
    assert "older than the 1m 00s it promises" in vera.get("/").text


def test_each_groups_days_are_shaded_by_the_share_that_failed(site: Site, vera: Visitor) -> None:
    group = repo.create_group(site.db, name="nightly")
    modules = [site.make_module(f"m{number}") for number in range(4)]
    for module in modules:
        repo.create_member(site.db, group_id=group.id, module_id=module.id)
    group_run = repo.create_group_run(site.db, group.id, triggered_by="manual")
    yesterday = repo.format_moment(datetime.now(UTC) - timedelta(days=1))
    for number, module in enumerate(modules):
        status, error = ("error", "no") if number == 0 else ("success", None)
        site.db.execute(
            "UPDATE run_log SET status = ?, error = ?, started_at = ?, finished_at = ? WHERE module_id = ?",
            (status, error, yesterday, yesterday, module.id),
        )
    site.db.execute("UPDATE group_run SET status = 'error', finished_at = ? WHERE id = ?", (yesterday, group_run.id))
    page = vera.get("/")
    cells = page.all(".weeks tbody td")
    assert len(cells) == 14
    assert cells[12].attributes["class"] == "shade-1"
    assert "1 of 4 failed" in cells[12].text()
    assert cells[13].attributes["class"] == "shade-none"
