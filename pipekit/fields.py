# What a field of a record is to a person: its name in files, its kind, bounds and words. Knows no record.
"""`told` says it where the field is declared; `list_fields` reads it back, for files, forms, API and documents."""

import dataclasses
import functools
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["text", "flag", "whole", "number", "object", "map", "list", "names"]

_KINDS: Mapping[object, Kind] = {str: "text", bool: "flag", int: "whole", float: "number"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """One field. `of` names the object an `object`, `map` (name -> object) or `list` holds.

    `name` is what files call it, `own` what the record does. `short` is the field that a plain text in a list stands
    for. `low` and `high` bound numbers; `low` itself is allowed for whole numbers and shares, not for seconds
    (`above`). `doc` is a sentence for files, API and documents; `label` and `help` are a form's words, `unusual` what a
    page says where the value is not the default.
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
    default: object = None
    pattern: str = ""
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
