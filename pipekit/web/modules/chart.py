# Charts of a module over its runs: how long and how much, and what its dest held and how old it got. Knows no page.
"""`build_runs_chart` and `build_dest_chart`: columns for a chart over time, the earliest first."""

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from itertools import pairwise
from typing import Any

from pipekit.cron import get_zone
from pipekit.repo.pages import RunBrief

# What is this many times as high as nine of ten others would flatten them; it is cut, and said to be.
OUTLIER = 4.0
LEAST_FOR_CUT = 8
RANGES = {"60": "60 runs", "1000": "1 000", "7d": "7 days", "30d": "30 days", "90d": "90 days"}
USUAL_RANGE, MOST_RUNS = "60", 1_000


def build_runs_chart(runs: Sequence[RunBrief]) -> dict[str, Any]:
    """Start, seconds, rows, status, and the run to open; `tops` are where axes end, None where nothing is cut.

    A start is what the installation's wall clock showed, in seconds since 1970: a browser elsewhere shows the same.
    """
    zone = get_zone()
    ended = [run for run in runs if run.finished_at and run.started_at]
    seconds, rows = [run.seconds for run in ended], [run.rows_read for run in ended]
    return {
        "at": [_read_wall_clock(run.started_at or "", zone) for run in ended],
        "seconds": seconds,
        "rows": rows,
        "status": [run.status for run in ended],
        "href": [f"/runs/{run.id}" for run in ended],
        "tops": [find_top(seconds), find_top(rows)],
        "words": ["seconds", "rows"],
        "unit": "s",
    }


def build_dest_chart(runs: Sequence[RunBrief]) -> dict[str, Any]:
    """Rows of the dest after each good load, and how many hours old it had become by then; empty without two."""
    zone = get_zone()
    good = [run for run in runs if run.status == "success" and run.finished_at and run.dest_rows_after is not None]
    pairs = list(pairwise(good))
    hours = [_measure_hours(one.finished_at or "", two.finished_at or "") for one, two in pairs]
    rows = [two.dest_rows_after for _, two in pairs]
    return {
        "at": [_read_wall_clock(two.finished_at or "", zone) for _, two in pairs],
        "seconds": hours,
        "rows": rows,
        "status": [two.status for _, two in pairs],
        "href": [f"/runs/{two.id}" for _, two in pairs],
        "tops": [find_top(hours), find_top(rows)],
        "words": ["hours since the load before", "rows in the dest"],
        "unit": "h",
    }


def find_top(values: Sequence[float | None]) -> float | None:
    """Where an axis ends so that a few very high values do not flatten the rest; None where all of it is shown."""
    known = sorted(value for value in values if value is not None)
    if len(known) < LEAST_FOR_CUT:
        return None
    usual = known[int(len(known) * 0.9) - 1]
    return usual * 1.5 if usual > 0 and known[-1] > OUTLIER * usual else None


def _measure_hours(one: str, two: str) -> float:
    return round((datetime.fromisoformat(two) - datetime.fromisoformat(one)).total_seconds() / 3600, 2)


def _read_wall_clock(moment: str, zone: tzinfo) -> int:
    shown = datetime.fromisoformat(moment).astimezone(zone)
    return round(shown.replace(tzinfo=UTC).timestamp())
