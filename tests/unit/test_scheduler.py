# When cron expressions come on wall clocks, and what is planned for times that have come. Needs no state.
"""Tests of pipekit.cron and of `due`."""

import re
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from pathlib import Path
from zoneinfo import TZPATH, ZoneInfo

import pytest

from pipekit.cron import check_cron, describe, expand_cron, get_zone, iterate_times, next_times, require_cron
from pipekit.errors import ConfigError, Invalid
from pipekit.server.scheduler import MOST_ROWS, due

NEW_YORK, BERLIN = "America/New_York", "Europe/Berlin"
HOWE, CAIRO, APIA = "Australia/Lord_Howe", "Africa/Cairo", "Pacific/Apia"


def list_day(cron: str, zone: str, day: str, days: int = 1) -> list[str]:
    """The times of a day (or several), as local time with its offset."""
    begin = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone))
    end = (begin.replace(tzinfo=None) + timedelta(days=days)).replace(tzinfo=ZoneInfo(zone))
    found = []
    for moment in iterate_times(cron, begin.astimezone(UTC) - timedelta(seconds=1), ZoneInfo(zone)):
        if moment >= end:
            break
        found.append(moment.astimezone(ZoneInfo(zone)).strftime("%d %H:%M%z"))
    return found


@pytest.mark.parametrize(
    ("cron", "zone", "day", "expected"),
    [
        # Clocks go back: a fixed time comes once, at the first of the two.
        ("30 1 * * *", NEW_YORK, "2026-11-01", ["01 01:30-0400"]),
        ("30 2 * * *", BERLIN, "2026-10-25", ["25 02:30+0200"]),
        ("0 2,3 * * *", BERLIN, "2026-10-25", ["25 02:00+0200", "25 03:00+0100"]),
        ("45 1 * * *", HOWE, "2026-04-05", ["05 01:45+1100"]),
        # Clocks go forward: a time that is left out comes at the end of the gap, two of them together once.
        ("30 2 * * *", NEW_YORK, "2026-03-08", ["08 03:00-0400"]),
        ("30 2 * * *", BERLIN, "2026-03-29", ["29 03:00+0200"]),
        ("0,30 2 * * *", NEW_YORK, "2026-03-08", ["08 03:00-0400"]),
        ("0 2,3 * * *", NEW_YORK, "2026-03-08", ["08 03:00-0400"]),
        ("15 2 * * *", HOWE, "2026-10-04", ["04 02:30+1100"]),
        ("45 2 * * *", HOWE, "2026-10-04", ["04 02:45+1100"]),
        ("0 0 * * *", CAIRO, "2026-04-24", ["24 01:00+0300"]),
        # The ordinary day is not touched.
        ("0 4 * * *", NEW_YORK, "2026-03-08", ["08 04:00-0400"]),
        ("0 4 * * *", NEW_YORK, "2026-11-01", ["01 04:00-0500"]),
        # Expressions that repeat come whenever the clock shows one of their times.
        (
            "*/30 1-2 * * *",
            NEW_YORK,
            "2026-11-01",
            ["01 01:00-0400", "01 01:30-0400", "01 01:00-0500", "01 01:30-0500", "01 02:00-0500", "01 02:30-0500"],
        ),
        (
            "*/30 1-3 * * *",
            NEW_YORK,
            "2026-03-08",
            ["08 01:00-0500", "08 01:30-0500", "08 03:00-0400", "08 03:30-0400"],
        ),
        ("*/30 3 * * *", HOWE, "2026-10-04", ["04 03:00+1100", "04 03:30+1100"]),
        ("*/20 1-2 * * *", HOWE, "2026-10-04", ["04 01:00+1030", "04 01:20+1030", "04 01:40+1030", "04 02:40+1100"]),
        ("*/30 1-2 * * 5", CAIRO, "2026-04-24", ["24 01:00+0300", "24 01:30+0300", "24 02:00+0300", "24 02:30+0300"]),
        (
            "0 */2 * * *",
            HOWE,
            "2026-04-05",
            [f"05 {hour:02d}:00+{1100 if hour < 2 else 1030}" for hour in range(0, 24, 2)],
        ),
    ],
)
def test_a_day_on_which_clocks_change(cron: str, zone: str, day: str, expected: list[str]) -> None:
    assert list_day(cron, zone, day) == expected


