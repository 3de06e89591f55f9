# New state databases, copied from one that was made once: that is quicker than making each. Knows no table.
"""`new_state`."""

import tempfile
from collections.abc import Callable
from contextlib import closing
from functools import cache
from pathlib import Path

from pipekit import repo


def _leave_empty(db: repo.State) -> None:
    """Nothing of anybody's."""


def new_state(path: Path, fill: Callable[[repo.State], None] = _leave_empty) -> repo.State:
    """A state database as `open_state` makes it and `fill` fills it, open. Its folder is like one of `pipekit init`."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(_template(fill))
    return repo.open_state(path)


@cache
def _template(fill: Callable[[repo.State], None]) -> bytes:
    with tempfile.TemporaryDirectory(prefix="pipekit-state-") as folder:
        path = Path(folder, "pipekit.db")
        with closing(repo.open_state(path, create=True)) as db:
            fill(db)
        return path.read_bytes()
