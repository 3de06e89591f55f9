# The live log: what a line, a tick and an escape code become, what a reader who polls sees, and what appending costs.
"""Live logs."""

import itertools
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipekit import repo
from pipekit.cutting import LINE
from pipekit.errors import NotFound
from pipekit.models import Connection, Module, Run
from pipekit.repo.live_log import CHUNK_CHARS
from tests.profiles import examples
from tests.repo.costs import count_steps, count_written


@pytest.fixture
def run(db: repo.State, orders: Module) -> Run:
    return repo.claim_module(
        db, orders.id, owner="me", lease_s=20, triggered_by="cli", dry_run=False, staging_table=None
    )


def whole(db: repo.State, run: Run) -> str:
    return repo.read_live_log(db, run.id, 0, 10**9)[0]


def append_all(db: repo.State, run: Run, *texts: str) -> str:
    for text in texts:
        assert repo.append_live_log(db, run.id, text) is True
    return whole(db, run)


def test_lines_are_appended_whole(db: repo.State, run: Run) -> None:
    assert append_all(db, run, "one\ntwo\n", "three", "", "\n", "four\n\n") == "one\ntwo\nthree\n\nfour\n\n"


def test_a_tick_replaces_the_tick_before_it(db: repo.State, run: Run) -> None:
    assert append_all(db, run, "start", "1\n2\n3\n", "10", "1000\n") == "start\n1000\n"


def test_real_lines_stay_and_so_does_the_tick_before_them(db: repo.State, run: Run) -> None:
    assert append_all(db, run, "1", "2\nloaded\n3\n4", "5", "done") == "2\nloaded\n5\ndone\n"


def test_ticks_that_return_the_carriage_collapse_too(db: repo.State, run: Run) -> None:
    assert append_all(db, run, "10\r20\r30\r", "40\r\n", "done\r\n") == "40\ndone\n"


@pytest.mark.parametrize("tick", ["7", " 1,000 ", "1 000 000", "1.000", "12_345", "1'000", "1\u202f000", "0012"])
def test_a_bare_number_is_a_tick(db: repo.State, run: Run, tick: str) -> None:
    assert append_all(db, run, tick, "9") == "9\n"


@pytest.mark.parametrize("line", ["1 row", "-1", "1.5", "12,34", "50%", "", "1" * 21, "٣", "1,000,", "0x1"])
def test_everything_else_is_a_line(db: repo.State, run: Run, line: str) -> None:
    assert append_all(db, run, line + "\n", "9") == f"{line}\n9\n"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b[2K\x1b[1;1Hline", "line"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b]0;never closed", "0;never closed"),
        ("\x1b(Bplain\x1bM", "plain"),
        ("a\x00b\x07c\x08d\x7fe\x85f\x9bg", "abcdefg"),
        ("tab\tstays", "tab\tstays"),
        ("end\x1b", "end"),
        ("<b>&amp;</b> é 🙂 \u2028", "<b>&amp;</b> é 🙂 \u2028"),
        ("\udcff", "\ufffd"),
        ("\x1b[32m1000\x1b[0m", "1000"),
    ],
)
def test_escape_codes_and_control_characters_are_removed(db: repo.State, run: Run, text: str, shown: str) -> None:
    assert append_all(db, run, text) == shown + "\n"


def test_a_coloured_number_is_a_tick(db: repo.State, run: Run) -> None:
    assert append_all(db, run, "\x1b[32m1000\x1b[0m\r", "\x1b[2K\x1b[32m2000\x1b[0m\r") == "2000\n"


def test_a_log_without_replaced_ticks_is_read_by_character(db: repo.State, run: Run) -> None:
    text = append_all(db, run, *(f"line {n} é🙂" for n in range(200)))
    assert repo.read_live_log(db, run.id, 0) == (text, len(text))
    for offset, limit in itertools.product((0, 1, 9, 10, 500, len(text) - 1), (1, 7, 100)):
        got, place = repo.read_live_log(db, run.id, offset, limit)
        assert (got, place) == (text[offset : offset + limit], min(offset + limit, len(text)))


