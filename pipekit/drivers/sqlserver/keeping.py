# What a merge in SQL Server does to rows that others refer to: keeping them, counting those that change. Pure text.
"""Rows that come again stay where they are; rows of other tables that would go along are counted first.

Foreign keys and unique keys are checked statement by statement. What is deleted first frees its keys for the others;
but where the dest refers to itself, a row may point at one that is only coming, or away from one that is going: then
new rows come first and old ones go last.
"""

from pipekit.drivers import vanishing
from pipekit.drivers.base import MergePlan
from pipekit.drivers.facts import Reference
from pipekit.drivers.sqlserver.exact import build_identity
from pipekit.drivers.sqlserver.joins import (
    build_differs,
    build_known,
    build_match,
    build_scope,
    build_value,
    list_written,
)
from pipekit.drivers.sqlserver.names import quote_identifier, quote_table
from pipekit.drivers.sqlserver.types import parse_type
from pipekit.drivers.vanishing import VanishingText
from pipekit.drivers.versions import VersionsText
from pipekit.runner_contract import Statement

Statements = tuple[Statement, ...]


def build_keeping(plan: MergePlan, update: Statements, insert: Statements) -> Statements:
    """The merge of `full` and `incremental` that keeps rows, of its parts; the first part of `update` counts."""
    dest, gone = quote_table(plan.dest), build_gone(plan)
    before: Statements = ()
    if plan.strategy == "full":
        count = f"SELECT COUNT_BIG(*) FROM {dest} WITH (TABLOCKX, HOLDLOCK)"
        before = (Statement(sql=count, name="before", value=True),)
    delete: Statements = ()
    if gone:
        delete = (Statement(sql=f"DELETE d FROM {dest} AS d WITH (HOLDLOCK)\nWHERE {gone}", name="deleted"),)
    if any(reference.is_own for reference in plan.referring):
        return (*before, update[0], *insert, *update[1:], *delete)
    return (*before, *delete, *update, *insert)


def build_gone(plan: MergePlan) -> str:
    """A condition for the dest rows `d` that the merge deletes; `""` for none of them."""
    if plan.gone:
        return vanishing.build_gone(plan, build_scope(plan), "d", quote_identifier)
    if plan.strategy == "full":
        return f"NOT {build_known(plan)}" if plan.keeps else "1 = 1"
    if not plan.keeps:
        return build_scope(plan)
    # With the whole row key in the merge key a row whose key was staged is there again.
    return "" if set(plan.row_key) <= set(plan.key) else f"{build_scope(plan)}\nAND NOT {build_known(plan)}"


def build_vanishing(plan: MergePlan) -> VanishingText:
    """Keys that were looked for stay locked, so that none of them comes meanwhile."""
    dest = f"{quote_table(plan.dest)} AS d"
    return VanishingText(
        dest=dest,
        alias="d",
        known=build_scope(plan),
        delete=lambda where: f"DELETE d FROM {dest} WITH (HOLDLOCK)\nWHERE {where}",
        update=lambda sets, where: f"UPDATE d SET {sets}\nFROM {dest} WITH (HOLDLOCK)\nWHERE {where}",
    )


def build_versions(plan: MergePlan) -> VersionsText:
    """How staged rows meet versions, and when they differ."""
    written = list_written(plan, plan.key)
    return VersionsText(
        rows=build_vanishing(plan),
        staging=f"{quote_table(plan.staging)} AS s",
        same=build_match(plan, plan.key, nulls=plan.null_keys),
        differs=build_differs(written) if written else "1 = 0",
        values=[build_value(column) for column in plan.columns],
    )


def build_hold_sql(plan: MergePlan) -> str:
    """A foreign key's own check waits for an exclusive lock of a table or a page; that of a row it may not look at."""
    dest, gone = quote_table(plan.dest), build_gone(plan)
    if plan.strategy == "full":
        return f"SELECT TOP (1) 1 FROM {dest} WITH (TABLOCKX, HOLDLOCK)"
    return f"SELECT COUNT_BIG(*) FROM {dest} AS d WITH (XLOCK, PAGLOCK, HOLDLOCK)\nWHERE {gone}" if gone else ""


def build_children_sql(plan: MergePlan, reference: Reference) -> str:
    """How many rows of a child refer to dest rows that go; of an uncounted one, the dest rows."""
    gone = build_gone(plan)
    if not gone or (reference.root.is_own and plan.strategy == "full"):
        return ""
    if reference.uncounted:
        return f"SELECT COUNT_BIG(*) FROM {quote_table(plan.dest)} AS d\nWHERE {gone}"
    # A row of the dest itself that is loaded anew, or goes as well, is no other row.
    others = f"\nAND {'' if plan.gone else 'NOT '}{build_scope(plan, 'c')}" if reference.is_own else ""
    found = _build_referring(plan, reference, "c", gone)
    return f"SELECT COUNT_BIG(*) FROM {quote_table(reference.child)} AS c\nWHERE {found}{others}"


def build_moved_sql(plan: MergePlan, reference: Reference) -> str:
    """How many rows of a child refer to dest rows that stay under another value; of an uncounted one, the dest rows."""
    columns = [column for column in plan.columns if column.dest.name in reference.root.referred]
    types = [parse_type(column.dest.type) for column in columns]
    pairs = list(zip(columns, types, strict=True))
    held = ", ".join(build_identity(f"d.{quote_identifier(c.dest.name)}", type_) for c, type_ in pairs)
    staged = ", ".join(build_identity(build_value(c), type_) for c, type_ in pairs)
    key = plan.row_key if plan.keeps else plan.key
    match = build_match(plan, key, nulls=plan.null_keys and not plan.keeps)
    moved = (
        f"EXISTS (\n  SELECT 1 FROM {quote_table(plan.staging)} AS s\n"
        f"  WHERE {match} AND EXISTS (SELECT {held} EXCEPT SELECT {staged})\n)"
    )
    if reference.uncounted:
        return f"SELECT COUNT_BIG(*) FROM {quote_table(plan.dest)} AS d\nWHERE {moved}"
    found = _build_referring(plan, reference, "c", moved)
    return f"SELECT COUNT_BIG(*) FROM {quote_table(reference.child)} AS c\nWHERE {found}"


def _build_referring(plan: MergePlan, reference: Reference, alias: str, condition: str) -> str:
    """Whether a row refers, perhaps through others, to a dest row `d` of a condition."""
    pairs = list(zip(reference.columns, reference.referred, strict=True))
    target = "d" if reference.parent is None else f"{alias}p"
    equal = " AND ".join(f"{target}.{quote_identifier(b)} = {alias}.{quote_identifier(a)}" for a, b in pairs)
    if reference.parent is None:
        return f"EXISTS (SELECT 1 FROM {quote_table(plan.dest)} AS d WHERE {equal}\nAND {condition})"
    parent = quote_table(reference.parent.child)
    further = _build_referring(plan, reference.parent, target, condition)
    return f"EXISTS (SELECT 1 FROM {parent} AS {target} WHERE {equal}\nAND {further})"
