# What a person sees: progress, cleaned text, tables. A fake clock, and one real terminal.
"""Progress lines and text for the terminal."""

import os
import sys

from pipekit.cli.progress import PlainProgress, format_elapsed
from pipekit.cli.text import clean_line, clean_text, format_count, format_table, get_width
from pipekit.engine.events import LogLine, RowsMoved, StageStarted
from pipekit.runner.process import run_program
from tests.cli.conftest import Home
from tests.patience import PATIENCE_S


def test_plain_progress_tells_each_stage_and_a_line_every_ten_seconds() -> None:
    now = 0.0
    said: list[str] = []
    progress = PlainProgress(said.append, "orders", clock=lambda: now)
    progress.on_event(StageStarted(1, "stage"))
    for second in range(1, 26):
        now = float(second)
        progress.on_event(RowsMoved(1, second * 100_000))
        progress.on_event(LogLine(1, "noise"))
    progress.on_event(StageStarted(1, "merge"))
    rows = [format_count(count) for count in (1_000_000, 2_000_000, 100_000)]
    assert said == [
        "orders: stage  0 s",
        f"orders: stage  {rows[0]} rows  {rows[2]} rows/s  10 s",
        f"orders: stage  {rows[1]} rows  {rows[2]} rows/s  20 s",
        "orders: merge  25 s",
    ]


def test_elapsed_time_is_short() -> None:
    assert [format_elapsed(s) for s in (0.4, 59, 64, 3723)] == ["0 s", "59 s", "1:04", "1:02:03"]


def test_escape_codes_and_control_characters_are_left_out() -> None:
    odd = "a\x1b[31mred\x1b[0m\x1b]0;title\x07 b\x00\x08\x9b5mc\u202ed\r\ne\tf\x1b(B\x7f"
    assert clean_text(odd) == "ared bcd\ne\tf"
    assert clean_line("a\n  b\tc") == "a b c"


def test_columns_stand_below_each_other_whatever_is_in_them() -> None:
    lines = format_table(["NAME", "ROWS"], [["表", "5"], ["e\u0301t\x1b[1me", "12"]], right=(1,))
    assert [get_width(line) for line in lines] == [10, 10, 10]
    assert lines[2].endswith("  12")


def test_on_a_terminal_one_live_line_shows_the_stage_and_leaves_only_the_receipt(shop: Home) -> None:
    code, screen = _run_on_terminal(shop.argv("run", "orders"))
    assert code == 0, screen
    last = screen.rsplit("\x1b[2K", 1)[-1]
    assert "success" in last
    assert "orders  " in screen


def _run_on_terminal(argv: list[str]) -> tuple[int, str]:
    """The program on a terminal of its own, made by a process of its own: exit code and what was written to it."""
    code = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
    finished = run_program(
        [sys.executable, "-c", code, *argv], timeout_s=PATIENCE_S, env={**os.environ, "TERM": "xterm"}
    )
    return finished.code, finished.stdout
