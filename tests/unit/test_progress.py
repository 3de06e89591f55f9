# How far a run is: what the past tells, what the source says, and what nobody knows. Figures only.
"""`build_usual` and `measure_progress`."""

import pytest

from pipekit.engine.progress import Moment, build_usual, measure_progress, tell_left
from pipekit.repo.progress import GoodLoad

STAGES = {"watermark": 1.0, "stage": 8.0, "merge": 1.0}


def make_loads(*rows: int | None) -> list[GoodLoad]:
    return [GoodLoad(run_id=number, rows=count, stages=STAGES) for number, count in enumerate(rows)]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ((1000,), 1000),
        ((1_000_000, 1_100_000, 900_000), 1_000_000),
        ((0, 900, 12), 12),  # so few are no matter
        ((1_000_000, 5_000, 900_000), None),
        ((None, None), None),
    ],
)
def test_rows_of_loads_that_differ_too_much_tell_nothing(rows: tuple[int | None, ...], expected: int | None) -> None:
    usual = build_usual(make_loads(*rows))
    assert usual is not None
    assert usual.rows == expected
    assert usual.stages == STAGES


@pytest.mark.parametrize(
    ("moment", "share", "left_s"),
    [
        (Moment(stage="watermark", stage_s=0.5), 0.05, 9.5),
        (Moment(stage="stage", stage_s=3.0), 0.1, 9.0),  # nothing has arrived yet
        (Moment(stage="stage", stage_s=2.0, rows=500), 0.5, 3.0),  # the other half at this rate, and the merge
        (Moment(stage="merge", stage_s=0.5, rows=1000, stages={"stage": 9.0}), 0.95, 0.5),
        (Moment(stage="merge", stage_s=2.0, rows=1000, stages={"stage": 9.0}), 1.0, None),  # longer than usual
        (Moment(stage="stage", stage_s=2.0, rows=1001), None, None),  # more rows than usual
        (Moment(stage="hook", stage_s=2.0), None, None),  # no load had any
        (Moment(), None, None),
    ],
)
def test_share_and_time_left_come_from_the_last_good_loads_or_are_not_told(
    moment: Moment, share: float | None, left_s: float | None
) -> None:
    found = measure_progress(moment, build_usual(make_loads(1000)))
    assert found.share == pytest.approx(share)
    assert found.left_s == pytest.approx(left_s)
    assert found.expected == 1000


def test_stages_to_come_are_drawn_ahead_from_the_one_it_is_in() -> None:
    usual = build_usual(make_loads(5, 5_000_000))
    found = measure_progress(Moment(stage="stage", stage_s=1.0, rows=7), usual)
    assert found.ahead == {"stage": 8.0, "merge": 1.0}
    assert (found.share, found.left_s, found.expected) == (None, None, None)
    assert measure_progress(Moment(), usual).ahead == STAGES


def test_a_first_run_has_a_share_of_its_rows_where_the_source_expects_some_and_none_elsewhere() -> None:
    first = measure_progress(Moment(stage="stage", stage_s=2.0, rows=500, rows_expected=2000), None)
    assert (first.share, first.left_s, first.of_reading, first.by_source) == (0.25, 6.0, True, True)
    merging = measure_progress(Moment(stage="merge", stage_s=1.0, rows=500, rows_expected=2000), None)
    assert (merging.share, merging.left_s) == (None, None)
    unknown = measure_progress(Moment(stage="stage", stage_s=2.0, rows=500), None)
    assert (unknown.share, unknown.left_s, unknown.expected, unknown.rows_per_s) == (None, None, None, 250.0)


def test_a_guess_of_a_time_is_no_more_exact_than_it_is() -> None:
    told = [tell_left(seconds) for seconds in (1.5, 7, 42, 100, 3_000, 4_700, 7_200)]
    assert told == ["a few seconds", "5 s", "40 s", "2 min", "50 min", "1 h 20 min", "2 h"]
