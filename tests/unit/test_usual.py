# What is usual for a module, by the figures of its past: which runs stand out and which do not.
"""`find_usual_rows` and `find_usual_shares`."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from pipekit.engine.guarding.usual import find_usual_rows, find_usual_shares
from pipekit.models import PastRun

# A Monday at noon.
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


def make_past(rows: Sequence[int], every: timedelta = timedelta(days=1), nulls: Sequence[int] = ()) -> list[PastRun]:
    """Runs of so many rows, the newest first, the newest one step ago."""
    counted: Sequence[int | None] = nulls or [None] * len(rows)
    return [
        PastRun(
            started_at=(NOW - every * (number + 1)).isoformat(),
            rows=count,
            staged=count,
            nulls=None if null is None else {"v": null},
        )
        for number, (count, null) in enumerate(zip(rows, counted, strict=True))
    ]


def test_nine_runs_tell_nothing_and_ten_do() -> None:
    assert find_usual_rows(make_past([1000] * 9), NOW) is None
    found = find_usual_rows(make_past([1000] * 10), NOW)
    assert found is not None
    assert found.by == "10 runs"
    assert (found.holds(990), found.holds(1200), found.holds(600), found.holds(0)) == (True, True, False, False)


def test_one_odd_run_moves_no_bound() -> None:
    found = find_usual_rows(make_past([1000, 1010, 0, 990, 1005, 995, 1002, 998, 90_000, 1000, 1001]), NOW)
    assert found is not None
    assert (found.holds(0), found.holds(90_000), found.holds(1040)) == (False, False, True)


@pytest.mark.parametrize("growth", [1.0, 1.01, 1.03])
def test_a_table_that_grows_is_not_odd(growth: float) -> None:
    chance = random.Random(1)
    counts = [round(10_000 * growth**-number * chance.uniform(0.97, 1.03)) for number in range(60)]
    found = find_usual_rows(make_past(counts), NOW)
    assert found is not None
    assert found.holds(round(10_000 * growth))


def test_what_comes_now_and_then_is_usual() -> None:
    found = find_usual_rows(make_past([0, 0, 0, 0, 5000] * 6, timedelta(hours=5)), NOW)
    assert found is not None
    assert (found.holds(0), found.holds(5000), found.holds(50_000)) == (True, True, False)


def test_a_weekday_has_a_range_of_its_own_once_it_has_eight_runs() -> None:
    past = make_past([100 if (NOW - timedelta(days=number + 1)).weekday() < 5 else 9000 for number in range(70)])
    monday, sunday = find_usual_rows(past, NOW), find_usual_rows(past, NOW - timedelta(days=1))
    assert monday is not None
    assert sunday is not None
    assert (monday.by, sunday.by) == ("10 runs on Mondays", "10 runs on Sundays")
    assert (monday.holds(100), monday.holds(9000), sunday.holds(9000), sunday.holds(100)) == (True, False, True, False)
    young = find_usual_rows(past[:49], NOW)
    assert young is not None
    assert young.by == "49 runs"


def test_a_share_of_nulls_stands_out_where_there_are_rows_enough() -> None:
    past = make_past([1000] * 12, nulls=[10] * 12)
    many, few = find_usual_shares(past, NOW, 1000)["v"], find_usual_shares(past, NOW, 4)["v"]
    assert (many.holds(0.0), many.holds(0.05), many.holds(0.5), many.holds(1.0)) == (True, True, False, False)
    assert few.holds(0.75)
    assert find_usual_shares(make_past([1000] * 12, nulls=[1000] * 12), NOW, 1000)["v"].holds(1.0)
    assert find_usual_shares(make_past([1000] * 12), NOW, 1000) == {}
