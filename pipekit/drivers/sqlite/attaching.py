# Which files beside its own an SQLite session may open. Knows paths and SQLite's numbers, no connection.
"""`build_authorizer`: ATTACH reaches only the files that the address names; SQLite itself asks, whatever the SQL is."""

import os
from collections.abc import Callable, Collection
from pathlib import Path
from urllib.parse import unquote

# SQLite's numbers: what it asks about, and the answers (https://www.sqlite.org/c3ref/c_alter_table.html).
_ATTACH, _OK, _DENY = 24, 0, 1

Authorizer = Callable[[int, str | None, str | None, str | None, str | None], int]


def build_authorizer(own: Path, allowed: Collection[Path]) -> Authorizer:
    """Lets a session attach its own file, those of `allowed`, and databases that are in memory or temporary."""
    known = {os.path.realpath(path) for path in (own, *allowed)}

    def judge(action: int, first: str | None, *_: str | None) -> int:
        if action != _ATTACH:
            return _OK
        # None: a name that is made while the statement runs, which nobody can look at before.
        if first is not None and (first in ("", ":memory:") or os.path.realpath(_read_path(first)) in known):
            return _OK
        return _DENY

    return judge


def _read_path(name: str) -> str:
    """The file of a name or of a `file:` address. Relative names start where the process does, as SQLite's do."""
    if not name.startswith("file:"):
        return name
    path = name.removeprefix("file:").partition("#")[0].partition("?")[0]
    return unquote(path.removeprefix("//localhost") if path.startswith("//localhost/") else path)
