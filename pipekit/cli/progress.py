# What is seen of a run while it goes on: a live line on a terminal, plain lines elsewhere. Knows events only.
"""`show_progress` and `show_group_progress`: context managers that give a listener for the engine."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from pipekit.cli.text import format_count
from pipekit.engine.events import (
    Event,
    Listener,
    RowsExpected,
    RowsMoved,
    RunFinished,
    RunStarted,
    StageStarted,
    Waiting,
)
from pipekit.engine.progress import Moment, Progress, Usual, measure_progress, round_rows, tell_left
from pipekit.models import Run

PLAIN_EVERY_S = 10.0
WAITING = "waiting for a slot ..."
Say = Callable[[str], None]


class _State:
    """What a run has told so far, and since when; `usual` is what its module's good loads took."""

    def __init__(self, usual: Usual | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._usual = usual
        self.started = clock()
        self.stage = "claim"
        self.stage_started = self.started
        self.rows: int | None = None
        self.expected: int | None = None
        self.stages: dict[str, float] = {}

    def take(self, event: Event) -> bool:
        """Notes an event; True when there is something new to say: another stage, or that it waits."""
        if isinstance(event, Waiting):
            self.stage = WAITING
            return True
        if isinstance(event, StageStarted):
            changed = event.stage != self.stage
            if changed:
                now = self._clock()
                self.stages[self.stage] = self.stages.get(self.stage, 0.0) + now - self.stage_started
                self.stage, self.stage_started = event.stage, now
                self.rows = None if event.stage == "stage" else self.rows
            return changed
        if isinstance(event, RowsExpected):
            self.expected = event.rows
        if isinstance(event, RowsMoved):
            self.rows = event.rows
        return False

    def describe(self) -> str:
        """`stage  38 %  120 000 of about 310 000 rows  40 000 rows/s  about 10 s left  3 s`."""
        now = self._clock()
        if self.stage == WAITING:
            return WAITING
        found = measure_progress(self._get_moment(now), self._usual)
        return "  ".join([self.stage, *_tell_progress(found, self.stage), format_elapsed(now - self.started)])

    def _get_moment(self, now: float) -> Moment:
        return Moment(
            stages=self.stages,
            stage=self.stage,
            stage_s=now - self.stage_started,
            rows=self.rows,
            rows_expected=self.expected,
        )


def _tell_progress(found: Progress, stage: str) -> list[str]:
    """What is known of it; in other stages than that of the rows these are past."""
    parts = []
    if found.share is not None:
        parts.append(f"{int(found.share * 100)} %{' of its rows' if found.of_reading else ''}")
    if found.rows and stage == "stage":
        whole = f" of about {format_count(round_rows(found.expected))}" if found.expected else ""
        parts.append(f"{format_count(found.rows)}{whole} rows")
        parts += [f"{format_count(round(found.rows_per_s))} rows/s"] if found.rows_per_s else []
    if found.left_s is not None:
        parts.append(f"about {tell_left(found.left_s)} left")
    return parts


def format_elapsed(seconds: float) -> str:
    """`7 s`, `1:04`, `2:03:04`."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


class PlainProgress:
    """A line for each stage, and one at most every ten seconds within it."""

    def __init__(
        self, say: Say, name: str, usual: Usual | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._say = say
        self._name = name
        self._clock = clock
        self._state = _State(usual, clock)
        self._said = clock()

    def on_event(self, event: Event) -> None:
        """A listener for the engine."""
        is_new = self._state.take(event)
        if is_new or (isinstance(event, RowsMoved) and self._clock() - self._said >= PLAIN_EVERY_S):
            self._said = self._clock()
            self._say(f"{self._name}: {self._state.describe()}")


class _Live(Protocol):
    def start(self) -> None: ...

    def stop(self) -> None: ...

    def __enter__(self) -> Any: ...

    def __exit__(self, *_: Any) -> None: ...


def _open_live(describe: Callable[[], str]) -> _Live:
    from rich.console import Console
    from rich.live import Live
    from rich.spinner import Spinner
    from rich.text import Text

    spinner = Spinner("dots")

    def render() -> Spinner:
        spinner.update(text=Text(describe(), no_wrap=True, overflow="ellipsis"))
        return spinner

    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    return Live(get_renderable=render, console=console, transient=True, refresh_per_second=8, redirect_stdout=False)


@contextmanager
def show_progress(say: Say, name: str, usual: Usual | None = None, *, quiet: bool = False) -> Iterator[Listener | None]:
    """Gives the listener to hand to the engine, None when nothing is to be seen. Writes to standard error only."""
    if quiet:
        yield None
    elif sys.stderr.isatty():
        state = _State(usual)
        with _open_live(lambda: f"{name}  {state.describe()}"):
            yield lambda event: _ignore(state.take(event))
    else:
        yield PlainProgress(say, name, usual).on_event


def _ignore(_: bool) -> None:
    return None


class _GroupProgress:
    """The runs of a group that go on, by id. Its listener is called by one thread at a time."""

    def __init__(self, name: str, on_finished: Callable[[Run], None], usual: Mapping[int, Usual] | None) -> None:
        self._name = name
        self._usual = usual or {}
        self._on_finished = on_finished
        self._runs: dict[int, tuple[str, _State]] = {}
        self._plain: dict[int, PlainProgress] = {}
        self._waits = False

    def take(self, event: Event) -> None:
        """Notes an event."""
        self._waits = isinstance(event, Waiting)
        if isinstance(event, RunStarted):
            self._runs[event.run.id] = (event.run.module, _State(self._usual.get(event.run.module_id or 0)))
        elif isinstance(event, RunFinished):
            self._runs.pop(event.run.id, None)
        elif event.run_id in self._runs:
            self._runs[event.run_id][1].take(event)

    def describe(self) -> str:
        """What goes on, on one line."""
        running = [f"{module}  {state.describe()}" for module, state in list(self._runs.values())]
        return "   ".join(running) or (f"{self._name}  {WAITING}" if self._waits else self._name)

    def show_live(self, live: _Live, event: Event) -> None:
        """For a terminal: the line makes room where a run has something to print."""
        self.take(event)
        if isinstance(event, RunFinished):
            live.stop()
            self._on_finished(event.run)
            live.start()

    def show_plain(self, say: Say, event: Event) -> None:
        """Lines as a single run has them."""
        if isinstance(event, RunStarted):
            self._plain[event.run.id] = PlainProgress(say, event.run.module, self._usual.get(event.run.module_id or 0))
        elif isinstance(event, RunFinished):
            self._on_finished(event.run)
        elif isinstance(event, Waiting):
            say(f"{self._name}: {WAITING}")
        elif event.run_id in self._plain:
            self._plain[event.run_id].on_event(event)


@contextmanager
def show_group_progress(
    say: Say,
    name: str,
    on_finished: Callable[[Run], None],
    usual: Mapping[int, Usual] | None = None,
    *,
    quiet: bool = False,
) -> Iterator[Listener]:
    """Gives the listener for a group run; `on_finished` gets each run that ends. Writes to standard error only.

    `usual` is what the good loads of modules took, by their ids.
    """
    progress = _GroupProgress(name, on_finished, usual)
    if quiet:
        yield lambda event: on_finished(event.run) if isinstance(event, RunFinished) else None
    elif sys.stderr.isatty():
        live = _open_live(progress.describe)
        with live:
            yield lambda event: progress.show_live(live, event)
    else:
        yield lambda event: progress.show_plain(say, event)
