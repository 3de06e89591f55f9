# Dates and times that are kept as numbers, or as the digits of such: their forms, what a sample says of them, and the
# SQL that reads them. Pure text; knows no connection.
"""`FORMS`, `judge`, `NumberDates` (a kind of database has one) and `Recasting`, a part of `drivers.base.Driver`."""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from pipekit.drivers.tables import Cast, DateForm, Mark, TableColumn, TableName
from pipekit.drivers.types import Type
from pipekit.runner_contract import Query

# Two digits of a year mean what they mean on an IBM i: 1940 to 2039.
_FIRST_SHORT_YEAR = 40
_LONGEST_TEXT = 20
# Days that stand for none may lie before it, as 0001-01-01 does.
_FIRST_YEAR, _LOW_DAY = 1000, dt.date(1, 1, 1)
_TIME_DIGITS = 6

FORMS = (
    DateForm(name="CYYMMDD", digits=7),
    DateForm(name="YYYYMMDD", digits=8),
    DateForm(name="YYMMDD", digits=6),
    DateForm(name="MMDDYYYY", digits=8),
    DateForm(name="DDMMYYYY", digits=8),
    DateForm(name="MMDDYY", digits=6),
    DateForm(name="DDMMYY", digits=6),
    DateForm(name="HHMMSS", digits=_TIME_DIGITS, is_time=True),
)


# -- what a sample says ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """What the values of a sample are in a form: how many days or times, and how many stand for none."""

    rows: int
    read: int
    zeros: int
    nines: int
    nulls: int
    blanks: int
    others: int

    @property
    def fits(self) -> bool:
        """Whether every value is one of the form, or stands for none."""
        return self.read > 0 and self.others == 0


def judge(form: DateForm, cells: Sequence[str | None]) -> Judged:
    """Holds the cells of a sample, numbers or digits as text, against a form."""
    texts = [cell.strip() for cell in cells if cell is not None]
    numbers = [int(text) for text in texts if text.isascii() and text.isdecimal() and len(text) < _LONGEST_TEXT]
    nines, zeros = numbers.count(form.nines), 0 if form.is_time else numbers.count(0)
    given = [number for number in numbers if number != form.nines and (form.is_time or number)]
    read = [number for number in given if _read(form, number) is not None]
    # 1 to 59 are seconds of a clock as they are anything else.
    if not any(len(str(number)) >= form.digits - 1 for number in read):
        read = []
    blanks = texts.count("")
    others = len(texts) - blanks - zeros - nines - len(read)
    return Judged(
        rows=len(cells), read=len(read), zeros=zeros, nines=nines, nulls=len(cells) - len(texts), blanks=blanks,
        others=others,
    )  # fmt: skip


def tell(form: DateForm, judged: Judged) -> str:
    """The same as a sentence, and what becomes of the values that stand for none."""
    what = "times" if form.is_time else "dates"
    found = ((judged.read, what), (judged.zeros, "0"), (judged.nines, str(form.nines)), (judged.blanks, "blank"),
        (judged.nulls, "NULL"))  # fmt: skip
    counted = ", ".join(f"{count} {name}" for count, name in found if count)
    none = f"{form.nines} and blanks become" if form.is_time else f"0, {form.nines} and blanks become"
    return f"{form.name}: of {judged.rows} rows {counted}. {none} NULL unless you choose otherwise."


def _read(form: DateForm, number: int) -> dt.date | dt.time | None:
    digits = f"{number:0{form.digits}d}"
    if len(digits) > form.digits:
        return None
    try:
        if form.is_time:
            return dt.time(int(digits[:2]), int(digits[2:4]), int(digits[4:]))
        day = dt.date(*_split(form, digits))
    except ValueError:
        return None
    return day if day.year >= _FIRST_YEAR or day == _LOW_DAY else None


def _split(form: DateForm, digits: str) -> tuple[int, int, int]:
    """Year, month and day of all digits of a form."""
    taken = {letter: int("".join(d for d, f in zip(digits, form.name, strict=True) if f == letter)) for letter in "YMD"}
    year = taken["Y"]
    if form.name.startswith("C"):
        year += 1900 + 100 * int(digits[0])
    elif form.name.count("Y") == 2:
        year += 2000 if year < _FIRST_SHORT_YEAR else 1900
    return year, taken["M"], taken["D"]


