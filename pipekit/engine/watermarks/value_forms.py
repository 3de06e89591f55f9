# How a value is written, and whether two ways of writing compare as their values do. Pure; knows no query.
"""`find_mismatch`: why a watermark's value and the values of a column do not compare as what they mean.

Text is compared character by character: `2026-01-01T10:00` is above every `2026-01-01 ...`, `9` is above `10`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

# What a database compares the column as: its texts, or values of its type.
Compared = Literal["text", "number", "untyped", "numeric", "single", "interval", "date", "timestamp", "other"]

_NUMBER = re.compile(r"[+-]?\d+(?P<decimals>\.\d*)?(?:[eE][+-]?\d+)?")
_MOMENT = re.compile(
    r"(?P<day>[+-]?\d{4,6}-\d\d-\d\d)"
    r"(?:(?P<separator>[Tt ]+)(?P<clock>\d\d:\d\d)(?P<seconds>:\d\d)?(?:[.,](?P<fraction>\d+))?"
    r"\s*(?P<zone>[Zz]|UTC|[+-]\d\d(?::?\d\d)?)?)?"
)
_ODD_YEAR = re.compile(r"\A[+-]?\d{5,}-\d\d-\d\d|\A-\d{4}-\d\d-\d\d|\A\d{4,}-.* BC\Z")
_MARKED = re.compile(r"[\d/.: \-]*\d[/.:\-][\d/.: \-]*\d")


@dataclass(frozen=True, slots=True)
class Form:
    """How a text is written. `kind` is number, day, moment, word, or marked: digits with marks between (31.12.2026)."""

    kind: str
    separator: str = ""
    zone: str = ""
    fraction: int = 0
    has_seconds: bool = True
    shape: str = ""


def find_form(text: str) -> Form:
    """The form of a value."""
    if _NUMBER.fullmatch(text):
        whole = text.partition(".")[0]
        return Form("number", shape="9" * len(whole) if whole.isdigit() else "")
    if moment := _MOMENT.fullmatch(text):
        if not moment["separator"]:
            return Form("day")
        zone = moment["zone"] or ""
        style = "Z" if zone.upper() == "Z" else re.sub(r"\d", "9", zone)
        digits = len(moment["fraction"] or "")
        return Form("moment", moment["separator"], style, digits, moment["seconds"] is not None)
    if _MARKED.fullmatch(text):
        return Form("marked", shape=re.sub(r"\d", "9", text))
    return Form("word")


@dataclass(frozen=True, kw_only=True, slots=True)
class Value:
    """A watermark's value. `is_given`: a default or one set by hand, `appends`: repeated rows are added once more.

    `is_foreign`: another database found it, whose order of letters may be another.
    """

    text: str
    is_given: bool = False
    appends: bool = False
    is_foreign: bool = False


def find_mismatch(value: Value, samples: Sequence[str], compared: Compared, is_quoted: bool = True) -> str:
    """Why the value does not compare with a column's values, such as `samples`, as it should; `""` if it does, as far
    as is known.
    """
    form = find_form(value.text)
    if compared == "text":
        return _find_in_texts(value, form, samples) if samples else ""
    if compared == "number":
        return "" if form.kind == "number" else "a number is never above a text, whatever the text says"
    if compared == "single" and not is_quoted and "." in value.text:
        return "a number without quotes has more digits than the column's floats, which are above or below it"
    if compared == "untyped":
        return "the column has no type, so the value in quotes is a text, and a number is never above one"
    if compared == "date" and form.kind == "moment" and not re.search(r"[T ]00:00(:00([.,]0*)?)?\Z", value.text):
        return "it has a time of day, and the column has none"
    if compared == "timestamp":
        return _find_in_moments(value, form)
    return ""


def find_misordered(value: str, samples: Sequence[str], compared: Compared) -> str:
    """Why the greatest of these texts, of which `value` is one, need not be that of what the source compares."""
    if compared == "interval":
        return "as texts, intervals are in no order of time"
    if compared in ("numeric", "number", "single"):
        lengths = {find_form(text).shape for text in (value, *samples) if find_form(text).kind == "number"}
        return "as texts 9 is above 10" if len(lengths) > 1 else ""
    if compared in ("date", "timestamp", "other") and any(map(_ODD_YEAR.search, (value, *samples))):
        return "as texts, years before Christ and after 9999 are in no order of time"
    return ""


def _find_in_moments(value: Value, form: Form) -> str:
    if form.zone and not re.search(r"(?:[Zz]|UTC|[+-]00(?::?00)?)\Z", value.text):
        return "it has a time zone, which a column without one leaves out"
    if form.kind == "day" and value.appends and not value.is_given:
        return "it has no time of day, and every later row of that day is above it"
    return ""


def _find_in_texts(value: Value, form: Form, samples: Sequence[str]) -> str:
    # A default is there to be below everything, in whatever form.
    if value.is_given and all(sample > value.text for sample in samples):
        return ""
    forms = [find_form(sample) for sample in samples]
    kinds = {item.kind for item in forms}
    if form.kind in ("day", "moment") and kinds & {"day", "moment"}:
        return _compare_moments(value, form, [item for item in forms if item.kind in ("day", "moment")])
    if form.kind not in kinds:
        return "it is written in another way, and both are compared as text"
    if form.kind in ("number", "marked"):
        same = all(item.shape == form.shape for item in forms if item.kind == form.kind)
        why = "as text 9 is above 10" if form.kind == "number" else "their digits and marks stand in other places"
        return "" if same else f"both are compared as text, and {why}"
    letters = value.text + "".join(samples)
    if value.is_foreign and not value.is_given and letters.lower() != letters and letters.upper() != letters:
        return "the two databases may order capital and small letters in different ways"
    return ""


def _compare_moments(value: Value, form: Form, forms: Sequence[Form]) -> str:
    moments = [item for item in forms if item.kind == "moment"]
    if form.kind == "day":
        return "it has no time of day, and every row of that day is above it" if moments and value.appends else ""
    if not moments:
        return "it has a time of day, and the column has none"
    if form.separator not in {item.separator for item in moments}:
        return f"there stands {moments[0].separator!r} where the value has {form.separator!r} before the time of day"
    if form.zone not in {item.zone for item in moments}:
        return "the time zone is written in another way"
    if form.has_seconds not in {item.has_seconds for item in moments}:
        return "one of them is written with seconds, the other without"
    fractions = {item.fraction for item in moments}
    if value.appends and len(fractions) == 1 and form.fraction not in fractions and fractions != {0}:
        return "the fraction of a second is written with another number of digits"
    return ""
