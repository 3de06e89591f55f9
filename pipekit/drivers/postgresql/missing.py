# Types of one PostgreSQL that another may lack: what a dest that is made gets instead. Pure text; knows no connection.
"""Enums, composites, types of extensions and of newer versions: as they are where the dest has them, else what fits.

The text of a value of any type goes in and comes back as it was, so text holds it where nothing nearer does.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pipekit.drivers.facts import MadeType
from pipekit.drivers.postgresql.types import BUILT_IN, parse_type
from pipekit.errors import RunFailed
from pipekit.runner_contract import Query

Literal = Callable[[str], str]

# Built in, but not in every version that Pipekit speaks to.
_NEWER = frozenset({"xid8", "pg_snapshot"})


@dataclass(frozen=True, slots=True)
class _Found:
    """A type as a server has it: `kind` is its catalogue's letter, `base` is of a domain."""

    exists: bool
    kind: str
    base: str
    base_is_own: bool
    labels: tuple[str, ...]


_LOOK = """\
SELECT w.name, t.oid IS NOT NULL, t.typtype, pg_catalog.format_type(t.typbasetype, t.typtypmod),
  t.typbasetype >= 16384, pg_catalog.array_to_json(ARRAY(
    SELECT e.enumlabel FROM pg_catalog.pg_enum AS e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder
  ))
FROM (VALUES {names}) AS w (name)
LEFT JOIN pg_catalog.pg_type AS t ON t.oid = pg_catalog.to_regtype(w.name)::pg_catalog.oid"""


def find_made_types(
    ask_source: Query, ask_dest: Query, literal: Literal, types: Iterable[str], *, creates: bool
) -> dict[str, MadeType]:
    """For each of the source's types that the dest does not have what it gets there; the others are left out.

    With `creates` an enum is made there; raises RunFailed (stage `check`) where it is there with other labels.
    """
    wanted = {text: base for text in types if _may_lack(base := parse_type(text).base)}
    there = _look(ask_dest, literal, wanted.values())
    asked = [base for base in wanted.values() if not there[base].exists or (creates and there[base].kind == "e")]
    here = _look(ask_source, literal, asked) if asked else {}
    made: dict[str, MadeType] = {}
    for text, base in wanted.items():
        if not there[base].exists:
            made[text] = _replace(text, base, here[base], literal, creates)
        elif base in here and here[base].labels != there[base].labels:
            ours, theirs = (", ".join(look[base].labels) for look in (here, there))
            message = f"The type {base} of the source has the labels {ours}; the dest has a type {base} with {theirs}."
            hint = "Name another type in the module's `columns` (`dest_type: text` holds every label)."
            raise RunFailed(message, stage="check", hint=hint)
    return made


def _may_lack(base: str) -> bool:
    return base != "" and (base not in BUILT_IN or base in _NEWER or base.endswith("multirange"))


def _look(query: Query, literal: Literal, names: Iterable[str]) -> dict[str, _Found]:
    rows = ", ".join(f"({literal(name)})" for name in sorted(set(names)))
    return {row[0] or "": _read(row[1:]) for row in query(_LOOK.format(names=rows)).rows} if rows else {}


def _read(row: tuple[str | None, ...]) -> _Found:
    exists, kind, base, base_is_own, labels = row
    found = tuple(json.loads(labels or "[]"))
    return _Found(exists == "t", kind or "", base or "", base_is_own == "t", found)


def _replace(text: str, base: str, found: _Found, literal: Literal, creates: bool) -> MadeType:
    """What a type that the dest does not have gets: itself, the type under a domain, or text; arrays stay arrays."""
    if found.kind == "e" and creates:
        labels = ", ".join(map(literal, found.labels))
        return MadeType(type=text, create=f"CREATE TYPE {base} AS ENUM ({labels})", drop=f"DROP TYPE {base}")
    near = found.base if found.kind == "d" and not found.base_is_own and not found.base.endswith("[]") else "text"
    return MadeType(type=near + "[]" * parse_type(text).dimensions)
