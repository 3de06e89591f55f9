# What a form sent, as text that can be shown again and as values that can be kept. Knows no noun and no template.
"""`Form`: values as typed, rows of parallel arrays, and a problem beside each field that has one."""

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.datastructures import FormData

from pipekit.errors import Conflict, Invalid, NameTaken, NotFound, PipekitError
from pipekit.fields import describe_numbers, find_problem, list_fields

# A mapping of as many columns as a module may have, and what stands beside it; a body's size is limited elsewhere.
MAX_FIELDS = 12_000
MOST_ROWS = 2_000

# The problem of a form whose record somebody else changed meanwhile; it is no field's.
CLASH = "clash"

FormRow = dict[str, str]


async def read_form(request: Request) -> FormData:
    """The request's form; empty when it brought none."""
    kind = request.headers.get("content-type", "")
    return await request.form(max_fields=MAX_FIELDS) if "form" in kind else FormData()


FormDep = Annotated[FormData, Depends(read_form)]


def get_text(data: FormData, name: str, default: str = "") -> str:
    """A field as typed, with plain line ends; the last one where several have the name."""
    values = get_list(data, name)
    return values[-1] if values else default


def get_list(data: FormData, name: str) -> list[str]:
    """Every value of a name, with plain line ends."""
    return [value.replace("\r\n", "\n") for value in data.getlist(name) if isinstance(value, str)]


def get_flag(data: FormData, name: str, default: bool = False) -> bool:
    """A checkbox. With a hidden `0` before it, one that is not ticked is told from one that is not there."""
    return get_text(data, name, "1" if default else "0") in ("1", "on", "true")


def get_rows(data: FormData, prefix: str, names: Sequence[str]) -> list[FormRow]:
    """Parallel arrays `prefix_name[]` as rows; a shorter one counts as filled up with nothing.

    Raises Invalid for more rows than anything has: each is looked at and drawn anew.
    """
    columns = [get_list(data, f"{prefix}_{name}[]") for name in names]
    count = max(map(len, columns), default=0)
    if count > MOST_ROWS:
        raise Invalid(f"A form has at most {MOST_ROWS:,} rows of one kind; this one has {count:,}.")
    return [
        {name: column[i] if i < len(column) else "" for name, column in zip(names, columns, strict=True)}
        for i in range(count)
    ]


def is_blank(row: FormRow, names: Sequence[str]) -> bool:
    """Whether nothing was typed into these fields of a row."""
    return not any(row[name].strip() for name in names)


@dataclass(slots=True)
class Form:
    """A form as a template shows it. `problems` is by field, `wm.0.name` for a row's; the first one gets the focus."""

    values: dict[str, str] = field(default_factory=dict)
    rows: dict[str, list[FormRow]] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    order: tuple[str, ...] = ()

    def value(self, name: str) -> str:
        """What stands in a field."""
        return self.values.get(name, "")

    def holds(self, name: str, value: str = "1") -> bool:
        """Whether a checkbox is ticked, a choice made."""
        return self.values.get(name) == value

    def problem(self, name: str) -> str:
        """What is wrong with a field, `""` when nothing is."""
        return self.problems.get(name, "")

    @property
    def focus(self) -> str:
        """The field that gets the focus: the first with a problem, or the form's first when nothing is wrong."""
        known = [name for name in self.order if name in self.problems]
        return next(iter(known or self.problems), "") if self.problems else next(iter(self.order), "")

    @property
    def status(self) -> int:
        """The status of an answer that gives the form back with its problems."""
        return 409 if CLASH in self.problems else 422

    @property
    def other_problems(self) -> list[str]:
        """Problems of no field that is shown."""
        shown = set(self.order)
        return [text for name, text in self.problems.items() if name not in shown and "." not in name]

    def take(self, data: FormData) -> None:
        """Puts what was sent over what stands there."""
        for name, value in data.multi_items():
            if not name.endswith("[]") and isinstance(value, str):
                self.values[name] = value.replace("\r\n", "\n")

    def note(self, name: str, message: str) -> None:
        """Notes what is wrong with a field; the first word counts."""
        self.problems.setdefault(name, message)

    def note_error(self, error: PipekitError, default: str, names: Mapping[str, str] | None = None) -> None:
        """Notes an error beside the field it is about; `names` maps a record's fields to the form's."""
        about = getattr(error, "field", "") or ("name" if isinstance(error, NameTaken) else default)
        self.note((names or {}).get(about, about), f"{error.message} {error.hint}".strip())

    def need(self, name: str, message: str) -> str:
        """A field that must not be blank, without surrounding blanks."""
        text = self.value(name).strip()
        if not text:
            self.note(name, message)
        return text

    def read_told(self, name: str, record: type) -> Any:
        """A number within the bounds that the record tells of this field; None, noted where it is none, else."""
        f = next(f for f in list_fields(record) if f.own == name)
        text = self.value(name).strip()
        if not text:
            return None
        with suppress(ValueError, OverflowError):
            number = int(text) if f.kind == "whole" else float(text)
            if math.isfinite(number) and not find_problem(f, number):
                return number
        self.note(name, f"This must be {describe_numbers(f)}.")
        return None


# What a person can mend in the form: shown beside the field, everything typed still there.
MENDABLE = (Invalid, Conflict, NotFound)


class FormRefused(Exception):
    """The form has problems; raised inside a transaction to undo it."""


def refuse_problems(form: Form) -> None:
    """Raises FormRefused when something was noted."""
    if form.problems:
        raise FormRefused
