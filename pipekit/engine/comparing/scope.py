# What equal means for a module: which rows its query gives, and which of the dest's are held against them.
"""`look_only`, `resolve_whole` and `Scope`."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pipekit.drivers.base import MergePlan
from pipekit.engine.comparing.vanished import find_gone, tell
from pipekit.engine.context import RunContext
from pipekit.engine.watermarks.resolve import resolve_watermarks
from pipekit.errors import RunFailed
from pipekit.models import Module


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """`whole` holds all rows of the dest against the query's, else those of its keys; rows that the dest has beyond
    them stay where `keeps_extra` (by the strategy) and are no difference. `told` is a sentence for people.
    """

    whole: bool
    keeps_extra: bool
    told: str


def look_only(module: Module, *, mends: bool = False) -> Module:
    """The module as it is planned where nothing is to be loaded, or only what differs (`mends`).

    Raises RunFailed for one that keeps versions.
    """
    if module.merge_strategy == "snapshot":
        message = "A dest that keeps versions of rows cannot be compared with a source that has the current ones alone."
        hint = "Compare a view of the current ones, by a module of its own."
        raise RunFailed(message, stage="plan", hint=hint)
    guards = module.guards if mends else replace(module.guards, atomic=False)
    return replace(module, load="staged", create_table=False, drift="stop", guards=guards)


def resolve_whole(context: RunContext, overrides: Mapping[str, str]) -> Mapping[str, str]:
    """The watermarks' values; where rows stay in the dest, those of a first run: its query gives all they came from.

    A watermark without a default has its value of now.
    """
    values = dict(overrides)
    if context.module.merge_strategy != "full":
        marks = [bound.watermark for bound in context.watermarks]
        values |= {mark.name: mark.default_value for mark in marks if mark.default_value is not None}
        values |= overrides
        context.watermarks = tuple(bound for bound in context.watermarks if bound.watermark.name not in values)
    return resolve_watermarks(context, values)


def find_scope(merge: MergePlan, bounded: str, values: Mapping[str, str]) -> Scope:
    """By the strategy; `bounded` is the clause of bounds, `values` the watermarks' values.

    Raises RunFailed (stage `plan`) for a strategy of which nobody can say what the dest must hold.
    """
    if merge.strategy not in ("full", "incremental", "append", "upsert"):
        message = f"{merge.dest} holds more than its source does: the strategy {merge.strategy} keeps what was."
        raise RunFailed(message, stage="plan", hint="Only modules of the other strategies can be verified.")
    within = f" where {bounded}" if bounded else ""
    with_values = ", ".join(f"{name} = {value}" for name, value in values.items())
    query = f"the query's rows{f' ({with_values})' if with_values else ''}{within}"
    if merge.strategy == "full":
        return Scope(whole=True, keeps_extra=False, told=f"{query} with all rows of {merge.dest}{within}")
    by_key = merge.key or merge.row_key
    if by_key:
        told = f"{query} with those of {merge.dest} that have their {', '.join(by_key)}{tell(find_gone(merge))}"
        return Scope(whole=False, keeps_extra=True, told=f"{told}; {merge.strategy} leaves others where they are")
    told = f"whether each of {query} is in {merge.dest}, as often; append leaves others where they are"
    return Scope(whole=True, keeps_extra=True, told=told)
