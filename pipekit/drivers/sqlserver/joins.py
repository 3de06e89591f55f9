# How staging and dest are joined in SQL Server: staged values as the dest takes them, and keys. Pure text.
"""What the checks, the merge and the looks around it share."""

from collections.abc import Iterable

from pipekit.drivers.base import MergePlan, StagedColumn
from pipekit.drivers.sqlserver.exact import build_identity
from pipekit.drivers.sqlserver.names import quote_identifier, quote_table
from pipekit.drivers.sqlserver.types import TEXTS, build_cast, parse_type


def get_stage_type(column: StagedColumn) -> str:
    """The type of a staging column."""
    return column.dest.type if column.stage_type is None else column.stage_type


def build_staged(column: StagedColumn, alias: str = "s") -> str:
    """A value as it is staged."""
    return f"{alias}.{quote_identifier(column.dest.name)}"


def build_value(column: StagedColumn, alias: str = "s") -> str:
    """A staged value as the dest takes it."""
    staged = build_staged(column, alias)
    return staged if column.stage_type is None else build_cast(staged, column.stage_type, column.dest.type)


def list_columns(plan: MergePlan, names: Iterable[str]) -> list[StagedColumn]:
    """The columns of these names, in this order."""
    by_name = {column.dest.name: column for column in plan.columns}
    return [by_name[name] for name in names]


def build_match(plan: MergePlan, key: Iterable[str], dest: str = "d", staged: str = "s", *, nulls: bool = False) -> str:
    """The same key. A plain `=` can use an index, and so can INTERSECT, for which a NULL is a NULL."""
    columns = list_columns(plan, key)
    if not nulls:
        return " AND ".join(f"{dest}.{quote_identifier(c.dest.name)} = {build_value(c, staged)}" for c in columns)
    held = ", ".join(f"{dest}.{quote_identifier(c.dest.name)}" for c in columns)
    return f"EXISTS (SELECT {held} INTERSECT SELECT {', '.join(build_value(c, staged) for c in columns)})"


def build_scope(plan: MergePlan, alias: str = "d") -> str:
    """Whether a dest row's merge key was staged."""
    match = build_match(plan, plan.key, alias, "k", nulls=plan.null_keys)
    return f"EXISTS (SELECT 1 FROM {quote_table(plan.staging)} AS k WHERE {match})"


def build_known(plan: MergePlan, alias: str = "d") -> str:
    """Whether a dest row's row key was staged."""
    match = build_match(plan, plan.row_key, alias, "k")
    return f"EXISTS (SELECT 1 FROM {quote_table(plan.staging)} AS k WHERE {match})"


def build_row_match(plan: MergePlan) -> str:
    """Whether a dest row `d` and a staged row `s` are the same row, for a merge that keeps rows."""
    if plan.strategy == "full":
        return build_match(plan, plan.row_key)
    if set(plan.row_key) <= set(plan.key):
        return build_match(plan, plan.key, nulls=plan.null_keys)
    return f"{build_match(plan, plan.row_key)}\n  AND {build_scope(plan)}"


def is_text(column: StagedColumn) -> bool:
    """A text key may be equal and yet not the same: 'a' meets 'A' under most collations."""
    return parse_type(column.dest.type).base in TEXTS


def list_written(plan: MergePlan, key: tuple[str, ...]) -> list[StagedColumn]:
    """The columns that an update of rows known by a key writes."""
    return [c for c in plan.columns if c.dest.name not in key or is_text(c)]


def build_differs(columns: Iterable[StagedColumn]) -> str:
    """Whether a dest row `d` and a staged row `s` differ in one of these columns."""
    columns = list(columns)
    there = ", ".join(build_identity(f"d.{quote_identifier(c.dest.name)}", parse_type(c.dest.type)) for c in columns)
    staged = ", ".join(build_identity(build_value(c), parse_type(c.dest.type)) for c in columns)
    return f"EXISTS (SELECT {staged} EXCEPT SELECT {there})"