@pytest.mark.parametrize(("zone", "day", "count"), [(NEW_YORK, "2026-11-01", 50), (NEW_YORK, "2026-03-08", 46)])
def test_every_half_hour_comes_every_half_hour_through_the_change(zone: str, day: str, count: int) -> None:
    assert len(list_day("*/30 * * * *", zone, day)) == count
    begin = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone))
    times = next_times("*/30 * * * *", begin, 60, ZoneInfo(zone))
    utc = [moment.astimezone(UTC) for moment in times]
    assert {b - a for a, b in pairwise(utc)} == {timedelta(minutes=30)}


def test_a_day_that_a_zone_leaves_out_comes_at_the_beginning_of_the_next() -> None:
    begin = datetime(2011, 12, 29, 12, tzinfo=ZoneInfo(APIA))
    times = next_times("0 4 * * *", begin, 2, ZoneInfo(APIA))
    assert [moment.strftime("%d %H:%M") for moment in times] == ["31 00:00", "31 04:00"]


def test_the_leap_day_comes_every_four_years() -> None:
    times = next_times("0 12 29 2 *", datetime(2026, 1, 1, tzinfo=UTC), 3, ZoneInfo(BERLIN))
    assert [moment.strftime("%Y-%m-%d %H:%M") for moment in times] == [
        "2028-02-29 12:00",
        "2032-02-29 12:00",
        "2036-02-29 12:00",
    ]
    minutes = next_times("* * 29 2 *", datetime(2026, 1, 1, tzinfo=UTC), 1441, ZoneInfo(BERLIN))
    assert [minutes[0].isoformat(), minutes[-1].isoformat()] == [
        "2028-02-29T00:00:00+01:00",
        "2032-02-29T00:00:00+01:00",
    ]


@pytest.mark.parametrize("zone", [NEW_YORK, BERLIN, HOWE, CAIRO])
@pytest.mark.parametrize(
    "cron", ["30 1 * * *", "15 2 * * *", "*/20 * * * *", "0 */3 * * *", "0 0 * * 0", "7 0,1,2,3 * * *"]
)
def test_it_does_not_matter_where_the_walk_begins(zone: str, cron: str) -> None:
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    whole = []
    for moment in iterate_times(cron, begin, ZoneInfo(zone)):
        if moment.year > 2026:
            break
        whole.append(moment)
    assert whole == sorted(set(whole))
    for number in range(0, len(whole) - 1, max(len(whole) // 200, 1)):
        for later in (timedelta(), timedelta(seconds=59, microseconds=7), (whole[number + 1] - whole[number]) / 2):
            assert next(iterate_times(cron, whole[number] + later, ZoneInfo(zone))) == whole[number + 1]


@pytest.mark.parametrize(("zone", "day"), [(NEW_YORK, "2026-11-01"), (BERLIN, "2026-03-29"), (HOWE, "2026-04-05")])
@pytest.mark.parametrize("cron", ["45 1 * * *", "0,10,50 1,2,3 * * *", "*/25 * * * *", "5 */2 * * *"])
def test_a_walk_that_begins_in_a_changing_hour_goes_only_forward(cron: str, zone: str, day: str) -> None:
    begin = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    whole = list(islice(iterate_times(cron, begin, ZoneInfo(zone)), 200))
    for minutes in range(0, 300, 7):
        moment = begin + timedelta(minutes=minutes)
        later = [item for item in whole if item > moment][:3]
        assert list(islice(iterate_times(cron, moment, ZoneInfo(zone)), 3)) == later


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("0 0 30 2 *", "there is no such day"),
        ("0 0 31 4,6 *", "there is no such day"),
        ("0 0 0 4 * *", "has 6 fields"),
        ("", "has 0 fields"),
        ("R R * * *", "'R' does not fit the minute (0 to 59)"),
        ("0 ? * * *", "'?' does not fit the hour (0 to 23)"),
        ("0 5-1 * * *", "'5-1' does not fit the hour"),
        ("*/0 * * * *", "'*/0' does not fit the minute"),
        ("0 4 * FOO *", "'FOO' does not fit the month"),
        ("0 4 * * 8", "'8' does not fit the day of the week"),
        ("9" * 5000 + " * * * *", "at most 200 characters"),
        ("9" * 100 + " * * * *", "does not fit the minute"),
        ("@nightly", "is not a cron name"),
        ("@reboot", "is not a cron name"),
    ],
)
def test_what_never_comes_or_is_none_is_refused_in_plain_words(cron: str, words: str) -> None:
    assert words in check_cron(cron)
    with pytest.raises(Invalid) as caught:
        require_cron(cron)
    assert caught.value.field == "cron"
    with pytest.raises(Invalid):
        next(iterate_times(cron, datetime(2026, 1, 1, tzinfo=UTC), UTC))
    assert describe(cron) == "not a cron expression"


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("@hourly", "0 * * * *"),
        ("@Daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        ("@weekly", "0 0 * * 0"),
        ("@monthly", "0 0 1 * *"),
        ("@yearly", "0 0 1 1 *"),
        (" @annually ", "0 0 1 1 *"),
        (" 0  4 * *\tMON-FRI ", "0 4 * * MON-FRI"),
        ("0 0 L * *", "0 0 L * *"),
        ("0 0 * * 1#2", "0 0 * * 1#2"),
    ],
)
def test_names_are_kept_as_the_fields_they_stand_for(name: str, fields: str) -> None:
    assert require_cron(name) == expand_cron(name) == fields


