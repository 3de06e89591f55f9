# What a log line looks like, that no secret and no control character gets into it, and that faults do not flood it.
"""Python logging as Pipekit sets it up."""

import io
import json
import logging
import re
from collections.abc import Iterator

import pytest

from pipekit.errors import StateError
from pipekit.logs import LONGEST_MESSAGE, LONGEST_TRACEBACK, LogFormat, escape, get_logger, set_up_logging
from pipekit.masking import Masker
from pipekit.server.periodic import SAY_EVERY_S, Trouble

SECRET = "s3cr3t/pass"
LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ([A-Z]+) (pipekit[.a-z]*) (.*)\n")


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    logger = get_logger()
    before = logger.handlers[:], logger.level, logger.propagate, logging.raiseExceptions
    yield
    logger.handlers[:], logger.level, logger.propagate, logging.raiseExceptions = before


def set_up(level: str = "info", log_format: LogFormat = "text") -> io.StringIO:
    stream = io.StringIO()
    masker = Masker([SECRET])
    set_up_logging(level, log_format, lambda: masker, stream)
    return stream


def fail() -> None:
    raise ValueError(f"no login with {SECRET}")


def test_a_line_has_utc_time_level_logger_and_message() -> None:
    stream = set_up()
    get_logger("run").info("run %d (%s) started", 7, "orders")
    found = LINE.fullmatch(stream.getvalue())
    assert found
    assert found.groups() == ("INFO", "pipekit.run", "run 7 (orders) started")


def test_less_than_the_level_is_left_out() -> None:
    stream = set_up("warning")
    get_logger("run").info("small")
    get_logger("run").warning("large")
    assert "small" not in stream.getvalue()
    assert "large" in stream.getvalue()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("one\ntwo\r\n2026-01-01T00:00:00.000Z ERROR forged", r"one\ntwo\r\n2026-01-01T00:00:00.000Z ERROR forged"),
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("a\x00b\x9bc\x7f", r"a\x00b\x9bc\x7f"),
        ("tab\there", r"tab\there"),
        ("line\u2028end \u202egnp.exe", r"line\u2028end \u202egnp.exe"),
        ("\udcff", r"\udcff"),
        ("C:\\temp é 🙂", "C:\\temp é 🙂"),
    ],
)
def test_control_characters_and_line_ends_are_escaped(text: str, shown: str) -> None:
    assert escape(text) == shown
    stream = set_up()
    get_logger().error("%s", text)
    assert stream.getvalue().endswith(f" {shown}\n")
    assert stream.getvalue().count("\n") == 1


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_secret_is_masked_in_message_arguments_and_traceback(log_format: LogFormat) -> None:
    stream = set_up(log_format=log_format)
    get_logger().error("in the message: %s", SECRET)
    get_logger().error(f"in the text: {SECRET}")
    get_logger().error("coded: %s", {"url": "s3cr3t%2Fpass"})
    try:
        fail()
    except ValueError:
        get_logger().exception("with a traceback")
    assert "s3cr3t" not in stream.getvalue()
    assert stream.getvalue().count("****") >= 4
    assert stream.getvalue().count("\n") == 4
    assert "ValueError" in stream.getvalue()


def test_json_has_one_object_a_line_with_the_traceback_beside_the_message() -> None:
    stream = set_up(log_format="json")
    get_logger("queue").info("fine")
    try:
        fail()
    except ValueError:
        get_logger("queue").exception("not fine\n")
    fine, failed = (json.loads(line) for line in stream.getvalue().splitlines())
    assert set(fine) == {"time", "level", "logger", "message"}
    assert (failed["level"], failed["logger"], failed["message"]) == ("error", "pipekit.queue", "not fine\n")
    assert failed["traceback"].startswith("Traceback")


def test_a_record_with_wrong_arguments_is_written_all_the_same() -> None:
    stream = set_up()
    get_logger().info("%d of %d", "many")
    assert "%d of %d ('many',)" in stream.getvalue()


def test_another_logger_can_be_given_the_same_handler() -> None:
    stream = io.StringIO()
    handler = set_up_logging("info", "text", lambda: Masker([SECRET]), stream)
    other = logging.getLogger("uvicorn.error.test")
    other.propagate = False
    other.addHandler(handler)
    other.warning("from there: %s", SECRET)
    assert stream.getvalue().endswith("WARNING uvicorn.error.test from there: ****\n")


def test_setting_it_up_again_replaces_what_was_there() -> None:
    first = set_up()
    second = set_up()
    get_logger().info("once")
    assert first.getvalue() == ""
    assert second.getvalue().count("once") == 1


def test_nothing_is_written_before_it_is_set_up(capfd: pytest.CaptureFixture[str]) -> None:
    logger = get_logger()
    logger.handlers[:] = []
    logger.propagate = False
    get_logger("run").error("unheard")
    assert capfd.readouterr().err == ""


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_fault_is_told_once_a_minute_and_when_it_is_over() -> None:
    stream, clock = set_up(), Clock()
    trouble = Trouble(clock)
    for second in range(150):
        clock.now = float(second)
        for name in ("heartbeat", "schedules"):
            trouble.meet(name, StateError("The disk is full.", hint="Make room."))
    assert stream.getvalue().count("The disk is full. Make room.") == 150 // SAY_EVERY_S + 1
    assert "Traceback" not in stream.getvalue()
    trouble.end("heartbeat")
    assert "mended" not in stream.getvalue()
    trouble.end("schedules")
    trouble.end("schedules")
    assert stream.getvalue().count("mended: The disk is full.") == 1


def test_a_fault_that_comes_and_goes_is_no_flood_either() -> None:
    stream, clock = set_up(), Clock()
    trouble = Trouble(clock)
    for second in range(60):
        clock.now = float(second)
        trouble.meet("heartbeat", StateError("The state is locked."))
        trouble.end("heartbeat")
    assert stream.getvalue().count("locked") == 2


def test_a_mistake_of_the_program_comes_with_its_traceback() -> None:
    stream = set_up()
    try:
        fail()
    except ValueError as error:
        Trouble(Clock()).meet("schedules", error)
    assert "ERROR pipekit.server schedules: ValueError: no login with ****" in stream.getvalue()
    assert r"\nTraceback" in stream.getvalue()


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_line_of_the_log_is_cut_with_what_it_quotes(log_format: LogFormat) -> None:
    stream = set_up(log_format=log_format)
    try:
        raise ValueError("v" * 3_000_000)
    except ValueError:
        get_logger("run").exception("it failed: %s", "m" * 3_000_000)
    assert stream.getvalue().count("\n") == 1
    assert len(stream.getvalue()) <= LONGEST_MESSAGE + LONGEST_TRACEBACK + 1_000
