# What a driver must know whose dest can be loaded by putting another table into its place. SQL text only, no I/O here.
"""`Swapping`, a part of `drivers.base.Driver`."""

from typing import ClassVar

from pipekit.drivers.facts import MergePlan, Swap
from pipekit.drivers.tables import TableName
from pipekit.runner_contract import Query


class Swapping:
    """A kind that cannot swap leaves all of it as it is.

    The merge of a plan with a `swap` counts 1 under `arrived` if the table has rows, for what a crash has taken.
    """

    can_swap: ClassVar[bool] = False

    def find_swap(self, query: Query, table: TableName) -> Swap:
        """What is in the way of a table that would take this one's place, and what comes along; in one query."""
        raise NotImplementedError

    def build_swap_table_sql(self, plan: MergePlan) -> tuple[str, ...]:
        """In place of `build_staging_sql`: drops and makes the table with all of the dest's columns.

        What it needs of the dest else may wait until the rows are there.
        """
        raise NotImplementedError

    def build_fitting_sql(self, plan: MergePlan) -> tuple[str, ...]:
        """Gives the table, loaded and checked, the dest's constraints, indexes and statistics, in one transaction."""
        raise NotImplementedError

    def name_fitted(self, plan: MergePlan, text: str) -> str:
        """An error's text in which that table and its indexes are called as they will be."""
        return text
