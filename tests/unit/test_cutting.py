# What is left of a long text, and that cutting it twice still tells how long it was.
"""Cutting long text."""

import pytest

from pipekit.cutting import LINE, SENT, TOLD, cut, cut_lines
from pipekit.definitions.problems import DefinitionErrors, Problem
from pipekit.errors import RunnerError
from pipekit.masking import Masker
from pipekit.models import Check


@pytest.mark.parametrize("length", [0, TOLD - 1, TOLD])
def test_a_text_that_is_short_enough_stays(length: int) -> None:
    assert cut("x" * length) == "x" * length


@pytest.mark.parametrize("limit", [100, 200, TOLD, SENT])
def test_a_long_text_keeps_its_ends_and_tells_what_is_missing(limit: int) -> None:
    text = "begin " + "x" * 3_000_000 + " end"
    told = cut(text, limit)
    assert limit - 20 < len(told) <= limit
    assert told.startswith("begin xx")
    assert told.endswith("xx end")
    missing = int(told.partition("[")[2].partition(" ")[0])
    assert missing == 3_000_010 - told.count("x") - len("begin  end") + "characters".count("x")


def test_a_text_that_was_cut_before_still_tells_how_long_it_was() -> None:
    text = "a" * 50_000_000
    assert cut(cut(text, SENT)) == cut(text)
    assert "[49996" in cut(text)


def test_each_line_is_cut_by_itself() -> None:
    told = cut_lines("short\n" + "y" * 9_000_000 + "\nlast\n")
    first, second, third, rest = told.split("\n")
    assert (first, third, rest) == ("short", "last", "")
    assert len(second) <= LINE


def test_an_error_of_any_size_is_small_when_it_is_made() -> None:
    error = RunnerError("bad value " + "v" * 5_000_000, hint="h" * 5_000_000)
    assert len(error.message) <= SENT
    assert len(error.hint) <= SENT
    assert len(str(error)) <= SENT


def test_a_secret_that_the_first_cut_goes_through_is_not_half_shown() -> None:
    secret = "5ecret-" * 30
    for shift in range(0, 400, 37):
        begin = SENT // 2 - 300 + shift
        text = "x" * begin + secret + "y" * (90_000 - begin)
        assert "5ecret" not in Masker([secret]).tell(cut(text, SENT))


def test_a_verdict_that_an_earlier_version_kept_whole_is_cut_when_it_is_read() -> None:
    assert len(Check.from_json({"name": "exact", "ok": False, "detail": "d" * 1_000_000}).detail) <= TOLD


def test_all_problems_of_a_definition_file_are_told_each_cut_by_itself() -> None:
    problems = tuple(Problem(line=n, field="modules.m.query", message="q" * 5_000) for n in range(1, 101))
    lines = DefinitionErrors("d.yaml", problems).message.split("\n")
    assert len(lines) == 100
    assert max(map(len, lines)) < 1_100
