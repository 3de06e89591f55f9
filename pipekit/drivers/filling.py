# What a driver must know whose dests can be filled in other ways than row by row. SQL text only, no I/O here.
"""`Filling`, a part of `drivers.base.Driver`: indexes that are made anew, rows that need no staging, searches."""

from collections.abc import Sequence
from typing import ClassVar

from pipekit.drivers.facts import MergePlan, Rebuild
from pipekit.drivers.tables import StagedColumn, TableName
from pipekit.runner_contract import Query, Statement


class Filling:
    """A kind that knows neither leaves all of it as it is."""

    # The merge text knows `MergePlan.rebuild`.
    can_rebuild: ClassVar[bool] = False
    # A load can go on in the transaction that has emptied the dest; asks for `can_rebuild`.
    can_fill: ClassVar[bool] = False
    # The SQLSTATE of a lock that others hold.
    busy_state: ClassVar[str] = ""

    def estimate_rows(self, query: Query, sql: str) -> int | None:
        """How many rows the source expects of a query, asked without running it; None where it does not tell."""
        return None

    def list_query_tables(self, query: Query, sql: str) -> tuple[TableName, ...] | None:
        """The tables that a query reads, views looked through, without running it; None where the kind cannot tell."""
        return None

    def find_rebuild(self, query: Query, table: TableName) -> Rebuild:
        """What a merge can make anew of a table's indexes, in one look; asked where `can_rebuild`."""
        raise NotImplementedError

    def may_search_apart(self, query: Query, plan: MergePlan, rows: int) -> bool:
        """Whether what differs of so many staged rows is best looked for by itself first (`MergePlan.apart`)."""
        return False

    def build_proof_sql(self, plan: MergePlan) -> str:
        """What is refused where a key is staged twice, quicker than those are counted; `""` where there is no such."""
        return ""

    def tell_rebuilt(self, message: str) -> str:
        """What a database says of a key that comes twice while an index is made, in its words for a row that comes."""
        return message

    def build_emptying_sql(self, plan: MergePlan) -> tuple[Statement, ...]:
        """Before the rows that come without staging: their turn, the counts `before` and `deleted`, an empty dest.

        Of a plan that is `blank` only the turn and `before`, which is refused unless it is 0.
        """
        raise NotImplementedError

    def build_filled_sql(self, plan: MergePlan) -> tuple[Statement, ...]:
        """Behind those rows, in the same transaction; of a plan that is `blank` with the count `deleted`."""
        raise NotImplementedError

    # The rows of a large load can go on into the dest behind those that were staged; asks for `can_rebuild`, and the
    # merge text knows `MergePlan.filled`.
    can_go_on: ClassVar[bool] = False

    def find_onward_obstacle(self, query: Query) -> str:
        """Why rows had better not come into a dest while they are read, a clause; `""` where nobody would notice."""
        raise NotImplementedError

    def build_onward_sql(self, plan: MergePlan) -> tuple[Statement, ...]:
        """The first part of a merge: what was staged goes into the dest, and more rows may follow."""
        raise NotImplementedError

    def list_filled(self, columns: Sequence[StagedColumn]) -> tuple[str, ...]:
        """Dest columns in which the dest itself, but not staging, would put a value in place of a NULL."""
        raise NotImplementedError
