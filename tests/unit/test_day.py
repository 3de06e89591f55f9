# The last day as a strip: lanes, bars, hours. Pure text.
"""`web.day`."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from selectolax.lexbor import LexborHTMLParser

from pipekit.engine.receipt import format_count
from pipekit.repo.overview import Bucket, DayRun
from pipekit.web.day import BY_HAND, MOST_LANES, OTHERS, draw_counts, draw_runs, list_labels

END = datetime(2026, 11, 24, 12, tzinfo=UTC)
BEGIN = END - timedelta(hours=24)


def make_run(number: int, group: str, hour: float, *, hours: float = 1.0, status: str = "success") -> DayRun:
    start = BEGIN + timedelta(hours=hour)
    return DayRun(
        id=number,
        module=f"m{number}",
        group=group,
        status=status,
        started_at=start.isoformat(),
        finished_at=(start + timedelta(hours=hours)).isoformat(),
    )


def draw(runs: list[DayRun]) -> LexborHTMLParser:
    return LexborHTMLParser(draw_runs(runs, BEGIN, END, [(0.5, "00:00")]))


def test_each_group_has_a_lane_and_runs_by_hand_come_last() -> None:
    tree = draw([make_run(1, "", 1), make_run(2, "nightly", 2), make_run(3, "early", 3), make_run(4, "nightly", 4)])
    assert [node.text() for node in tree.css(".lane-name")] == ["early", "nightly", BY_HAND]
    assert [len(lane.css("a")) for lane in tree.css(".lane")] == [1, 2, 1]


def test_a_bar_stands_where_its_run_was_and_a_short_one_can_be_seen() -> None:
    tree = draw([make_run(1, "", 12, hours=6), make_run(2, "", 23.999, hours=0.0001)])
    long, short = (
        (float(node.attributes["x"] or 0), float(node.attributes["width"] or 0)) for node in tree.css(".lane a rect")
    )
    assert long == (480.0, 240.0)
    assert short[0] + short[1] <= 960
    assert short[1] >= 3


def test_a_failed_run_is_drawn_over_the_others() -> None:
    tree = draw([make_run(1, "", 1, status="error"), make_run(2, "", 1)])
    assert [node.attributes["href"] for node in tree.css(".lane a")] == ["/runs/2", "/runs/1"]
    assert "1 failed" in (tree.css(".lane")[0].attributes["aria-label"] or "")


def test_many_groups_share_the_last_lane_and_names_are_text() -> None:
    tree = draw([make_run(n, f"<b>{n:02d}</b>", n / 2) for n in range(20)])
    names = [node.text() for node in tree.css(".lane-name")]
    assert (len(names), names[-1], tree.css("b")) == (MOST_LANES, OTHERS, [])
    assert sum(len(lane.css("a")) for lane in tree.css(".lane")) == 20


def test_very_many_runs_are_counted_in_spans() -> None:
    tree = LexborHTMLParser(draw_counts([Bucket(number=95, ended=1000, failed=10)], 96, []))
    assert [node.attributes["class"] for node in tree.css("rect")] == ["fill-success", "fill-error"]
    assert (
        tree.css(".day")[0].attributes["aria-label"]
        == f"{format_count(1000)} runs ended in the last 24 hours, 10 failed"
    )


def test_hours_are_those_of_the_installations_zone() -> None:
    zone = ZoneInfo("Asia/Kolkata")
    words = [word for _, word in list_labels(BEGIN, END, zone)]
    assert words == ["18:00", "21:00", "00:00", "03:00", "06:00", "09:00", "12:00", "15:00"]
    share = list_labels(BEGIN, END, zone)[0][0]
    assert BEGIN + share * (END - BEGIN) == datetime(2026, 11, 23, 18, tzinfo=zone)