def test_an_expression_reads_in_plain_words() -> None:
    assert describe("0 4 * * *") == "At 04:00 every day"
    assert describe("@weekly") == "At 00:00 on Sunday"
    assert describe("*/15 8-17 * * MON-FRI")
    assert describe("0 0 11,21,22,23,31 * *") == (
        "At 00:00 on the 11th, the 21st, the 22nd, the 23rd, and the 31st day of month"
    )


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("*/60 * * * *", "At the start of every hour"),
        ("0-59/60 * * * *", "At the start of every hour"),
        ("0/70 * * * *", "At the start of every hour"),
        ("*/90 * * * *", "At the start of every hour"),
        ("7/60 * * * *", "At minute 7 of every hour"),
        ("5,*/60 * * * *", "At minutes 5 and 0 of every hour"),
        ("*/45 * * * *", "At minutes 0 and 45 of every hour"),
        ("10-20/30 * * * *", "At minute 10 of every hour"),
        ("*/15 * * * *", "Every 15th minute of every hour"),
        ("5/15 * * * *", "Every 15th minute from 5 through 59 of every hour"),
        ("0 */24 * * *", "At 00:00 every day"),
        ("0 */7 * * *", "At 00:00, 07:00, 14:00, and 21:00 every day"),
        ("0 */6 * * *", "At minute 0 past every sixth hour"),
        ("0 0 */32 * *", "At 00:00 on the first day of every month"),
        ("0 0 */10 * *", "At 00:00 on the first, the 11th, the 21st, and the 31st day of month"),
        ("0 0 */15 * MON", "At 00:00 on the first, the 16th, and the 31st day of month if it's on Monday"),
        ("0 0 1 */5 *", "At 00:00 on the first day of January, June, and November"),
        ("0 0 1 */12 *", "At 00:00 on January 1"),
        ("0 0 * * */7", "At 00:00 on Sunday"),
        ("0 0 * * mon/9", "At 00:00 on Monday"),
    ],
)
def test_a_step_that_does_not_come_round_evenly_is_told_as_the_times_it_is(cron: str, words: str) -> None:
    assert describe(cron) == words


@pytest.mark.parametrize("step", [*range(1, 62), 90, 120])
def test_the_minutes_that_are_told_are_those_that_come(step: int) -> None:
    begin = datetime(2026, 6, 10, tzinfo=UTC) - timedelta(minutes=1)
    day = list(islice(iterate_times(f"*/{step} * * * *", begin, UTC), 200))
    minutes = sorted({moment.minute for moment in day if moment < begin + timedelta(hours=3)})
    words = describe(f"*/{step} * * * *")
    if words.startswith("Every"):
        gaps = {(later - earlier).total_seconds() / 60 for earlier, later in pairwise(day)}
        assert gaps == {step}
    else:
        told = [int(number) for number in re.findall(r"[0-9]+", words)] or [0]
        assert told == minutes


# -- due ---------------------------------------------------------------------------------------------------------------

NOW = datetime(2026, 6, 10, 4, 0, 30, tzinfo=UTC)


def test_a_time_within_the_last_two_minutes_is_fired() -> None:
    found = due("0 4 * * *", NOW - timedelta(hours=1), NOW, UTC)
    assert [(item.at.isoformat(), item.outcome, item.reason) for item in found] == [
        ("2026-06-10T04:00:00+00:00", "fired", None)
    ]
    assert due("0 4 * * *", found[0].at, NOW, UTC) == []
    assert due("0 4 * * *", NOW, NOW - timedelta(hours=1), UTC) == []


