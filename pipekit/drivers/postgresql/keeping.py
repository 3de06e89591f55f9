# What a merge in PostgreSQL does to rows that others refer to: keeping them, counting those that change. Pure text.
"""Rows that come again stay where they are; rows of other tables that would go along are counted first.

Update, delete and insert are one statement: foreign keys are checked, and act, when it has ended, so that a row may be
pointed at another one that only this statement brings. Its parts run in the order in which its last SELECT reads them:
what a row gives up is free for the next.
"""

from collections.abc import Iterable

from pipekit.drivers import vanishing
from pipekit.drivers.base import MergePlan
from pipekit.drivers.facts import Reference
from pipekit.drivers.postgresql.differing import build_differs
from pipekit.drivers.postgresql.joins import (
    NO_NESTED_LOOPS,
    build_counted,
    build_join_choice,
    build_same_value,
    build_value,
    is_written,
    name_dest,
)
from pipekit.drivers.postgresql.names import quote_identifier, quote_table
from pipekit.drivers.vanishing import VanishingText
from pipekit.runner_contract import Statement

_COUNTED = {"deleted": "gone", "updated": "kept", "inserted": "added"}


def build_keeping(plan: MergePlan, insert: str) -> tuple[Statement, ...]:
    """The merge of `full` and `incremental` that keeps rows; `insert` is the INSERT of all staged rows."""
    staging = quote_table(plan.staging)
    gone = build_gone(plan)
    # A trigger may leave a row as it is, so that it is not among the updated ones; where one fires, rows are looked at.
    known = plan.fires or plan.leaves
    there = "known" if known else "kept"
    parts = [
        f"gone AS (\n{_build_delete(plan, gone)}\n)" if gone else "gone AS (SELECT 1 WHERE false)",
        *([f"known AS (\n{_build_matched(plan)}\n)"] if known else []),
        f"kept AS (\n{_build_update(plan)}\n)",
        # By EXCEPT, whose cost grows with the rows whatever the planner believes.
        f"added AS (\n{insert}\nWHERE s.ctid IN (SELECT n.ctid FROM {staging} AS n EXCEPT SELECT row FROM {there})\n"
        "RETURNING 1\n)",
    ]
    before = f"SELECT pg_catalog.count(*) FROM {name_dest(plan)}"
    return (
        *((Statement(sql=before, name="before", value=True),) if plan.strategy == "full" else ()),
        NO_NESTED_LOOPS if plan.strategy == "full" else build_join_choice(plan.dest),
        *build_counted(", ".join(parts), _COUNTED | ({"matched": "known"} if plan.leaves else {})),
    )


def build_scope(plan: MergePlan, alias: str = "d") -> str:
    """Whether a dest row's merge key was staged."""
    return _build_staged_with(plan, plan.key, alias, plan.null_keys)


def build_known(plan: MergePlan, alias: str = "d") -> str:
    """Whether a dest row's row key was staged."""
    return _build_staged_with(plan, plan.row_key, alias, False)


def build_gone(plan: MergePlan) -> str:
    """A condition for the dest rows `d` that the merge deletes; `""` for none of them."""
    if plan.gone:
        return vanishing.build_gone(plan, build_scope(plan), "d", quote_identifier)
    if plan.strategy == "full":
        within = f"\nAND {plan.within}" if plan.within else ""
        return f"NOT {build_known(plan)}{within}" if plan.keeps else "true"
    if not plan.keeps:
        return build_scope(plan)
    # With the whole row key in the merge key a row whose key was staged is there again.
    return "" if set(plan.row_key) <= set(plan.key) else f"{build_scope(plan)}\nAND NOT {build_known(plan)}"


def build_vanishing(plan: MergePlan) -> VanishingText:
    """By an anti-join, whose cost grows with the rows whatever the planner believes."""
    dest = f"{name_dest(plan)} AS d"
    return VanishingText(
        dest=dest,
        alias="d",
        known=build_scope(plan),
        delete=lambda where: f"DELETE FROM {dest}\nWHERE {where}",
        update=lambda sets, where: f"UPDATE {dest}\nSET {sets}\nWHERE {where}",
        before=(build_join_choice(plan.dest),),
    )


def build_hold_sql(plan: MergePlan) -> str:
    """A foreign key's own check waits for either lock; rows can be locked by who may UPDATE, which keeping needs."""
    if not plan.keeps:
        return f"LOCK TABLE {name_dest(plan)} IN EXCLUSIVE MODE"
    gone = build_gone(plan)
    held = f"SELECT 1 FROM {name_dest(plan)} AS d\nWHERE {gone}\nFOR UPDATE OF d"
    return f"SELECT pg_catalog.count(*) FROM (\n{held}\n) AS held" if gone else ""


