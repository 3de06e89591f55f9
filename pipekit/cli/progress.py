# What is seen of a run while it goes on: a live line on a terminal, plain lines elsewhere. Knows events only.
"""`show_progress`: a context manager that gives a listener for `run_module`."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from pipekit.cli.text import format_count
from pipekit.engine.events import Event, Listener, RowsMoved, StageStarted

PLAIN_EVERY_S = 10.0
Say = Callable[[str], None]


class _State:
    """What a run has told so far, and since when."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.started = clock()
        self.stage = "claim"
        self.stage_started = self.started
        self.rows = 0

    def take(self, event: Event) -> bool:
        """Notes an event; True when the stage changed."""
        if isinstance(event, StageStarted):
            changed = event.stage != self.stage
            if changed:
                self.stage, self.stage_started, self.rows = event.stage, self._clock(), 0
            return changed
        if isinstance(event, RowsMoved):
            self.rows = event.rows
        return False

    def describe(self) -> str:
        """`stage  120 000 rows  40 000 rows/s  3 s`."""
        now = self._clock()
        parts = [self.stage]
        if self.rows:
            spent_s = max(now - self.stage_started, 0.001)
            parts += [f"{format_count(self.rows)} rows", f"{format_count(round(self.rows / spent_s))} rows/s"]
        return "  ".join([*parts, format_elapsed(now - self.started)])


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

    def __init__(self, say: Say, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._say = say
        self._name = name
        self._clock = clock
        self._state = _State(clock)
        self._said = clock()

    def on_event(self, event: Event) -> None:
        """A listener for the engine."""
        changed = self._state.take(event)
        if changed or (isinstance(event, RowsMoved) and self._clock() - self._said >= PLAIN_EVERY_S):
            self._said = self._clock()
            self._say(f"{self._name}: {self._state.describe()}")


class _Live(Protocol):
    def __enter__(self) -> Any: ...

    def __exit__(self, *_: Any) -> None: ...


def _open_live(name: str, state: _State) -> _Live:
    from rich.console import Console
    from rich.live import Live
    from rich.spinner import Spinner
    from rich.text import Text

    spinner = Spinner("dots")

    def render() -> Spinner:
        spinner.update(text=Text(f"{name}  {state.describe()}", no_wrap=True, overflow="ellipsis"))
        return spinner

    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    return Live(get_renderable=render, console=console, transient=True, refresh_per_second=8, redirect_stdout=False)


@contextmanager
def show_progress(say: Say, name: str, *, quiet: bool = False) -> Iterator[Listener | None]:
    """Gives the listener to hand to the engine, None when nothing is to be seen. Writes to standard error only."""
    if quiet:
        yield None
    elif sys.stderr.isatty():
        state = _State()
        with _open_live(name, state):
            yield lambda event: _ignore(state.take(event))
    else:
        yield PlainProgress(say, name).on_event


def _ignore(_: bool) -> None:
    return None
