# What a field of a record is to a person: its name in files, its kind, bounds and words. Knows no record.
"""`told` says it where the field is declared; `list_fields` reads it back, for files, forms, API and documents."""

import dataclasses
import functools
import re
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from pipekit.pairs import format_pairs, parse_pairs

Kind = Literal["text", "flag", "whole", "number", "object", "map", "list", "names", "pairs"]

# A text's length, in characters, unless its field says otherwise: what a page shows of it must stay a page.
LONGEST = 2_000
LONGEST_SQL = 200_000

_KINDS: Mapping[object, Kind] = {str: "text", bool: "flag", int: "whole", float: "number"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """One field. `of` names the object an `object`, `map` (name -> object) or `list` holds.

    `name` is what files call it (`timeouts.run_s` in an object of its own, `""` where it is the key it stands under),
    `own` what the record does. `short` is the field that a plain text in a list stands for. `low` and `high` bound
    numbers; `low` itself is allowed for whole numbers and shares, not for seconds (`above`). A text has at most
    `longest` characters; one that is `listed` stands for a list, which a file may write (`models/listed.py`). `pairs`
    are names with values in one text (`pipekit.pairs`): names match `names`, values `pattern`, and `low` and `high`
    bound those that are numbers. `doc` is a sentence for files, API and documents; `label` and `help` are a form's
    words, `unusual` what a page says where the value is not the default.
    """

    name: str
    kind: Kind
    doc: str
    own: str = ""
    required: bool = False
    choices: tuple[str, ...] = ()
    of: str = ""
    short: str = ""
    low: float | None = None
    high: float | None = None
    above: float | None = None
    longest: int = LONGEST
    default: object = None
    pattern: str = ""
    listed: str = ""
    names: str = ""
    label: str = ""
    help: str = ""
    unusual: str = ""


def told(doc: str, **more: Any) -> dict[str, Any]:
    """The metadata of a field that a person sets; `more` are fields of `Field`, `name` only where files differ."""
    return {"told": {"doc": doc, **more}}


@functools.cache
def list_fields(record: type) -> tuple[Field, ...]:
    """The fields of a record that are told, in order; kind, choices and default come from its declaration."""
    hints = typing.get_type_hints(record)
    return tuple(_build_field(item, hints[item.name]) for item in dataclasses.fields(record) if "told" in item.metadata)


def _build_field(item: "dataclasses.Field[Any]", hint: Any) -> Field:
    plain = _without_none(hint)
    choices = typing.get_args(plain) if typing.get_origin(plain) is Literal else ()
    missing = item.default is dataclasses.MISSING
    found: dict[str, Any] = {
        "name": item.name,
        "own": item.name,
        "kind": "text" if choices else _KINDS.get(plain, "object"),
        "choices": choices,
        "required": missing and item.default_factory is dataclasses.MISSING,
        "default": None if missing else item.default,
    }
    return Field(**{**found, **item.metadata["told"]})


def _without_none(hint: Any) -> Any:
    if not isinstance(hint, types.UnionType):
        return hint
    return next(part for part in typing.get_args(hint) if part is not types.NoneType)


def pick(record: object, kind: type) -> dict[str, Any]:
    """The values of the fields that `kind`, a record this one is more than, has."""
    return {item.name: getattr(record, item.name) for item in dataclasses.fields(kind)}


def find_problem(f: Field, value: Any) -> str:
    """What is wrong with a value by the field's choices and bounds, as a sentence; `""` when nothing is."""
    if value is None:
        return ""
    if f.choices and value not in f.choices:
        return f"This must be one of {', '.join(f.choices)}."
    if isinstance(value, str) and len(value) > f.longest:
        return f"This may have {f.longest:,} characters; it has {len(value):,}."
    if f.kind == "pairs":
        return _find_pairs_problem(f, value)
    if f.above is not None and not value > f.above:  # NaN is no number of seconds
        return f"This must be more than {f.above:g}."
    if f.low is not None and not value >= f.low:
        return f"This must be at least {f.low:,.12g}."
    if f.high is not None and not value <= f.high:
        return f"This must be at most {f.high:,.12g}."
    return ""


def _find_pairs_problem(f: Field, text: str) -> str:
    try:
        pairs = parse_pairs(text)
    except ValueError as error:
        return str(error)
    for name, value in pairs.items():
        if f.names and not re.fullmatch(f.names, name):
            return f"'{name}' cannot be a name here: letters, digits and _, no digit first."
        if not re.fullmatch(f.pattern, value):
            return f"'{name}' cannot be '{value[:40]}'."
        bounds = replace(f, kind="number")
        if f.high is not None and (problem := find_problem(bounds, float(value))):
            return f"'{name}': {problem}"
    return ""


def settle(values: Mapping[str, Any], record: type) -> dict[str, Any]:
    """Values of a record, its pairs as the one text they are kept as; what is no list of pairs stays as it is."""
    return {name: _settle_pairs(value) if _is_pairs(record, name) else value for name, value in values.items()}


def _is_pairs(record: type, name: str) -> bool:
    return any(f.kind == "pairs" and f.own == name for f in list_fields(record))


def _settle_pairs(value: Any) -> Any:
    try:
        return format_pairs(value if isinstance(value, Mapping) else parse_pairs(value or ""))
    except ValueError:
        return value


def describe_numbers(f: Field) -> str:
    """What numbers a field takes: `a whole number from 1 to 1,000`, `a number above 0`."""
    kind = "a whole number" if f.kind == "whole" else "a number"
    if f.low is not None and f.high is not None:
        return f"{kind} from {f.low:,.12g} to {f.high:,.12g}"
    parts = [
        f"above {f.above:,.12g}" if f.above is not None else "",
        f"of {f.low:,.12g} or more" if f.low is not None else "",
        f"up to {f.high:,.12g}" if f.high is not None else "",
    ]
    return " ".join([kind, *filter(None, parts)])
