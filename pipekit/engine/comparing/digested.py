# Source and dest told apart by sums of hashes that both databases make at once, before a row moves.
"""`digest`: the buckets in which two sides differ."""

from collections.abc import Iterable
from dataclasses import dataclass

from pipekit.drivers.comparing import Digests
from pipekit.engine.comparing.staged import Comparison
from pipekit.engine.context import RunContext
from pipekit.runner_contract import QueryResult


@dataclass(frozen=True, kw_only=True, slots=True)
class Digested:
    """Rows of both sides, and conditions for those in buckets that differ; none differ where `is_equal`.

    `rows` are as many as the source has in them.
    """

    rows_source: int
    rows_dest: int
    rows: int
    is_equal: bool
    source: str
    dest: str
    means: str


def digest(context: RunContext, comparison: Comparison) -> Digested | None:
    """None where this is no way to compare the two."""
    plan, bounds = comparison.plan, comparison.bounds
    if context.module.trim_char or not context.runner.sees_values:
        return None
    digests = context.dest_driver.build_digests(context.source.kind, plan.merge, context.run.id)
    settled = digests and _settle(context, digests, bounds.dest)
    if settled is None:
        return None
    first = (settled.build_prepare(), settled.build_test())
    source, dest = (
        settled.build("source", plan.source_sql, bounds.source),
        settled.build("dest", plan.source_sql, bounds.dest),
    )
    one, two = context.runner.look_both(context.source, (*first, source), context.dest, (*first, dest))
    if one[1].first_cell() != two[1].first_cell():
        context.record.log("the two servers make different hashes of the same values; rows are staged and compared\n")
        return None
    return _compare(settled, one[2], two[2])


def _settle(context: RunContext, digests: Digests, condition: str) -> Digests | None:
    source, dest = digests.build_facts("source", ""), digests.build_facts("dest", condition)
    one, two = context.runner.look_both(context.source, source, context.dest, dest)
    return digests.settle([found.rows[0] for found in one], [found.rows[0] for found in two])


def _compare(digests: Digests, source: QueryResult, dest: QueryResult) -> Digested:
    """Packs of buckets that are the same text are the same; the others are opened."""
    one, two = _read_packs(source), _read_packs(dest)
    differing: set[int] = set()
    rows = 0
    for pack in one.keys() | two.keys():
        if one.get(pack) == two.get(pack):
            continue
        ours, theirs = _open(one.get(pack)), _open(two.get(pack))
        for bucket in ours.keys() | theirs.keys():
            if ours.get(bucket) != theirs.get(bucket):
                differing.add(bucket)
                rows += ours.get(bucket, (0, ""))[0]
    buckets = sorted(differing)
    return Digested(
        rows_source=_count(one.values()),
        rows_dest=_count(two.values()),
        rows=rows,
        is_equal=not buckets,
        source=digests.build_within("source", buckets),
        dest=digests.build_within("dest", buckets),
        means=digests.describe(),
    )


def _read_packs(found: QueryResult) -> dict[str | None, str | None]:
    return {row[0]: row[1] for row in found.rows}


def _open(text: str | None) -> dict[int, tuple[int, str]]:
    """The rows and the sum of each bucket of a pack."""
    parts = (item.split(":") for item in (text or "").split())
    return {int(number): (int(rows), total) for number, rows, total in parts}


def _count(packs: Iterable[str | None]) -> int:
    return sum(int(item.split(":", 2)[1]) for pack in packs for item in (pack or "").split())
