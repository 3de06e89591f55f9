# Which way the rows of a run take into its dest, and why that one. Decides, builds no SQL and moves nothing.
"""`choose_way`."""

from dataclasses import dataclass
from typing import Literal

from pipekit.drivers.base import MergePlan, TableFacts
from pipekit.drivers.facts import Swap
from pipekit.engine.context import RunContext
from pipekit.errors import RunFailed
from pipekit.models.expecting import list_expected

LOAD = "load"
MEND = "Use `load: auto` or `load: staged` on the module."


@dataclass(frozen=True, kw_only=True, slots=True)
class Loading:
    """How a dest is loaded: the way, why this one (a clause for people), and what is carried over by name.

    `swap` is what the dest's catalogue says of it where that is the way. With `freezes` rows that come `direct` can be
    seen by whoever sees the commit, whatever his snapshot. `detour` is told of many rows that are all staged first.
    """

    way: Literal["staged", "swap", "direct"] = "staged"
    why: str = ""
    carried: tuple[str, ...] = ()
    swap: Swap | None = None
    freezes: bool = False
    detour: str = ""


def choose_way(context: RunContext, merge: MergePlan, facts: TableFacts) -> Loading:
    """The way that the module asks for. Raises RunFailed (stage `plan`) for one that its dest cannot be loaded by."""
    asked = context.module.load
    if asked == "swap":
        return _choose_swap(context, merge, facts)
    if asked == "direct":
        return _choose_direct(context, merge, facts)
    return Loading(why="by the module's `load`" if asked == "staged" else "")


def _choose_swap(context: RunContext, merge: MergePlan, facts: TableFacts) -> Loading:
    """Whether another table may take the dest's place; a dest that the run makes has none yet."""
    driver, dest = context.dest_driver, merge.dest
    if not driver.can_swap:
        raise RunFailed(f"{driver.label} dests cannot be loaded by `load: swap`.", stage="plan", hint=MEND)
    if not context.runner.sees_values:
        message = "`load: swap` fills some columns of a table that has all of the dest's; jrunner fills all it finds."
        raise RunFailed(message, stage="plan", hint=f"{MEND[:-1]}, or Pipekit's own runner.")
    if merge.strategy != "full":
        message = f"`load: swap` puts a whole new table into the place of {dest}; {merge.strategy} keeps rows of it."
        raise RunFailed(message, stage="plan", hint=f"{MEND[:-1]}, or the strategy full.")
    if not facts.exists:
        return Loading(why="as this run makes the dest")
    swap = driver.find_swap(context.ask_dest(), dest)
    obstacles = [*swap.obstacles, *_list_casts(merge, swap)]
    if obstacles:
        message = f"No other table can take the place of {dest}: {'; '.join(obstacles)}."
        raise RunFailed(message, stage="plan", hint=f"{MEND} They keep the table.")
    return Loading(way="swap", why="by the module's `load`: swapped into place", carried=swap.carried, swap=swap)


def _choose_direct(context: RunContext, merge: MergePlan, facts: TableFacts) -> Loading:
    """What stands around the dest is looked at when that is settled."""
    driver = context.dest_driver
    if not driver.can_fill:
        raise RunFailed(f"{driver.label} dests cannot be loaded by `load: direct`.", stage="plan", hint=MEND)
    if merge.strategy != "full":
        message = f"`load: direct` empties {merge.dest} first; {merge.strategy} keeps rows of it."
        raise RunFailed(message, stage="plan", hint=f"{MEND[:-1]}, or the strategy full.")
    if next(list_expected(context.module), None):
        message = "`load: direct` loads without staging, which the module's `expect` looks at."
        raise RunFailed(message, stage="plan", hint=MEND)
    if not facts.exists:
        return Loading(why="as this run makes the dest")
    return Loading(way="direct", why="by the module's `load`: emptied and filled in one transaction")


def _list_casts(merge: MergePlan, swap: Swap) -> list[str]:
    """A column whose type changes after it was loaded cannot be one that others are computed from."""
    late = [column.dest.name for column in merge.columns if column.stage_type is not None]
    if not late or not swap.computed:
        return []
    told, computed = ", ".join(late), ", ".join(swap.computed)
    return [f"{told} must be compared with the type that the dest has, and {computed} may be computed from it"]


def note_loading(context: RunContext, loading: Loading) -> None:
    """The receipt's line on the way that was taken, where there is something to say."""
    if loading.why:
        carried = f"; carried over: {', '.join(loading.carried)}" if loading.carried else ""
        context.record.check(LOAD, True, f"{loading.way}, {loading.why}{carried}")
    if loading.swap and loading.swap.unfired:
        names = ", ".join(loading.swap.unfired)
        context.record.check("triggers", None, f"carried over and not fired, as a swap inserts no rows: {names}")
