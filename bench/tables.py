# What a part of the benchmark gives: tables, and the limits beside what was measured. Measures nothing.
"""`Part`, its `Table`s and `Limit`s, and how a person reads them."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """What may not be exceeded; `unit` stands behind both figures."""

    what: str
    measured: float
    at_most: float
    unit: str = ""

    @property
    def holds(self) -> bool:
        """Whether it does."""
        return self.measured <= self.at_most

    def describe(self) -> str:
        """Both figures, and by how much it is missed."""
        if not math.isfinite(self.measured):
            return f"{self.what}: not measured"
        verdict = "held" if self.holds else f"missed by {self.measured / self.at_most - 1:.0%}"
        return f"{self.what}: {self.measured:.2f}{self.unit}, at most {self.at_most:.3g}{self.unit}: {verdict}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """Cells as they are shown; the first column is words, the others are figures."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One part: its tables, its limits, and every single figure as JSON."""

    tables: Sequence[Table]
    limits: Sequence[Limit] = ()
    data: Any = field(default=None)

    def to_text(self) -> Iterator[str]:
        """Lines for a terminal."""
        for table in self.tables:
            widths = [max(map(len, column)) for column in zip(table.head, *table.rows, strict=True)]
            for row in (table.head, *table.rows):
                first, *others = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
                yield "  ".join((row[0].ljust(len(first)), *others)).rstrip()
            yield ""
        yield from (limit.describe() for limit in self.limits)
        yield ""
