# What a merge in PostgreSQL would do, as rows to count and look at. Pure text, by the merge's own conditions.
"""`build_foreseen`."""

from collections.abc import Iterator

from pipekit.drivers.base import MergePlan
from pipekit.drivers.foreseen import Foreseen, Rows
from pipekit.drivers.postgresql.differing import build_differs
from pipekit.drivers.postgresql.joins import (
    NO_NESTED_LOOPS,
    build_index_choice,
    build_join_choice,
    build_value,
    name_dest,
)
from pipekit.drivers.postgresql.keeping import build_gone, build_known_pairs
from pipekit.drivers.postgresql.keyed import build_equal, build_null_staged, build_same, list_delete_sources
from pipekit.drivers.postgresql.names import quote_identifier, quote_table
from pipekit.runner_contract import Statement


def build_foreseen(plan: MergePlan) -> Foreseen:
    """By strategy; a swap and an emptied dest give up every row."""
    by_name: dict[str, list[Rows]] = {}
    for name, rows in _list_rows(plan):
        by_name.setdefault(name, []).append(rows)
    return Foreseen(
        rows={name: tuple(rows) for name, rows in by_name.items()},
        held=tuple(f"d.{quote_identifier(column.dest.name)}" for column in plan.columns),
        staged=tuple(build_value(column) for column in plan.columns),
        before=_prepare(plan),
    )


def _list_rows(plan: MergePlan) -> Iterator[tuple[str, Rows]]:
    dest, staging = f"{name_dest(plan)} AS d", f"{quote_table(plan.staging)} AS s"
    everything = Rows(source=f"FROM {staging}", staged=True)
    if plan.keeps and not plan.swap:
        yield from _list_kept(plan, dest, staging)
    elif plan.strategy == "full":
        yield "deleted", Rows(source=f"FROM {dest}", held=True)
        yield "inserted", everything
    elif plan.strategy == "append":
        yield "inserted", everything
    elif plan.strategy == "incremental" and not plan.leaves:
        for source in list_delete_sources(plan):
            yield "deleted", Rows(source=f"FROM {dest},\n{source}", held=True)
        yield "inserted", everything
    else:
        yield from _list_keyed(plan, dest, staging)


def _list_kept(plan: MergePlan, dest: str, staging: str) -> Iterator[tuple[str, Rows]]:
    if gone := build_gone(plan):
        yield "deleted", Rows(source=f"FROM {dest}\nWHERE {gone}", held=True)
    met = f"FROM {dest}, {staging}\nWHERE {build_known_pairs(plan)}"
    differs = f"\n  AND ({build_differs(plan, 'd', plan.row_key)})" if plan.leaves else ""
    yield "updated", Rows(source=f"{met}{differs}", held=True, staged=True)
    if plan.leaves:
        yield "matched", Rows(source=met, held=True, staged=True)
    new = f"SELECT n.ctid FROM {quote_table(plan.staging)} AS n EXCEPT SELECT s.ctid {met}"
    yield "inserted", Rows(source=f"FROM {staging}\nWHERE s.ctid IN ({new})", staged=True)


def _list_keyed(plan: MergePlan, dest: str, staging: str) -> Iterator[tuple[str, Rows]]:
    """The keys without a NULL, then, where NULLs match, those with one."""
    equal, null = build_equal(plan, ""), build_null_staged(plan)
    ways = [("", equal)]
    if plan.null_keys:
        ways = [(f"NOT ({null}) AND ", equal), (f"({null}) AND ", build_same(plan, ""))]
    for which, same in ways:
        met = f"FROM {dest}, {staging}\nWHERE {which}{same}"
        differs = f"\n  AND ({build_differs(plan, 'd', plan.key)})" if plan.leaves else ""
        yield "updated", Rows(source=f"{met}{differs}", held=True, staged=True)
        if plan.leaves and not plan.unique:
            yield "matched", Rows(source=met, held=True, staged=True)
        missing = f"NOT EXISTS (SELECT FROM {dest} WHERE {same})"
        yield "inserted", Rows(source=f"FROM {staging}\nWHERE {which}{missing}", staged=True)


def _prepare(plan: MergePlan) -> tuple[Statement, ...]:
    """The joins that the merge would be given too."""
    if plan.strategy == "append" or (plan.strategy == "full" and not plan.keeps):
        return ()
    if plan.strategy == "full":
        return (NO_NESTED_LOOPS,)
    if plan.leaves and plan.unique:
        return (build_index_choice(plan),)
    choice = build_join_choice(plan.dest)
    return (choice, NO_NESTED_LOOPS) if plan.null_keys else (choice,)