def test_a_reader_at_the_end_gets_nothing_and_stays(db: repo.State, run: Run) -> None:
    assert repo.read_live_log(db, run.id) == ("", 0)
    end = len(append_all(db, run, "line"))
    assert repo.read_live_log(db, run.id, end) == ("", end)
    assert repo.read_live_log(db, run.id, end + 100) == ("", end + 100)
    assert repo.get_live_log_end(db, run.id) == end


@pytest.mark.parametrize("ticks", [("9", "10"), ("1000000", "5"), ("1", "2"), ("99", "100", "7", "12345")])
def test_a_polling_reader_sees_whole_ticks_whatever_their_lengths(
    db: repo.State, run: Run, ticks: tuple[str, ...]
) -> None:
    seen, place = "", 0
    for text in ("start", *ticks, "done"):
        repo.append_live_log(db, run.id, text)
        new, place = repo.read_live_log(db, run.id, place)
        seen += new
    assert seen.splitlines() == ["start", *ticks, "done"]
    assert whole(db, run).splitlines() == ["start", ticks[-1], "done"]


def test_a_reader_who_is_slow_gets_the_last_tick_whole(db: repo.State, run: Run) -> None:
    append_all(db, run, "start", "100")
    _, place = repo.read_live_log(db, run.id)
    append_all(db, run, "20000", "3", "done")
    assert repo.read_live_log(db, run.id, place)[0] == "3\ndone\n"


@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    calls=st.lists(st.lists(st.one_of(st.integers(0, 10**7).map(str), st.sampled_from(["a", "b é", ""])), max_size=6)),
    limits=st.lists(st.integers(1, 12), min_size=1, max_size=5),
)
def test_a_polling_reader_gets_every_real_line_once_in_order_and_no_piece_of_a_tick(
    db: repo.State, dw: Connection, calls: list[list[str]], limits: list[int]
) -> None:
    run = repo.start_adhoc_run(
        db, name="x", dest_id=dw.id, dest_table="t", owner="me", triggered_by="cli", dry_run=False
    )
    seen, place, limit = "", 0, itertools.cycle(limits)
    for lines in calls:
        repo.append_live_log(db, run.id, "".join(line + "\n" for line in lines))
        new, place = repo.read_live_log(db, run.id, place, next(limit))
        seen += new
    while (step := repo.read_live_log(db, run.id, place, next(limit)))[0]:
        seen, place = seen + step[0], step[1]
    sent = [line for lines in calls for line in lines]
    got = seen.splitlines()
    assert [line for line in got if not line.isdigit()] == [line for line in sent if not line.isdigit()]
    places = iter(sent)
    assert all(line in places for line in got), "what is seen is what was sent, in its order, some ticks left out"
    kept = [a for a, b in itertools.zip_longest(sent, sent[1:]) if not (a.isdigit() and b is not None and b.isdigit())]
    assert whole(db, run).splitlines() == kept


def test_the_tail_begins_with_a_line(db: repo.State, run: Run) -> None:
    text = append_all(db, run, *(f"line {n}" for n in range(3000)))
    tail = repo.read_live_log_tail(db, run.id, 100)
    assert text.endswith(tail)
    assert tail.startswith("line ")
    assert 90 < len(tail) <= 100
    assert repo.read_live_log_tail(db, run.id, 10**6) == text
    assert repo.read_live_log_tail(db, run.id, len("line 2999\n")) == "line 2999\n"
    assert repo.read_live_log_tail(db, run.id, 0) == ""


def test_the_tail_of_one_long_line_is_its_end(db: repo.State, run: Run) -> None:
    append_all(db, run, "x" * 1000)
    assert repo.read_live_log_tail(db, run.id, 10) == "x" * 9 + "\n"


