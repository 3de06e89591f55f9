# What the demo shows, as plain text. Knows no run and no database.
"""Headings, progress on one line, tables, and texts side by side; works without a terminal."""

import shutil
import sys
import textwrap
from collections.abc import Sequence
from itertools import zip_longest
from typing import TextIO

GAP = "  |  "
GLUE = "\u00a0"
WIDEST = 132
NARROWEST = 80


class Screen:
    """Writes to a stream; progress is redrawn in place on a terminal and left out elsewhere."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._live = self._stream.isatty()
        self._drawn = 0
        self.width = min(max(shutil.get_terminal_size((100, 24)).columns, NARROWEST), WIDEST)

    def say(self, text: str = "") -> None:
        """One line or several, below what was there."""
        self._clear()
        print(text, file=self._stream, flush=True)

    def heading(self, text: str) -> None:
        """A line that begins a part."""
        self.say(f"\n{text}\n{'-' * len(text)}")

    def progress(self, text: str) -> None:
        """What is going on at this moment; the next line replaces it."""
        if not self._live:
            return
        self._clear()
        line = text[: self.width - 1]
        self._stream.write(line)
        self._stream.flush()
        self._drawn = len(line)

    def side_by_side(self, left: Sequence[str], right: Sequence[str]) -> None:
        """Two texts in two columns, long lines wrapped."""
        width = (self.width - len(GAP)) // 2
        for one, other in zip_longest(_wrap(left, width), _wrap(right, width), fillvalue=""):
            self.say(f"{one:<{width}}{GAP}{other}".rstrip())

    def _clear(self) -> None:
        if self._drawn:
            self._stream.write("\r" + " " * self._drawn + "\r")
            self._drawn = 0


def _wrap(lines: Sequence[str], width: int) -> list[str]:
    """Lines cut to a width, rather between parts, which two spaces keep apart, than inside one."""
    wrapped: list[str] = []
    for line in lines:
        indent = " " * (len(line) - len(line.lstrip()))
        parts = line.strip().split("  ")
        glued = indent + "  ".join(part.replace(" ", GLUE) if len(part) < width // 2 else part for part in parts)
        cut = textwrap.wrap(glued, width, subsequent_indent=f"{indent}  ") or [""]
        wrapped += [piece.replace(GLUE, " ") for piece in cut]
    return wrapped
