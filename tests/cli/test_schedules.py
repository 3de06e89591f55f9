# `pipekit schedules` as a command. Knows the state only to write fires that a server would have written.
"""Tests of `schedules list` and `schedules fires`."""

from datetime import UTC, datetime, timedelta

from pipekit import repo
from pipekit.server.scheduler import tick
from tests.cli.conftest import Home


def fire(home: Home, days: int) -> None:
    """As if a server had come up some days after the schedules were made."""
    db = repo.open_state(home.state / "pipekit.db")
    tick(db, datetime.now(UTC) + timedelta(days=days), UTC)
    db.close()


def test_schedules_are_listed_with_their_meaning_and_next_time(shop: Home) -> None:
    text = shop.ok("schedules", "list", TZ="Europe/Berlin")
    assert "nightly  0 4 * * *  At 04:00 every day" in text
    assert " 04:00:00 " in text
    (record,) = shop.ok_json("schedules", "list")
    assert (record["group"], record["cron"], record["enabled"], record["last_outcome"]) == (
        "nightly",
        "0 4 * * *",
        True,
        None,
    )
    assert record["next_at"] > datetime.now(UTC).isoformat()
    fire(shop, 3)
    (record,) = shop.ok_json("schedules", "list")
    assert record["last_outcome"] == "catch_up"
    shop.sql(".pipekit/pipekit.db", "update grp set enabled = 0")
    assert " off " in shop.ok("schedules", "list")
    (record,) = shop.ok_json("schedules", "list")
    assert (record["enabled"], record["next_at"]) == (False, None)


def test_a_broken_schedule_is_listed_too(shop: Home) -> None:
    shop.sql(".pipekit/pipekit.db", "update schedule set cron = '0 0 30 2 *'")
    assert "not a cron expression" in shop.ok("schedules", "list")


def test_fires_are_listed_with_their_reasons(shop: Home) -> None:
    finished = shop.run("schedules", "fires")
    assert (finished.code, finished.stdout) == (0, "")
    assert "No schedule has come due yet" in finished.stderr
    fire(shop, 3)
    head, *lines = shop.ok("schedules", "fires", "--group", "nightly", "--limit", "2").splitlines()
    assert head.split() == ["GROUP", "CRON", "DUE", "OUTCOME", "GROUP", "RUN", "REASON"]
    assert [line.split()[8] for line in lines] == ["catch_up", "missed"]
    records = shop.ok_json("schedules", "fires")
    assert [record["outcome"] for record in records] == ["catch_up", "missed", "missed"]
    assert records[0]["reason"].startswith("started late: 3 times were missed since")
    assert shop.run("schedules", "fires", "--group", "none").code == 2


def test_nothing_is_said_of_no_schedules(home: Home) -> None:
    assert "There are no schedules" in home.run("schedules", "list").stderr
