# What the first rows of a table say under each reading of a column that has several. Knows no form.
"""`read_samples`: the source itself is asked, as it will be for the module."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipekit.drivers.base import TableColumn, TableName
from pipekit.engine.looking.look import Look
from pipekit.errors import PipekitError

ROWS = 3
# Each is a query of its own, so that one that fails says nothing of the others; a person waits.
MOST_COLUMNS = 12
LONGEST = 40


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """One reading of a column: its label and the first values under it, None for NULL."""

    label: str
    values: tuple[str | None, ...]


def read_samples(look: Look, table: TableName, columns: Sequence[TableColumn]) -> dict[str, list[Sample]]:
    """The samples of each column with several readings; a reading that the source refuses says so."""
    several = [column for column in columns if look.driver.list_casts(column)][:MOST_COLUMNS]
    return {column.name: _read_column(look, table, column) for column in several}


def _read_column(look: Look, table: TableName, column: TableColumn) -> list[Sample]:
    plain = look.driver.quote_identifier(column.name)
    readings = [("as it is", plain), *((cast.label, cast.expression) for cast in look.driver.list_casts(column))]
    return [Sample(label=label, values=_read(look, table, expression)) for label, expression in readings]


def _read(look: Look, table: TableName, expression: str) -> tuple[str | None, ...]:
    sql = f"SELECT {expression} FROM {look.driver.quote_table(table)}"
    try:
        rows = look.query(look.driver.build_preview_sql(sql, ROWS)).rows
    except PipekitError as error:
        return (f"refused: {error.message.splitlines()[0][:120]}",)
    return tuple(row[0] and row[0][:LONGEST] for row in rows)
