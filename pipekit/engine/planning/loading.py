# Which way the rows of a run take into its dest, and why that one. Decides, builds no SQL and moves nothing.
"""`choose_way`."""

from dataclasses import dataclass
from typing import Literal

from pipekit.engine.context import RunContext
from pipekit.errors import RunFailed

LOAD = "load"
_NOT_YET = ("swap", "direct")


@dataclass(frozen=True, kw_only=True, slots=True)
class Loading:
    """How a dest is loaded: the way, why this one (a clause for people), and what is carried over by name."""

    way: Literal["staged", "swap", "direct"] = "staged"
    why: str = ""
    carried: tuple[str, ...] = ()


def choose_way(context: RunContext) -> Loading:
    """The way that the module asks for. Raises RunFailed (stage `plan`) for one that its dest cannot be loaded by."""
    asked = context.module.load
    if asked in _NOT_YET:
        kind = context.dest_driver.label
        message = f"{kind} dests cannot be loaded by `load: {asked}`."
        raise RunFailed(message, stage="plan", hint="Use `load: auto` or `load: staged` on the module.")
    why = "by the module's `load`" if asked == "staged" else ""
    return Loading(why=why)


def note_loading(context: RunContext, loading: Loading) -> None:
    """The receipt's line on the way that was taken, where there is something to say."""
    if loading.why:
        context.record.check(LOAD, True, f"{loading.way}, {loading.why}")