def test_of_missed_times_the_latest_is_caught_up_and_says_how_many_there_were() -> None:
    found = due("0 3 * * *", NOW - timedelta(days=3), NOW, UTC)
    assert [(item.at.day, item.outcome) for item in found] == [(8, "missed"), (9, "missed"), (10, "catch_up")]
    assert found[-1].reason == "3 times were missed since 2026-06-08 03:00"
    assert found[0].reason == (
        "Pipekit did not run at this time, or its clock was set forward."
        " The latest of the times that were missed is 2026-06-10 03:00."
    )


def test_without_catching_up_every_one_is_missed() -> None:
    found = due("0 3 * * *", NOW - timedelta(days=3), NOW, UTC, catch_up=False)
    assert [item.outcome for item in found] == ["missed"] * 3


def test_a_missed_time_does_not_keep_one_that_is_due_now_from_being_fired() -> None:
    found = due("0 * * * *", NOW - timedelta(hours=2), NOW, UTC)
    assert [(item.at.hour, item.outcome, item.reason) for item in found] == [
        (3, "catch_up", "1 time was missed since 2026-06-10 03:00"),
        (4, "fired", None),
    ]


@pytest.mark.parametrize("catch_up", [True, False])
def test_a_long_gap_adds_a_thousand_rows_and_tells_of_the_others(catch_up: bool) -> None:
    found = due("*/5 * * * *", NOW - timedelta(days=10), NOW, UTC, catch_up=catch_up)
    late = found[:-1]
    assert found[-1].outcome == "fired"
    assert len(found) == MOST_ROWS
    more = 10 * 288 - MOST_ROWS
    assert f"In all {10 * 288 - 1:,} times were missed since 2026-05-31 04:05" in (late[0].reason or "")
    assert f"{more:,} before this one are not listed" in (late[0].reason or "")
    assert "not listed" not in (late[1].reason or "")
    assert [item.outcome for item in late] == ["missed"] * (MOST_ROWS - 2) + ["catch_up" if catch_up else "missed"]


def test_a_clock_that_began_in_1970_costs_no_more_than_a_few_seconds() -> None:
    found = due("* * * * *", datetime(1970, 1, 1, tzinfo=UTC), NOW, ZoneInfo(BERLIN))
    assert len(found) == MOST_ROWS
    assert "more than 100,000 times were missed since 1970-01-01 01:01; those before this one are not listed" in (
        found[0].reason or ""
    )


def test_a_rare_time_is_found_after_years() -> None:
    found = due("0 0 29 2 *", datetime(2019, 1, 1, tzinfo=UTC), NOW, UTC)
    assert [(item.at.year, item.outcome) for item in found] == [(2020, "missed"), (2024, "catch_up")]


# -- the zone ----------------------------------------------------------------------------------------------------------


def test_the_zone_is_that_of_tz() -> None:
    winter = datetime(2026, 1, 1, tzinfo=UTC)
    for name in (NEW_YORK, f":{NEW_YORK}"):
        assert winter.astimezone(get_zone({"TZ": name})).utcoffset() == timedelta(hours=-5)
    assert get_zone({"TZ": ""}) is UTC
    assert get_zone({}) is not None


def test_a_zone_can_be_a_file(tmp_path: Path) -> None:
    file = tmp_path / "zone"
    source = next((folder / BERLIN for folder in map(Path, TZPATH) if (folder / BERLIN).exists()), None)
    if source is not None:
        file.write_bytes(source.read_bytes())
        zone = get_zone({"TZ": f":{file}"})
        assert datetime(2026, 7, 1, tzinfo=UTC).astimezone(zone).utcoffset() == timedelta(hours=2)
        assert get_zone({"TZ": f":{file}"}) is zone
    file.write_bytes(b"not a zone")
    with pytest.raises(ConfigError, match="cannot be read"):
        get_zone({"TZ": f":{file}"})
    with pytest.raises(ConfigError, match="cannot be read"):
        get_zone({"TZ": f"{tmp_path}/none"})


@pytest.mark.parametrize("name", ["Mars/Olympus", "../etc/passwd", "Europe", "CET-1CEST,M3.5.0,M10.5.0/3"])
def test_a_zone_nobody_knows_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="not known here"):
        get_zone({"TZ": name})
