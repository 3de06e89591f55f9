# What a driver must know whose merge can make a dest's indexes anew. SQL text only, no I/O here.
"""`Rebuilding`, a part of `drivers.base.Driver`."""

from typing import ClassVar

from pipekit.drivers.facts import Rebuild
from pipekit.drivers.tables import TableName
from pipekit.runner_contract import Query


class Rebuilding:
    """A kind that always keeps them up leaves all of it as it is."""

    # The merge text knows `MergePlan.rebuild`.
    can_rebuild: ClassVar[bool] = False

    def find_rebuild(self, query: Query, table: TableName) -> Rebuild:
        """What a merge can make anew of a table's indexes, in one look; asked where `can_rebuild`."""
        raise NotImplementedError

    def tell_rebuilt(self, message: str) -> str:
        """What a database says of a key that comes twice while an index is made, in its words for a row that comes."""
        return message
