# Schedules in a state file: what a tick records, and when it keeps its hands off. Starts nothing.
"""Tests of `tick` and of what the state keeps of schedules."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipekit import repo
from pipekit.errors import GroupBusy, Invalid, NameTaken, NotFound, StateError
from pipekit.models import Group, Module, Schedule, ScheduleFire
from pipekit.server import scheduler
from pipekit.server.scheduler import tick

BEGIN = datetime(2026, 6, 10, 3, 30, tzinfo=UTC)
DUE = datetime(2026, 6, 10, 4, 0, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    scheduler._told.clear()
    yield
    scheduler._told.clear()


@pytest.fixture
def nightly(db: repo.State, orders: Module) -> Group:
    group = repo.create_group(db, name="nightly")
    repo.create_member(db, group_id=group.id, module_id=orders.id)
    return group


@pytest.fixture
def daily(db: repo.State, nightly: Group) -> Schedule:
    return repo.create_schedule(db, group_id=nightly.id, cron="0 4 * * *", active_from=BEGIN)


def look(db: repo.State, now: datetime) -> list[tuple[str, str]]:
    return [(fire.due_at, fire.outcome) for fire in tick(db, now, UTC)]


def read_fires(db: repo.State) -> list[tuple[str, str, str | None]]:
    return [(fire.due_at[:16], fire.outcome, fire.reason) for fire in reversed(repo.list_fires(db))]


def test_a_fire_comes_with_its_group_run_and_its_queued_runs(db: repo.State, daily: Schedule) -> None:
    assert look(db, DUE - SECOND) == []
    (fire,) = tick(db, DUE + 20 * SECOND, UTC)
    assert fire.group_run_id is not None
    assert fire == ScheduleFire(
        id=fire.id,
        schedule_id=daily.id,
        due_at="2026-06-10T04:00:00.000Z",
        outcome="fired",
        group_run_id=fire.group_run_id,
        recorded_at="2026-06-10T04:00:20.000Z",
    )
    assert repo.get_group_run(db, fire.group_run_id).triggered_by == f"schedule:{daily.id}"
    (run,) = repo.list_runs(db)
    assert (run.status, run.module, run.group_run_id) == ("queued", "orders", fire.group_run_id)
    assert repo.get_schedule(db, daily.id).last_fired_at == "2026-06-10T04:00:00.000Z"
    assert repo.list_fires(db, daily.id) == [fire]
    assert repo.find_last_fire(db, daily.id) == fire


def test_a_time_is_not_fired_twice(db: repo.State, path: Path, daily: Schedule) -> None:
    assert len(look(db, DUE)) == 1
    assert look(db, DUE + SECOND) == []
    other = repo.open_state(path)
    assert look(other, DUE + MINUTE) == []
    other.close()


def test_of_two_servers_that_look_at_once_one_fires(
    db: repo.State, path: Path, daily: Schedule, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = repo.open_state(path)
    seen_before = repo.list_due_candidates(other)
    assert len(look(db, DUE)) == 1
    monkeypatch.setattr(repo, "list_due_candidates", lambda db: seen_before)
    assert look(other, DUE) == []
    assert len(repo.list_group_runs(db)) == 1
    other.close()


def test_a_clock_set_back_an_hour_fires_nothing_twice_and_goes_on(db: repo.State, nightly: Group) -> None:
    repo.create_schedule(db, group_id=nightly.id, cron="*/30 * * * *", active_from=BEGIN)
    now, fired = BEGIN, []
    for step in [30 * MINUTE, 30 * MINUTE, 10 * MINUTE, -HOUR] + [10 * MINUTE] * 12:
        now += step
        fired += [due_at[11:16] for due_at, _ in look(db, now)]
    assert fired == ["04:00", "04:30", "05:00", "05:30"]


def test_a_mark_left_by_a_clock_that_was_years_ahead_does_not_silence_a_schedule(
    db: repo.State, daily: Schedule, caplog: pytest.LogCaptureFixture
) -> None:
    assert look(db, DUE) == [("2026-06-10T04:00:00.000Z", "fired")]
    db.change("UPDATE group_run SET status = 'success', finished_at = started_at")
    assert [outcome for _, outcome in look(db, DUE.replace(year=2030) - MINUTE)][-1] == "catch_up"
    db.change("UPDATE group_run SET status = 'success', finished_at = started_at")
    assert look(db, DUE - HOUR) == []
    assert "set back" in caplog.text
    assert look(db, DUE) == []  # it is on record
    # What seemed missed while the clock was ahead was not, and comes at its time.
    assert look(db, DUE + timedelta(days=1)) == [("2026-06-11T04:00:00.000Z", "fired")]
    assert len(repo.list_fires(db)) == 3  # with the one that was caught up in 2030


def test_after_a_downtime_a_schedule_fires_once_and_says_so(db: repo.State, daily: Schedule) -> None:
    tick(db, DUE + timedelta(days=2, hours=3), UTC)
    why = "Pipekit did not run at this time, or its clock was set forward."
    why += " The latest of the times that were missed is 2026-06-12 04:00."
    assert read_fires(db) == [
        ("2026-06-10T04:00", "missed", why),
        ("2026-06-11T04:00", "missed", why),
        ("2026-06-12T04:00", "catch_up", "started late: 3 times were missed since 2026-06-10 04:00"),
    ]
    assert len(repo.list_group_runs(db)) == 1


def test_a_schedule_that_does_not_catch_up_records_what_it_missed(db: repo.State, daily: Schedule) -> None:
    assert not repo.update_schedule(db, daily.id, catch_up=False).catch_up
    tick(db, DUE + timedelta(days=2, hours=3), UTC)
    assert [outcome for _, outcome, _ in read_fires(db)] == ["missed"] * 3
    assert repo.list_group_runs(db) == []


def test_a_gap_of_ten_days_of_minutes_is_a_thousand_rows(db: repo.State, nightly: Group) -> None:
    schedule = repo.create_schedule(db, group_id=nightly.id, cron="* * * * *", active_from=BEGIN)
    fires = tick(db, BEGIN + timedelta(days=10), UTC)
    assert len(fires) == len(repo.list_fires(db, schedule.id, 100_000)) == 1000
    assert "13,400 before this one are not listed" in (fires[0].reason or "")
    assert tick(db, BEGIN + timedelta(days=10, seconds=30), UTC) == []


def test_a_group_that_still_runs_is_skipped(db: repo.State, nightly: Group, daily: Schedule) -> None:
    alive = repo.create_group_run(db, nightly.id, triggered_by="manual")
    tick(db, DUE, UTC)
    running = f"the group was still running (group run {alive.id})"
    assert read_fires(db) == [("2026-06-10T04:00", "skipped", running)]
    tick(db, DUE + timedelta(days=2), UTC)
    assert read_fires(db)[1:] == [
        ("2026-06-11T04:00", "skipped", f"{running}; 1 time was missed since 2026-06-11 04:00"),
        ("2026-06-12T04:00", "skipped", running),
    ]
    assert repo.cancel_group_run(db, alive.id)
    assert look(db, DUE + timedelta(days=3)) == [("2026-06-13T04:00:00.000Z", "fired")]


def test_what_is_paused_is_skipped(db: repo.State, nightly: Group, daily: Schedule) -> None:
    repo.set_paused(db, True)
    tick(db, DUE, UTC)
    repo.set_paused(db, False)
    repo.update_group(db, nightly.id, paused=True)
    tick(db, DUE + timedelta(days=1), UTC)
    repo.update_group(db, nightly.id, paused=False)
    tick(db, DUE + timedelta(days=2), UTC)
    assert read_fires(db) == [
        ("2026-06-10T04:00", "skipped", "paused"),
        ("2026-06-11T04:00", "skipped", "paused"),
        ("2026-06-12T04:00", "fired", None),
    ]


def test_a_new_schedule_never_fires_for_the_past(db: repo.State, nightly: Group) -> None:
    schedule = repo.create_schedule(db, group_id=nightly.id, cron="* * * * *")
    assert schedule.active_from is not None
    made = datetime.fromisoformat(schedule.active_from)
    assert look(db, made) == []
    assert len(look(db, made + MINUTE)) == 1


def test_what_was_off_is_not_made_up_for(db: repo.State, nightly: Group, daily: Schedule) -> None:
    repo.update_schedule(db, daily.id, enabled=False)
    assert look(db, DUE) == []
    enabled = repo.update_schedule(db, daily.id, enabled=True)
    assert datetime.fromisoformat(enabled.active_from or "") > BEGIN
    assert look(db, datetime.fromisoformat(enabled.active_from or "")) == []
    repo.update_group(db, nightly.id, enabled=False)
    assert repo.list_due_candidates(db) == []
    repo.update_group(db, nightly.id, enabled=True)
    again = repo.get_schedule(db, daily.id)
    assert (again.active_from or "") >= (enabled.active_from or "")
    assert look(db, datetime.fromisoformat(again.active_from or "")) == []


def test_an_unchanged_schedule_goes_on_where_it_was(db: repo.State, nightly: Group, daily: Schedule) -> None:
    repo.update_schedule(db, daily.id, enabled=True, cron=" 0 4  * * *", catch_up=True)
    repo.update_group(db, nightly.id, enabled=True)
    assert repo.get_schedule(db, daily.id) == daily
    assert repo.update_schedule(db, daily.id, cron="@daily").active_from != daily.active_from


def test_a_schedule_of_an_older_file_begins_when_it_is_first_seen(db: repo.State, daily: Schedule) -> None:
    db.change("UPDATE schedule SET active_from = NULL")
    assert look(db, DUE + HOUR) == []
    assert look(db, DUE + timedelta(days=1)) == [("2026-06-11T04:00:00.000Z", "fired")]


def test_a_bad_row_does_not_stop_the_others_and_is_told_once(
    db: repo.State, nightly: Group, caplog: pytest.LogCaptureFixture
) -> None:
    bad = repo.create_schedule(db, group_id=nightly.id, cron="1 1 * * *", active_from=BEGIN)
    odd = repo.create_schedule(db, group_id=nightly.id, cron="2 2 * * *", active_from=BEGIN)
    repo.create_schedule(db, group_id=nightly.id, cron="0 4 * * *", active_from=BEGIN)
    db.change("UPDATE schedule SET cron = '0 0 30 2 *' WHERE id = ?", (bad.id,))
    db.change("UPDATE schedule SET last_fired_at = 'yesterday' WHERE id = ?", (odd.id,))
    with caplog.at_level(logging.ERROR, "pipekit.scheduler"):
        assert len(look(db, DUE)) == 1
        assert look(db, DUE + MINUTE) == []
        assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]
        assert "there is no such day" in caplog.records[0].getMessage()
        db.change("UPDATE schedule SET cron = '61 * * * *' WHERE id = ?", (bad.id,))
        look(db, DUE + 2 * MINUTE)
        assert "'61' does not fit the minute" in caplog.records[-1].getMessage()
        assert len(caplog.records) == 3


def test_a_group_deleted_in_the_middle_is_let_go(
    db: repo.State, nightly: Group, daily: Schedule, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen_before = repo.list_due_candidates(db)
    repo.delete_group(db, nightly.id)
    monkeypatch.setattr(repo, "list_due_candidates", lambda db: seen_before)
    assert look(db, DUE) == []


@pytest.mark.parametrize("error", [GroupBusy("busy"), RuntimeError("odd"), KeyboardInterrupt()])
def test_a_group_run_that_cannot_be_made_leaves_nothing_behind_and_is_tried_again(
    db: repo.State, daily: Schedule, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    create = repo.create_group_run

    def fail(*arguments: Any, **options: Any) -> None:
        create(*arguments, **options)
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(repo, "create_group_run", fail)
        if isinstance(error, Exception):
            assert look(db, DUE) == []
        else:
            with pytest.raises(KeyboardInterrupt):
                look(db, DUE)
    assert (repo.list_fires(db), repo.list_group_runs(db), repo.list_runs(db)) == ([], [], [])
    assert repo.get_schedule(db, daily.id) == daily
    assert look(db, DUE + MINUTE) == [("2026-06-10T04:00:00.000Z", "fired")]


def test_a_state_that_cannot_be_written_ends_the_tick_and_nothing_is_lost(
    db: repo.State, path: Path, nightly: Group
) -> None:
    for minute in range(5):
        repo.create_schedule(db, group_id=nightly.id, cron=f"{minute} 4 * * *", active_from=BEGIN)
    other = repo.open_state(path)
    db.execute("PRAGMA busy_timeout = 10")
    other.execute("BEGIN IMMEDIATE")
    assert tick(db, DUE + 10 * SECOND, UTC) == []
    with pytest.raises(StateError, match="locked"):
        tick(db, DUE + MINUTE, UTC)
    other.execute("ROLLBACK")
    other.close()
    assert [outcome for _, outcome in look(db, DUE + MINUTE)] == ["fired", "skipped"]


def test_a_schedule_is_checked_when_it_is_saved(db: repo.State, nightly: Group, daily: Schedule) -> None:
    assert repo.create_schedule(db, group_id=nightly.id, cron="@Hourly").cron == "0 * * * *"
    with pytest.raises(NameTaken):
        repo.create_schedule(db, group_id=nightly.id, cron="0 * * * *")
    for cron in ("0 0 30 2 *", "0 0 0 4 * *", "R R * * *", "? * * * *"):
        with pytest.raises(Invalid) as caught:
            repo.create_schedule(db, group_id=nightly.id, cron=cron)
        assert caught.value.field == "cron"
        with pytest.raises(Invalid):
            repo.update_schedule(db, daily.id, cron=cron)
    with pytest.raises(NotFound):
        repo.update_schedule(db, 99, enabled=True)


def test_fires_are_listed_by_schedule_and_by_group(db: repo.State, nightly: Group, daily: Schedule) -> None:
    weekly = repo.create_group(db, name="weekly")
    repo.create_schedule(db, group_id=weekly.id, cron="0 4 * * *", active_from=BEGIN)
    first, second = tick(db, DUE, UTC)
    assert repo.list_fires(db) == [second, first]
    assert repo.list_fires(db, limit=1) == [second]
    assert repo.list_fires(db, daily.id) == repo.list_fires(db, group_id=nightly.id) == [first]
    repo.delete_group(db, nightly.id)
    assert repo.list_fires(db) == [second]
