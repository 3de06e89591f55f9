# What a merge in SQL Server would do, as rows to count and look at. Pure text, by the merge's own conditions.
"""`build_foreseen`."""

from collections.abc import Mapping

from pipekit.drivers.base import MergePlan
from pipekit.drivers.foreseen import Foreseen, Rows
from pipekit.drivers.sqlserver.joins import build_differs, build_match, build_row_match, build_value, list_written
from pipekit.drivers.sqlserver.keeping import build_gone
from pipekit.drivers.sqlserver.names import quote_identifier, quote_table


def build_foreseen(plan: MergePlan) -> Foreseen:
    """No lock is kept: what others do meanwhile is not waited for, and not kept from happening after the look."""
    return Foreseen(
        rows=_list_rows(plan),
        held=tuple(f"d.{quote_identifier(column.dest.name)}" for column in plan.columns),
        staged=tuple(build_value(column) for column in plan.columns),
        count="COUNT_BIG(*)",
    )


def _list_rows(plan: MergePlan) -> Mapping[str, tuple[Rows, ...]]:
    dest, staging = f"{quote_table(plan.dest)} AS d", f"{quote_table(plan.staging)} AS s"
    all_staged = {"inserted": (Rows(source=f"FROM {staging}", staged=True),)}
    if plan.strategy == "append":
        return all_staged
    gone = build_gone(plan) if plan.strategy != "upsert" else ""
    deleted = {"deleted": (Rows(source=f"FROM {dest}\nWHERE {gone}", held=True),)} if gone else {}
    if plan.strategy in ("full", "incremental") and not plan.keeps:
        return deleted | all_staged
    same = build_row_match(plan) if plan.keeps else build_match(plan, plan.key, nulls=plan.null_keys)
    met = f"FROM {dest}\nJOIN {staging} ON {same}"
    written = list_written(plan, plan.row_key if plan.keeps else plan.key)
    differs = (build_differs(written) if written else "1 = 0") if plan.leaves else ""
    rows = {
        "updated": Rows(source=f"{met}\nWHERE {differs}" if differs else met, held=True, staged=True),
        "inserted": Rows(source=f"FROM {staging}\nWHERE NOT EXISTS (SELECT 1 FROM {dest} WHERE {same})", staged=True),
    }
    if plan.leaves:
        rows["matched"] = Rows(source=met, held=True, staged=True)
    return deleted | {name: (found,) for name, found in rows.items()}
