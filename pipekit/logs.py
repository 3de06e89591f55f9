# Python's logging, set up: one record a line, masked, and safe to look at. Knows nothing of what is logged.
"""`set_up_logging` for the logger `pipekit`, and `get_logger` for everyone who writes to it.

Until it is set up, as in a command of the shell, nothing is written anywhere.
"""

import json
import logging
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal, TextIO

from pipekit.cutting import cut
from pipekit.masking import Masker

LogFormat = Literal["text", "json"]

FORMATS: tuple[LogFormat, ...] = ("text", "json")
# A failed request's body, which is cut by itself, fits.
LONGEST_MESSAGE = 131_072
LONGEST_TRACEBACK = 32_768

# Control characters, what a terminal takes for a line end, and what turns the direction of text.
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def get_logger(name: str = "") -> logging.Logger:
    """The logger `pipekit`, or with a name the one below it."""
    root = logging.getLogger("pipekit")
    if not root.handlers:
        root.addHandler(logging.NullHandler())  # or Python prints warnings to stderr by itself
    return root.getChild(name) if name else root


def set_up_logging(
    level: str, log_format: LogFormat, get_masker: Callable[[], Masker], stream: TextIO | None = None
) -> logging.Handler:
    """Sends what the logger `pipekit` gets to stderr, from `level` on. Another call replaces what the first one set up.

    The handler that is returned can be given to other loggers, which are then masked and written the same way.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.addFilter(_MaskFilter(get_masker))
    handler.setFormatter(_JsonLine() if log_format == "json" else _TextLine())
    root = get_logger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    root.propagate = False
    logging.raiseExceptions = False  # a log that cannot be written ends nothing
    return handler


def escape(text: str) -> str:
    """Text on one line, with control characters as they are written in a string."""
    return _UNSAFE.sub(lambda found: _SHORT.get(found[0]) or _written(found[0]), text)


def _written(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


class _MaskFilter(logging.Filter):
    """Masks and cuts the finished message and traceback, so that no argument gets by. Lets every record through."""

    def __init__(self, get_masker: Callable[[], Masker]) -> None:
        super().__init__()
        self._get_masker = get_masker
        self._formatter = logging.Formatter()

    def filter(self, record: logging.LogRecord) -> bool:
        masker = self._get_masker()
        record.msg, record.args = cut(masker.mask(_message_of(record)), LONGEST_MESSAGE), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = self._formatter.formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = cut(masker.mask(record.exc_text), LONGEST_TRACEBACK)
        return True


def _message_of(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError):
        return f"{record.msg} {record.args}"


def _moment_of(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


class _TextLine(logging.Formatter):
    """`2026-01-31T04:00:00.123Z INFO pipekit.server message`, a traceback behind it on the same line."""

    def format(self, record: logging.LogRecord) -> str:
        message = record.getMessage() + (f"\n{record.exc_text}" if record.exc_text else "")
        return f"{_moment_of(record)} {record.levelname} {record.name} {escape(message)}"


class _JsonLine(logging.Formatter):
    """One JSON object a line: `time`, `level`, `logger`, `message` and, for an exception, `traceback`."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": _moment_of(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        return json.dumps(line | ({"traceback": record.exc_text} if record.exc_text else {}))