def test_a_long_text_is_cut_into_chunks_and_read_back(db: repo.State, run: Run) -> None:
    text = ("é" * 1023 + "\n") * (CHUNK_CHARS * 3 // 1024) + "\n"
    assert append_all(db, run, text) == text
    chunks = db.rows("SELECT start, length(text) AS size FROM run_log_chunk")
    assert [(c["start"], c["size"]) for c in chunks] == [(n * CHUNK_CHARS, CHUNK_CHARS) for n in range(3)] + [
        (3 * CHUNK_CHARS, 1)
    ]


def test_a_run_that_has_ended_takes_no_more_lines(db: repo.State, run: Run) -> None:
    append_all(db, run, "line")
    repo.finish_run(db, run.id, owner="me", status="success")
    assert repo.append_live_log(db, run.id, "late") is False
    assert whole(db, run) == "line\n"
    with pytest.raises(NotFound):
        repo.append_live_log(db, 99, "line")


def test_the_view_shows_each_log_in_order(db: repo.State, run: Run) -> None:
    text = append_all(db, run, *(f"line {n}" for n in range(50)), "1", "2")
    assert db.row("SELECT live_log FROM run_live_log WHERE run_id = ?", (run.id,)) == {"live_log": text}


def test_reading_by_offset_and_finding_the_end_are_index_searches(db: repo.State, run: Run) -> None:
    for sql in (
        "SELECT text FROM run_log_chunk WHERE run_id = 1 AND start >= coalesce("
        "(SELECT max(start) FROM run_log_chunk WHERE run_id = 1 AND start <= 5), 0) ORDER BY start",
        "SELECT start FROM run_log_chunk WHERE run_id = 1 ORDER BY start DESC LIMIT 1",
    ):
        steps = [row["detail"] for row in db.rows("EXPLAIN QUERY PLAN " + sql)]
        assert all("SCAN" not in step and "TEMP" not in step for step in steps), steps


@pytest.mark.parametrize("count", [count_steps, count_written])
def test_appending_costs_the_same_however_long_the_log_is(
    db: repo.State, run: Run, count: Callable[[repo.State, Callable[[], object]], int]
) -> None:
    db.execute("PRAGMA synchronous = OFF")
    line = "x" * 99 + "\n"

    def append() -> None:
        for _ in range(400):
            repo.append_live_log(db, run.id, line)

    append()
    empty = count(db, append)
    with repo.transaction(db):
        repo.append_live_log(db, run.id, line * 100_000)
    assert count(db, append) < 1.2 * empty


@pytest.mark.parametrize("count", [count_steps, count_written])
def test_10_mb_cost_at_most_two_and_a_half_times_what_5_mb_cost(
    db: repo.State, dw: Connection, count: Callable[[repo.State, Callable[[], object]], int]
) -> None:
    db.execute("PRAGMA synchronous = OFF")

    def write(megabytes: int) -> int:
        """As a run writes it: some lines and a tick at a time."""
        run = repo.start_adhoc_run(
            db, name="x", dest_id=dw.id, dest_table="t", owner="me", triggered_by="cli", dry_run=False
        )
        lines = ("x" * 99 + "\n") * 50

        def append() -> None:
            for number in range(megabytes * 200):
                repo.append_live_log(db, run.id, f"{lines}{number}\n")

        return count(db, append)

    write(1)
    assert write(10) <= 2.5 * write(5)


def test_the_tail_of_a_long_log_is_read_without_the_rest(db: repo.State, run: Run) -> None:
    def read_tail() -> None:
        assert len(repo.read_live_log_tail(db, run.id, 10_000)) > 9_900
        assert repo.get_live_log_end(db, run.id) > 0

    repo.append_live_log(db, run.id, ("x" * 99 + "\n") * 1_000)
    short = count_steps(db, read_tail)
    with repo.transaction(db):
        for _ in range(100):
            repo.append_live_log(db, run.id, ("x" * 99 + "\n") * 1_000)
    assert count_steps(db, read_tail) <= short + 20


def test_a_line_of_any_length_is_kept_by_its_ends(db: repo.State, run: Run) -> None:
    kept = append_all(db, run, "before\n", "first " + "v" * 3_000_000 + " last\n", "after\n")
    before, long, after, _ = kept.split("\n")
    assert (before, after) == ("before", "after")
    assert long.startswith("first vvv")
    assert long.endswith("vvv last")
    assert len(long) <= LINE