def build_children_sql(plan: MergePlan, reference: Reference) -> str:
    """How many rows of a child refer to dest rows that go; of an uncounted one, the dest rows."""
    gone = build_gone(plan)
    if not gone or (reference.root.is_own and plan.strategy == "full"):
        return ""
    if reference.uncounted:
        return f"SELECT pg_catalog.count(*) FROM {name_dest(plan)} AS d\nWHERE {gone}"
    # A row of the dest itself that is loaded anew, or goes as well, is no other row.
    others = f"\nAND {'' if plan.gone else 'NOT '}{build_scope(plan, 'c')}" if reference.is_own else ""
    child = name_dest(plan) if reference.is_own else quote_table(reference.child)
    found = _build_referring(plan, reference, "c", gone)
    return f"SELECT pg_catalog.count(*) FROM {child} AS c\nWHERE {found}{others}"


def build_moved_sql(plan: MergePlan, reference: Reference) -> str:
    """How many rows of a child refer to dest rows that stay under another value; of an uncounted one, the dest rows."""
    fed = [column for column in plan.columns if column.dest.name in reference.root.referred]
    held = ", ".join(f"d.{quote_identifier(column.dest.name)}" for column in fed)
    staged = ", ".join(build_value(column) for column in fed)
    key = plan.row_key if plan.keeps else plan.key
    match = _build_match(plan, key, "d", "s", plan.null_keys and not plan.keeps)
    moved = (
        f"EXISTS (SELECT FROM {quote_table(plan.staging)} AS s WHERE {match} AND ({held}) IS DISTINCT FROM ({staged}))"
    )
    if reference.uncounted:
        return f"SELECT pg_catalog.count(*) FROM {name_dest(plan)} AS d\nWHERE {moved}"
    child = name_dest(plan) if reference.is_own else quote_table(reference.child)
    return f"SELECT pg_catalog.count(*) FROM {child} AS c\nWHERE {_build_referring(plan, reference, 'c', moved)}"


def _build_referring(plan: MergePlan, reference: Reference, alias: str, condition: str) -> str:
    """Whether a row refers, perhaps through others, to a dest row `d` of a condition."""
    pairs = list(zip(reference.columns, reference.referred, strict=True))
    if reference.parent is None:
        equal = " AND ".join(f"d.{quote_identifier(b)} = {alias}.{quote_identifier(a)}" for a, b in pairs)
        return f"EXISTS (SELECT FROM {name_dest(plan)} AS d WHERE {equal}\nAND {condition})"
    inner = f"{alias}p"
    equal = " AND ".join(f"{inner}.{quote_identifier(b)} = {alias}.{quote_identifier(a)}" for a, b in pairs)
    parent = quote_table(reference.parent.child)
    further = _build_referring(plan, reference.parent, inner, condition)
    return f"EXISTS (SELECT FROM {parent} AS {inner} WHERE {equal}\nAND {further})"


def _build_staged_with(plan: MergePlan, key: Iterable[str], alias: str, nulls: bool) -> str:
    return f"EXISTS (SELECT FROM {quote_table(plan.staging)} AS k WHERE {_build_match(plan, key, alias, 'k', nulls)})"


def _build_match(plan: MergePlan, key: Iterable[str], dest: str, staged: str, nulls: bool) -> str:
    """Equality by a key; with `nulls` a NULL equals a NULL."""
    by_name = {column.dest.name: column for column in plan.columns}
    pairs = [(f"{dest}.{quote_identifier(n)}", build_value(by_name[n], staged), by_name[n]) for n in key]
    if nulls:
        return " AND ".join(build_same_value(held, value, column) for held, value, column in pairs)
    return " AND ".join(f"{held} = {value}" for held, value, _ in pairs)


def _build_delete(plan: MergePlan, gone: str) -> str:
    return f"DELETE FROM {name_dest(plan)} AS d\nWHERE {gone}\nRETURNING 1"


def _build_update(plan: MergePlan) -> str:
    """Which staged rows were there, by their place in staging."""
    assigned = [
        f"{quote_identifier(c.dest.name)} = {build_value(c)}" for c in plan.columns if is_written(c, plan.row_key)
    ]
    if not assigned:
        return f"{_build_matched(plan)}{' AND false' if plan.leaves else ''}"
    sets, staging = ", ".join(assigned), f"{quote_table(plan.staging)} AS s"
    differs = f"\n  AND ({build_differs(plan, 'd', plan.row_key)})" if plan.leaves else ""
    where = f"FROM {staging}\nWHERE {build_known_pairs(plan)}{differs}\nRETURNING s.ctid AS row"
    return f"UPDATE {name_dest(plan)} AS d\nSET {sets}\n{where}"


def _build_matched(plan: MergePlan) -> str:
    """The same, without touching them."""
    tables = f"{name_dest(plan)} AS d, {quote_table(plan.staging)} AS s"
    return f"SELECT s.ctid AS row FROM {tables}\nWHERE {build_known_pairs(plan)}"


def build_known_pairs(plan: MergePlan) -> str:
    """Whether a dest row `d` is the staged row `s` come again."""
    match = _build_match(plan, plan.row_key, "d", "s", False)
    if plan.strategy != "incremental":
        return match
    if set(plan.row_key) <= set(plan.key):
        return _build_match(plan, plan.key, "d", "s", plan.null_keys)
    return f"{match}\nAND {build_scope(plan)}"
