# What a merge would do to its dest, as rows that can be counted and looked at before. Plain records; no text of a kind.
"""`Foreseen` and `Foreseeing`: the part of a driver that tells it."""

from collections.abc import Mapping
from dataclasses import dataclass

from pipekit.drivers.facts import MergePlan
from pipekit.runner_contract import Statement


@dataclass(frozen=True, kw_only=True, slots=True)
class Rows:
    """Rows that a merge would write or remove: `source` is a query from its FROM on.

    With `held` a row of the dest stands in it, with `staged` a row of staging; both where one meets the other.
    """

    source: str
    held: bool = False
    staged: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Foreseen:
    """Rows by the names under which the merge counts them (`inserted`, `updated`, `deleted`, `matched`), summed.

    `held` and `staged` are what to select of either side, one expression for each column of the plan, the staged ones
    as the dest takes them. `before` prepares for looking, within the same transaction; it changes nothing but staging.
    """

    rows: Mapping[str, tuple[Rows, ...]]
    held: tuple[str, ...]
    staged: tuple[str, ...]
    before: tuple[Statement, ...] = ()
    count: str = "COUNT(*)"


class Foreseeing:
    """What a merge would do, without doing it."""

    def build_foreseen(self, plan: MergePlan) -> Foreseen:
        """The rows that `build_merge_sql` would delete, update and insert, by the same conditions."""
        raise NotImplementedError
