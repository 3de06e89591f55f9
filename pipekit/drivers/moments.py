# A moment as a constant of a column's type: what a run writes by itself into a dest. Pure text; knows no connection.
"""`Moments`, a part of `drivers.base.Driver`."""

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from pipekit.drivers.types import Type
from pipekit.errors import Invalid

# Of a column whose type does not say how many digits its seconds have.
_DIGITS = 6


class Moments:
    """Times are written in UTC; a column with a time zone gets the same moment."""

    to_neutral: Callable[[str], Type]
    quote_literal: Callable[[str], str]
    any_value: ClassVar[bool]

    def quote_day(self, day: datetime, type_text: str) -> str:
        """The least value of a UTC day: where times are texts, the day alone stands before all of its times."""
        if self.any_value or self.to_neutral(type_text).name == "text":
            self.quote_moment(day, type_text)
            return self.quote_literal(f"{day:%Y-%m-%d}")
        return self.quote_moment(day, type_text)

    def quote_moment(self, moment: datetime, type_text: str) -> str:
        """A UTC time as a value of this type, cut to the digits it has. Raises Invalid for one that holds no time."""
        neutral = self.to_neutral(type_text)
        if neutral.name not in ("timestamp", "timestamptz", "date", "text"):
            raise Invalid(f"{type_text} holds no time.", hint="Take a column with date and time.")
        return self._write_moment(self.quote_literal(spell_moment(moment, neutral)), type_text)

    def _write_moment(self, literal: str, type_text: str) -> str:
        return f"CAST({literal} AS {type_text})"


def spell_moment(moment: datetime, neutral: Type) -> str:
    """`2026-11-30 13:49:51.123456`; no rounding, which could lead into the future."""
    if neutral.name == "date":
        return f"{moment:%Y-%m-%d}"
    digits = _DIGITS if neutral.precision is None else min(neutral.precision, _DIGITS)
    fraction = f".{moment.microsecond:06d}"[: digits + 1] if digits and neutral.name != "text" else ""
    fraction = f".{moment.microsecond:06d}" if neutral.name == "text" else fraction
    return f"{moment:%Y-%m-%d %H:%M:%S}{fraction}{'+00:00' if neutral.name == 'timestamptz' else ''}"
