# What a run tells whoever listens while it goes on. Knows nothing of who that is.
"""Events of a run, handed to a listener in the thread that runs it; those of a group run one at a time."""

from collections.abc import Callable
from dataclasses import dataclass

from pipekit.models import Run, Stage, Verified


@dataclass(frozen=True, slots=True)
class Waiting:
    """The run waits in the queue for a slot."""

    run_id: int


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run of a group was claimed and begins."""

    run: Run


@dataclass(frozen=True, slots=True)
class StageStarted:
    """The run entered a stage."""

    run_id: int
    stage: Stage


@dataclass(frozen=True, slots=True)
class RowsMoved:
    """Rows that have passed so far."""

    run_id: int
    rows: int


@dataclass(frozen=True, slots=True)
class RowsExpected:
    """How many rows the source thinks that there are."""

    run_id: int
    rows: int


@dataclass(frozen=True, slots=True)
class LogLine:
    """Text that went into the live log, secrets masked."""

    run_id: int
    text: str


@dataclass(frozen=True, slots=True)
class RunFinished:
    """The run ended; its record is final."""

    run: Run


@dataclass(frozen=True, slots=True)
class RowsCompared:
    """What a comparison found, values included: whoever listens may read the rows."""

    run_id: int
    found: Verified


Event = Waiting | RunStarted | StageStarted | RowsMoved | RowsExpected | LogLine | RunFinished | RowsCompared
Listener = Callable[[Event], None]
