# What the first rows of a table say under each reading of a column that has several. Knows no form.
"""`read_readings`: the source itself is asked, as it will be for the module."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipekit.drivers.base import Cast, TableColumn, TableName
from pipekit.drivers.datenumbers import judge, tell
from pipekit.engine.looking.look import Look
from pipekit.errors import PipekitError

ROWS = 3
# By which is judged whether numbers may be dates.
JUDGED_ROWS = 200
# Each reading is a query of its own, so that one that fails says nothing of the others; a person waits.
MOST_COLUMNS = 12
LONGEST = 40


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """One reading of a column: its label and the first values under it, None for NULL."""

    label: str
    values: tuple[str | None, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Readings:
    """The other readings of a column that are offered, the first values under each, and what the values were."""

    casts: tuple[Cast, ...]
    samples: tuple[Sample, ...]
    told: tuple[str, ...] = ()


def read_readings(look: Look, table: TableName, columns: Sequence[TableColumn]) -> dict[str, Readings]:
    """What is offered for each column; a reading that the source refuses says so."""
    judged = _judge(look, table, [column for column in columns if any(c.form for c in look.driver.list_casts(column))])
    found: dict[str, Readings] = {}
    for column in columns:
        casts, told = judged.get(column.name, (tuple(c for c in look.driver.list_casts(column) if not c.form), ()))
        if casts and len(found) < MOST_COLUMNS:
            found[column.name] = Readings(casts=casts, samples=_read_samples(look, table, column, casts), told=told)
    return found


def _judge(
    look: Look, table: TableName, columns: Sequence[TableColumn]
) -> dict[str, tuple[tuple[Cast, ...], tuple[str, ...]]]:
    """Of each column the readings as dates that all values of a sample fit, and what these values were."""
    if not columns:
        return {}
    names = ", ".join(look.driver.quote_identifier(column.name) for column in columns)
    sql = f"SELECT {names} FROM {look.driver.quote_table(table)}"
    try:
        rows = look.query(look.driver.build_preview_sql(sql, JUDGED_ROWS)).rows
    except PipekitError:
        return {column.name: ((), ()) for column in columns}
    return {
        column.name: _choose(look.driver.list_casts(column), [row[place] for row in rows])
        for place, column in enumerate(columns)
    }


def _choose(casts: Sequence[Cast], cells: Sequence[str | None]) -> tuple[tuple[Cast, ...], tuple[str, ...]]:
    chosen, told = [], {}
    for cast in casts:
        assert cast.form is not None
        judged = judge(cast.form, cells)
        if judged.fits and (judged.nines or not cast.for_nines):
            chosen.append(cast)
            told[cast.form] = tell(cast.form, judged)
    return tuple(chosen), tuple(told.values())


def _read_samples(look: Look, table: TableName, column: TableColumn, casts: Sequence[Cast]) -> tuple[Sample, ...]:
    plain = look.driver.quote_identifier(column.name)
    readings = [("as it is", plain), *((cast.label, cast.expression) for cast in casts)]
    return tuple(Sample(label=label, values=_read(look, table, expression)) for label, expression in readings)


def _read(look: Look, table: TableName, expression: str) -> tuple[str | None, ...]:
    sql = f"SELECT {expression} FROM {look.driver.quote_table(table)}"
    try:
        rows = look.query(look.driver.build_preview_sql(sql, ROWS)).rows
    except PipekitError as error:
        return (f"refused: {error.message.splitlines()[0][:120]}",)
    return tuple(row[0] and row[0][:LONGEST] for row in rows)
