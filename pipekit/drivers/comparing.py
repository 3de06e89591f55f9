# Staged rows held against a dest's, row by row and value by value: what is asked, in SQL. Pure text; knows no kind.
"""`Comparing`, a part of `drivers.base.Driver`, and `CompareSql`, what it gives."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from pipekit.drivers.bags import Bags
from pipekit.drivers.facts import MergePlan


@dataclass(frozen=True, kw_only=True, slots=True)
class CompareSql:
    """Queries on a dest whose staging table is filled.

    Each has one row but `rows`: `staged` and `held` how many rows count on either side, `counts` how many are missing
    in the dest, extra there, and there with another value under the same key. `rows` gives what differs in the order of
    the key: the values of `names` (the first `keys` are the key), as text of the dest's own, and how many more of them
    are staged (less than 0: in the dest). Without a key rows are compared whole: each as often here as there.
    `left_out` are fed columns whose values this database does not compare.
    """

    names: tuple[str, ...]
    keys: int
    staged: str
    held: str
    counts: str
    rows: str
    left_out: tuple[str, ...] = ()


Side = Literal["source", "dest"]


class BucketRange(NamedTuple):
    """Keys from `low` to `high`, cut into ranges of 2 to the power of `shift`."""

    low: int
    high: int
    shift: int


class Digests(ABC):
    """Sums of hashes of a query's rows and of the dest's, in buckets, made by the two databases themselves.

    `condition` is one of columns without an alias, `""` for all rows.
    """

    @abstractmethod
    def build_facts(self, side: Side, condition: str) -> tuple[str, ...]:
        """What must be known of a side first, a row each."""

    @abstractmethod
    def settle(self, source: Sequence[Sequence[str | None]], dest: Sequence[Sequence[str | None]]) -> "Digests | None":
        """The digests by the facts of both; None where hashes would not mean the same on both sides."""

    @abstractmethod
    def build_prepare(self) -> str:
        """Stands before the others in their transaction."""

    @abstractmethod
    def build_test(self) -> str:
        """One cell, the same in both where their hashes are."""

    @abstractmethod
    def build(self, side: Side, query: str, condition: str) -> str:
        """Rows of a number and a text of buckets, in order: `number:rows:sum number:rows:sum ...`."""

    @abstractmethod
    def build_within(self, side: Side, buckets: Sequence[int]) -> str:
        """Whether a row is in one of these buckets."""

    @abstractmethod
    def describe(self) -> str:
        """By which means, as a clause for people."""


class Comparing:
    """A kind that cannot compare rows leaves all of it as it is."""

    def build_remainder(self, value: str, divisor: int) -> str:
        """What is left of a whole number; of one below 0 it may be below 0."""
        return f"MOD({value}, {divisor})"

    def read_compared(self, text: str | None, type_text: str) -> str | None:
        """A value of `CompareSql.rows`, of a column of this type, as a person reads it."""
        return text

    def build_bags(self, plan: MergePlan) -> Bags | None:
        """Staged rows against the dest's: all of them for `full`, of a keyed plan those of the staged keys.

        Their key is the plan's, or else its `row_key`. None where the kind cannot tell.
        """
        return None

    def build_digests(self, source_kind: str, plan: MergePlan, seed: int) -> Digests | None:
        """How rows that a query gives in another database are told apart from the dest's there; None where not."""
        return None

    def build_comparison(
        self, plan: MergePlan, *, whole: bool = False, within: str = "", staged_within: str = ""
    ) -> CompareSql | None:
        """What a plan's staged rows are against the dest's; with `whole` against all of them, whatever the strategy.

        `within` is a further condition for the dest's rows, `staged_within` for the staged ones, by columns without an
        alias. None where the kind cannot tell.
        """
        bags = self.build_bags(replace(plan, strategy="full") if whole else plan)
        if bags is None:
            return None
        scope = " AND ".join(filter(None, (bags.scope, within)))
        bags = replace(bags, scope=scope, staged_scope=staged_within)
        fed = (column.dest.name for column in plan.columns)
        return CompareSql(
            names=tuple(bags.names),
            keys=bags.keys,
            staged=f"SELECT COUNT(*) FROM {bags.staged_rows}",
            held=f"SELECT COUNT(*) FROM {bags.held_rows}",
            counts=build_counts(bags),
            rows=_build_rows(bags),
            left_out=tuple(name for name in fed if name not in bags.names),
        )


def bound_select(select: str, condition: str) -> str:
    """A query that `build_select_sql` has made, of the rows of a condition; it stands before what ends the query."""
    head, name, tail = select.rpartition("pipekit_query")
    return f"{head}{name}\nWHERE {condition}{tail}"


def build_counts(bags: Bags) -> str:
    """Of each key the rows that only one side has; as many of them as both have are the same row, changed."""
    key = bags.places[: bags.keys] or bags.places
    grouped = ", ".join(f"b.{place}" for place in key)
    lacks, more = "SUM(CASE WHEN b.n > 0 THEN b.n ELSE 0 END)", "SUM(CASE WHEN b.n < 0 THEN -b.n ELSE 0 END)"
    by_key = f"SELECT {grouped}, {lacks} AS lacks, {more} AS more FROM (\n{bags.build_difference()}\n) b"
    both = "CASE WHEN g.lacks < g.more THEN g.lacks ELSE g.more END"
    sums = ", ".join(f"COALESCE(SUM({value}), 0)" for value in (f"g.lacks - {both}", f"g.more - {both}", both))
    return f"SELECT {sums} FROM (\n{by_key}\nGROUP BY {grouped}\n) g"


def _build_rows(bags: Bags) -> str:
    chosen = ", ".join(f"b.{place}" for place in bags.places)
    order = _list_order(bags.places, bags.keys)
    return f"SELECT {chosen}, b.n FROM (\n{bags.build_difference()}\n) b\nORDER BY {order}"


def _list_order(places: Sequence[str], keys: int) -> str:
    return ", ".join(f"b.{place}" for place in (places[:keys] or places)) + ", b.n DESC"
