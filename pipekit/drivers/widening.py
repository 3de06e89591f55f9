# A column of a dest that gets a wider type where it stands. Pure text; knows no kind.
"""`Widening`, a part of `drivers.base.Driver`."""

from pipekit.drivers.tables import TableColumn, TableName


class Widening:
    """A kind that cannot, or whose types bind no value, changes none."""

    def build_widen_sql(self, table: TableName, column: TableColumn) -> tuple[str, ...]:
        """Gives a column that is there the type of this one, which holds all that it holds; none where it cannot."""
        return ()
