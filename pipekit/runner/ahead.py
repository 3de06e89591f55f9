# A runner child that is started before anything is known of its run. Knows no run, no state and no database.
"""`Ahead`: a child starts while its parent is still loading what it needs itself."""

import json
from collections.abc import Collection
from contextlib import suppress
from typing import Self

from pipekit.runner.native import start_child
from pipekit.runner.process import Program


class Ahead:
    """One child for one run; where the machine gives no process, the run that wants one says so. Ended at the latest
    with the block.
    """

    def __init__(self) -> None:
        self._program: Program | None = None
        with suppress(OSError):
            self._program = start_child(())

    def load(self, kinds: Collection[str]) -> None:
        """Lets the child load the drivers of these kinds."""
        if self._program is not None:
            _tell_kinds(self._program, kinds)

    def take(self) -> Program | None:
        """The child, which from now on belongs to who takes it; None once it is taken."""
        program, self._program = self._program, None
        return program

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        program = self.take()
        if program is not None:
            program.kill()
            program.close_pipes()


def _tell_kinds(program: Program, kinds: Collection[str]) -> None:
    """Lets a child that waits load the drivers of these kinds; nothing is answered."""
    with suppress(BrokenPipeError):
        program.stdin.write(json.dumps({"op": "prepare", "kinds": sorted(set(kinds))}).encode() + b"\n")
        program.stdin.flush()
