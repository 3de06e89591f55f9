# What a name may be, and what is said when one is missing or taken. Knows no table of its own.
"""Rules and messages shared by everything that has a name."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from pipekit.errors import Conflict, Invalid, NameTaken, NotFound
from pipekit.fields import find_problem, list_fields
from pipekit.models import Row
from pipekit.repo.state import State

LONGEST_NAME = 200
SHOWN = 8


def check_name(text: str, *, field: str = "name") -> str:
    """A name without surrounding blanks; raises Invalid for one that is empty, too long or not printable."""
    name = text.strip()
    if not name:
        raise Invalid("A name is needed.", field=field)
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise Invalid(f"A name has at most {LONGEST_NAME} characters, all of them printable.", field=field)
    return name


def check_path_name(text: str, *, before: str = "") -> str:
    """A name that can also stand in an address of the API; raises Invalid for one that cannot.

    A name of `before`, given by an earlier version, may stay.
    """
    name = check_name(text)
    if name.lower() == before.lower():
        return name
    if "/" in name or name in (".", ".."):
        why = "holds '/'" if "/" in name else f"is {name!r}"
        raise Invalid(f"A name that {why} cannot stand in an address of the API.", field="name", hint="Use - or _.")
    if name.isascii() and name.isdigit():
        raise Invalid("A name of digits alone would be taken for an id.", field="name", hint="Put a letter before it.")
    return name


def check_text(text: str, what: str, *, field: str) -> str:
    """A text that must not be blank; it is kept as it is."""
    if not text.strip():
        raise Invalid(f"{what} is needed.", field=field)
    return text


def check_told(values: Mapping[str, Any], record: type, *, field: str = "") -> None:
    """Raises Invalid for a value that its field's choices or bounds exclude; `field` is what to name instead."""
    for f in list_fields(record):
        problem = find_problem(f, values.get(f.own))
        if problem:
            raise Invalid(f"{f.doc.removesuffix('.')}: {problem[0].lower()}{problem[1:]}", field=field or f.own)


def check_fields(changes: Mapping[str, Any], allowed: Sequence[str]) -> None:
    """Refuses a field nobody knows: a mistake of the program, so TypeError."""
    unknown = sorted(set(changes) - set(allowed))
    if unknown:
        raise TypeError(f"no such field: {', '.join(unknown)}")


def get_row(db: State, table: str, noun: str, row_id: int) -> Row:
    """The row of this id; raises NotFound."""
    row = db.row(f"SELECT * FROM {table} WHERE id = ?", (row_id,))
    if row is None:
        raise NotFound(f"There is no {noun} with id {row_id}.")
    return row


def get_row_by_name(db: State, table: str, noun: str, name: str) -> Row:
    """The row of this name, letter case aside; raises NotFound with the names there are."""
    row = db.row(f"SELECT * FROM {table} WHERE name = ?", (name,))
    if row is None:
        known = [str(r["name"]) for r in db.rows(f"SELECT name FROM {table} ORDER BY name")]
        hint = f"There are: {shorten(known)}." if known else f"There is no {noun} yet."
        raise NotFound(f"There is no {noun} {name!r}.", hint=hint)
    return row


def shorten(names: Sequence[str]) -> str:
    """A list of names for a message, the first few of a long one."""
    rest = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {rest} more" if rest > 0 else "")


@contextmanager
def unique(message: str, *, hint: str = "Choose another name.") -> Iterator[None]:
    """Turns the database's refusal of a second row of the same name into NameTaken."""
    try:
        yield
    except Conflict as error:
        if getattr(error.__cause__, "sqlite_errorcode", 0) == sqlite3.SQLITE_CONSTRAINT_UNIQUE:
            raise NameTaken(message, hint=hint) from error
        raise
