# Versions of rows in PostgreSQL: how staged rows meet them, and when they differ. Pure text; knows no connection.
"""`build_versions`."""

from pipekit.drivers.base import MergePlan
from pipekit.drivers.postgresql.differing import build_differs
from pipekit.drivers.postgresql.joins import build_same_value, build_value, list_key_columns
from pipekit.drivers.postgresql.keeping import build_vanishing
from pipekit.drivers.postgresql.names import quote_identifier, quote_table
from pipekit.drivers.versions import VersionsText


def build_versions(plan: MergePlan) -> VersionsText:
    """Keys that are equal, with NULLs or without, in a form that can be hashed."""
    same = []
    for column in list_key_columns(plan):
        held, staged = f"d.{quote_identifier(column.dest.name)}", build_value(column)
        same.append(build_same_value(held, staged, column) if plan.null_keys else f"{held} = {staged}")
    return VersionsText(
        rows=build_vanishing(plan),
        staging=f"{quote_table(plan.staging)} AS s",
        same=" AND ".join(same),
        differs=build_differs(plan, "d", plan.key),
        values=[build_value(column) for column in plan.columns],
    )
