# What a cell of the matrix lets Pipekit do, and what the dest must hold before and after it. Does no harm.
"""`WORKS` by name."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipekit.models import Verify

# The source has these rows; the dest has others, some of them by the same numbers.
NEW = range(21, 61)
OLD = range(1, 41)

STAGES = (
    "claim", "watermark", "plan", "staging", "copy 0", "copy 50", "copy 100", "check",
    "merge", "commit", "hook", "finish",
)  # fmt: skip
BEFORE_MERGE = STAGES[: STAGES.index("merge")]

Kept = list[tuple[int, str]]


def make_all(numbers: Iterable[int], v: str) -> Kept:
    return [(number, v) for number in numbers]


@dataclass(frozen=True, kw_only=True)
class Work:
    """One kind of run. `after` is given what the source's rows say in `v`; rows are (id, v), sorted.

    `words` are what `pipekit` is told, `asked` what a server is asked for. `is_first` lets the module run once,
    undisturbed, before it. `adds` says that doing it twice is not the same as doing it once. `then` is the dest after
    the module's next plain run, where that is something else.
    """

    name: str
    options: Mapping[str, Any]
    after: Callable[[str], Kept]
    before: Kept = field(default_factory=lambda: make_all(OLD, "old"))
    words: tuple[str, ...] = ("run", "m")
    asked: Mapping[str, Any] = field(default_factory=dict)
    table: str = "id int, v text, pad text"
    stages: tuple[str, ...] = STAGES
    is_first: bool = False
    adds: bool = False
    then: Callable[[str], Kept] | None = None

    def next_after(self, v: str) -> Kept:
        """What the dest holds after the module's next plain run."""
        return (self.then or self.after)(v)


_KEYED = {"merge_key": "id"}
_KEPT_OLD = make_all(range(1, 21), "old")
_UNDO = {"merge_strategy": "upsert", "undo_runs": 3, **_KEYED}
_WITH_KEY = "id int primary key, v text, pad text"
_VERSIONS = (
    "id int, v text, pad text,"
    " valid_from timestamp default '2020-01-01', valid_to timestamp, current boolean default true"
)


def _only_new(v: str) -> Kept:
    return make_all(NEW, v)


def _with_old(v: str) -> Kept:
    return sorted([*_KEPT_OLD, *make_all(NEW, v)])


def _both(v: str) -> Kept:
    return sorted([*make_all(OLD, "old"), *make_all(NEW, v)])


def _no_stage(*left_out: str) -> tuple[str, ...]:
    return tuple(stage for stage in STAGES if stage not in left_out)


WORKS: Mapping[str, Work] = {
    work.name: work
    for work in (
        Work(name="full", options={"merge_strategy": "full"}, after=_only_new),
        Work(name="incremental", options={"merge_strategy": "incremental", **_KEYED}, after=_with_old),
        Work(name="append", options={"merge_strategy": "append"}, after=_both, adds=True),
        Work(name="upsert", options={"merge_strategy": "upsert", **_KEYED}, after=_with_old),
        Work(name="swap", options={"merge_strategy": "full", "load": "swap"}, after=_only_new),
        Work(
            name="direct",
            options={"merge_strategy": "full", "load": "direct"},
            after=_only_new,
            stages=_no_stage("staging", "check"),
        ),
        Work(name="snapshot", options={"merge_strategy": "snapshot", **_KEYED}, after=_both, table=_VERSIONS),
        Work(name="deletes", options={"merge_strategy": "upsert", "deletes": "hard", **_KEYED}, after=_only_new),
        Work(
            name="preview",
            options={"merge_strategy": "upsert", **_KEYED},
            after=lambda v: make_all(OLD, "old"),
            then=_with_old,
            words=("run", "m", "--preview"),
            asked={"preview": True},
            stages=_no_stage("merge", "commit", "hook", "finish"),
        ),
        Work(
            name="repair",
            options={"merge_strategy": "upsert", **_KEYED},
            before=sorted([*make_all(range(1, 41), "old"), *make_all(range(45, 61), "new")]),
            after=_with_old,
            words=("verify", "m", "--repair"),
            asked={"verify": Verify(repair=True)},
            table=_WITH_KEY,
            stages=("claim", "plan", "staging", "merge", "commit", "hook", "finish"),
        ),
        Work(
            name="undo",
            options=_UNDO,
            before=_with_old("new"),
            after=lambda v: make_all(OLD, "old"),
            then=_with_old,
            words=("undo", "1"),
            table=_WITH_KEY,
            stages=("claim", "merge", "commit"),
            is_first=True,
        ),
    )
}
