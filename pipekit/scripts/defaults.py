# Compares what a script does in two ways. Knows the records of what was found, no shell.
"""`describe_events`, and `find_defaults`: values that are used where there is none yet."""

import re
from collections.abc import Iterator, Sequence

from pipekit.scripts.found import CLOSE, MARKER, OPEN, Event, Load, Notes, ScriptCall, Statements
from pipekit.scripts.shell import is_position


def describe_events(notes: Notes, events: Sequence[Event]) -> list[tuple[object, ...]]:
    """Everything that counts of some events: the same for those that do the same."""
    return [(*head, *(notes.describe(text) for text in texts)) for head, texts in _flatten(events)]


def _flatten(events: Sequence[Event]) -> Iterator[tuple[tuple[object, ...], list[str]]]:
    for event in events:
        if isinstance(event, Load):
            urls = (event.source.jdbc_url, event.source.username, event.dest.jdbc_url, event.dest.username)
            flags = (event.clear, event.trim, event.doubts)
            yield ("load", *urls, *flags), [event.table, event.query]
        elif isinstance(event, Statements):
            yield ("sql", event.database.jdbc_url if event.database else None), [event.sql]
        elif isinstance(event, ScriptCall):
            yield ("script", event.unit.path, event.unit.arguments), []
            yield from _flatten(event.unit.events)


def find_defaults(notes: Notes, events: Sequence[Event], others: Sequence[Event]) -> bool:
    """Whether both differ only in values that stand for one that is not there yet; such a value is its default then."""
    ours, theirs = list(_flatten(events)), list(_flatten(others))
    if [head for head, _ in ours] != [head for head, _ in theirs]:
        return False
    found: dict[int, str] = {}
    for (_, texts), (_, other_texts) in zip(ours, theirs, strict=True):
        for text, other in zip(texts, other_texts, strict=True):
            pairs = _match(notes, text, other)
            if pairs is None:
                return False
            for number, value in pairs:
                if found.setdefault(number, value) != value:
                    return False
    for number, value in found.items():
        notes.unknowns[number].default = notes.unknowns[number].default or value
    return True


def _match(notes: Notes, text: str, other: str) -> list[tuple[int, str]] | None:
    """The numbers of a text's unknown values with what stands for them in another one; None where more is different."""
    pieces = MARKER.split(text)
    pattern = "".join(re.escape(piece) if at % 2 == 0 else "(.*?)" for at, piece in enumerate(pieces))
    found = re.fullmatch(pattern, other, re.DOTALL)
    if found is None:
        return None
    pairs = []
    for number, value in zip(pieces[1::2], found.groups(), strict=True):
        other_unknown = notes.only_unknown(value)
        same = notes.describe(value) == notes.describe(f"{OPEN}{number}{CLOSE}")
        if same or (other_unknown is not None and other_unknown.origin == "environment"):
            continue
        if MARKER.search(value) or not (is_position(value) or re.fullmatch(r"[\w.+-]*", value)):
            return None
        if value:
            pairs.append((int(number), value))
    return pairs
