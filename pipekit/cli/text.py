# Text for people: cleaned of control characters, counted, aligned. Knows no command and prints nothing.
"""Cleaning, numbers, times and tables."""

import re
import sys
import unicodedata
from collections.abc import Sequence
from datetime import datetime

import click

_ESCAPES = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # a window's title and the like
    r"|\x1b[PX^_][^\x1b]*(?:\x1b\\)?"
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # colours and cursor movement
    r"|\x1b[ -/]*[0-~]?"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_WIDE = ("W", "F")


def clean_text(text: str) -> str:
    """Text from elsewhere without escape codes and control characters; line ends and tabs stay."""
    return _CONTROL.sub("", _ESCAPES.sub("", text.replace("\r\n", "\n")))


def clean_line(text: str) -> str:
    """The same on one line."""
    return " ".join(clean_text(text).split())


def format_count(number: int | None) -> str:
    """`1 204 000` with thin spaces, with commas where the output cannot show them; `-` for None."""
    if number is None:
        return "-"
    text = f"{number:,}"
    return text.replace(",", "\u202f") if _can_show("\u202f") else text


def shows_everything() -> bool:
    """Whether standard output takes every character."""
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"


def _can_show(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def format_time(moment: str | None) -> str:
    """A time of the state (UTC) as local wall-clock time; `-` for None."""
    if not moment:
        return "-"
    return datetime.fromisoformat(moment).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def format_table(
    headers: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = (), dim: bool = False
) -> list[str]:
    """Plain aligned columns; the columns numbered in `right` stand to the right. The last column is not padded."""
    cells = [[clean_line(cell) for cell in row] for row in rows]
    widths = [max(get_width(row[i]) for row in [list(headers), *cells]) for i in range(len(headers))]
    head = _line(list(headers), widths, right)
    return [click.style(head, dim=True) if dim else head, *(_line(row, widths, right) for row in cells)]


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[int]) -> str:
    padded = [pad(cell, widths[i], to_right=i in right) for i, cell in enumerate(cells)]
    return "  ".join(padded).rstrip()


def pad(text: str, width: int, *, to_right: bool = False) -> str:
    """A text filled up to a width of columns on the terminal."""
    space = " " * max(width - get_width(text), 0)
    return space + text if to_right else text + space


def get_width(text: str) -> int:
    """How many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in _WIDE else 1 for c in text)


def shorten(text: str, width: int) -> str:
    """One line, cut at a width."""
    line = clean_line(text)
    return line if len(line) <= width else line[: width - 3] + "..."