# -- the SQL that reads them -------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class NumberDates:
    """How a kind reads a number as a date: `{x}` is a column, `{n}` a whole number, `{a}` and `{b}` two of them.

    `whole` makes a whole number of a column of numbers, `digits` one of a text of digits, NULL of a blank one; empty
    where the kind cannot but silently. `date` takes a number YYYYMMDD and `time` one HHMMSS; either fails for one that
    is none. `last` is the last day there is.
    """

    whole: str
    digits: str
    remainder: str
    date: str
    time: str
    last: str
    date_type: str
    time_type: str

    def list_casts(self, quoted: str, column: TableColumn, neutral: Type) -> tuple[Cast, ...]:
        """Every reading of a column that its type has room for; which of them fit only its values tell."""
        room = _find_room(neutral)
        number = (self.digits if neutral.name in ("text", "char") else self.whole).format(x=quoted)
        forms = [form for form in FORMS if number and form.digits <= room]
        forms.sort(key=lambda form: form.digits != room)
        return tuple(cast for form in forms for cast in self._build(form, number))

    def _build(self, form: DateForm, number: str) -> Iterable[Cast]:
        what, type_ = ("time", self.time_type) if form.is_time else ("date", self.date_type)
        label = f"{what} from {form.name}"
        if form.is_time:
            expression = self.time.format(n=f"NULLIF({number}, {form.nines})")
            yield Cast(label=label, expression=expression, type=type_, form=form)
            return
        given = f"NULLIF(NULLIF({number}, 0), {form.nines})"
        expression = self.date.format(n=_arrange(form, given, number, self._remain))
        yield Cast(label=label, expression=expression, type=type_, form=form)
        kept = f"CASE WHEN {number} = {form.nines} THEN {self.last} ELSE {expression} END"
        yield Cast(label=f"{label}, {form.nines} as 9999-12-31", expression=kept, type=type_, form=form, for_nines=True)

    def _remain(self, number: str, by: int) -> str:
        return self.remainder.format(a=number, b=by)


class Recasting:
    """Other readings of columns. `number_dates` is None for a kind that reads no numbers as dates."""

    number_dates: ClassVar[NumberDates | None] = None
    quote_identifier: Callable[[str], str]
    to_neutral: Callable[[str], Type]

    def list_casts(self, column: TableColumn) -> tuple[Cast, ...]:
        """Other readings of a column, for a person to choose where its type says too little."""
        if self.number_dates is None:
            return ()
        return self.number_dates.list_casts(self.quote_identifier(column.name), column, self.to_neutral(column.type))

    def list_marks(self, query: Query, table: TableName, columns: Sequence[TableColumn]) -> tuple[Mark, ...]:
        """What a watermark may stand on beside the plain columns of a table; none where the kind has no more."""
        return ()


def _arrange(form: DateForm, given: str, number: str, remain: Callable[[str, int], str]) -> str:
    """The number YYYYMMDD; `given` is `number` with NULL for what stands for no day, and once is enough for a sum."""
    if form.name == "CYYMMDD":
        return f"{given} + 19000000"
    if form.name == "YYMMDD":
        return f"{given} + {_tell_century(f'{number} / 10000')}"
    if form.name == "MMDDYYYY":
        return f"{remain(given, 10000)} * 10000 + {number} / 10000"
    if form.name == "DDMMYYYY":
        return f"{remain(given, 10000)} * 10000 + {remain(f'{number} / 10000', 100)} * 100 + {number} / 1000000"
    if form.name == "MMDDYY":
        year = remain(number, 100)
        return f"{remain(given, 100)} * 10000 + {number} / 100 + {_tell_century(year)}"
    if form.name == "DDMMYY":
        year, month = remain(number, 100), remain(f"{number} / 100", 100)
        return f"{remain(given, 100)} * 10000 + {month} * 100 + {number} / 10000 + {_tell_century(year)}"
    return given


def _tell_century(year: str) -> str:
    return f"CASE WHEN {year} < {_FIRST_SHORT_YEAR} THEN 20000000 ELSE 19000000 END"


def _find_room(neutral: Type) -> int:
    """How many digits a column has room for; 0 for one that holds no such numbers."""
    if neutral.name == "decimal" and not neutral.scale:
        return 8 if neutral.precision is None else neutral.precision
    if neutral.name in ("text", "char"):
        length = neutral.length or 8
        return length if length <= _LONGEST_TEXT else 0
    return {"int32": 8, "int64": 8}.get(neutral.name, 0)
