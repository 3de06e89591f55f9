# What SQL says of a load on both of its sides, where a runner lets nobody see the values. Knows no process.
"""Counts, sums, least and greatest values and lengths of the source's rows, held against those in staging.

Equal figures are no proof that every value is the same; the receipt calls them what they are.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Literal

from pipekit.drivers.base import Driver, StagedColumn, TableName
from pipekit.engine.context import RunContext
from pipekit.engine.planning.plan import Plan
from pipekit.errors import StatementFailed

Figure = Literal["rows", "values", "sum", "least", "greatest", "bytes"]
Verdict = Literal["same", "near", "differs", "unknown"]

_NUMBERS = frozenset({"int16", "int32", "int64", "decimal"})
# Added up they depend on the order, and some databases add them up in their own few digits.
_FLOATS = frozenset({"float32", "float64"})
_MOMENTS = frozenset({"date", "timestamp"})
_FUNCTIONS: dict[Figure, str] = {"values": "COUNT", "least": "MIN", "greatest": "MAX"}
_WORDS: dict[Figure, str] = {
    "values": "number of values",
    "least": "least value",
    "greatest": "greatest value",
    "bytes": "length",
}
# Sums of floating point numbers depend on the order they are added in; a share of what is added up.
_NOISE = Decimal("1e-13")
# What is left out when a database cannot tell it of a column: types of the source are not known.
_LEVELS: tuple[frozenset[Figure], ...] = (
    frozenset({"rows", "values", "sum", "least", "greatest", "bytes"}),
    frozenset({"rows", "values", "sum", "least", "greatest"}),
    frozenset({"rows", "values", "least", "greatest"}),
    frozenset({"rows", "values"}),
    frozenset({"rows"}),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Measure:
    """One figure of one column; of all rows where `column` is None."""

    figure: Figure
    column: StagedColumn | None = None

    def __str__(self) -> str:
        if self.column is None:
            return "the number of rows"
        return f"the {_WORDS.get(self.figure, self.figure)} of '{self.column.dest.name}'"


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """The figures of the source's rows, as text, their number first; without any, `why` says what stood in the way."""

    measures: tuple[Measure, ...] = ()
    cells: tuple[str | None, ...] = ()
    why: str = ""


ROWS: Sequence[Measure] = (Measure(figure="rows"),)


def measure_source(context: RunContext, plan: Plan, wanted: Sequence[Measure] = ()) -> Measured:
    """As much as the source can tell of the rows that its query gives now: what is wanted, or all there is."""
    names = [item.source.name for item in plan.merge.columns]
    if "" in names or len(set(names)) < len(names):
        return Measured(why="the query's columns have no names of their own")
    wanted = wanted or _choose(context, plan)
    why = ""
    for level in _LEVELS:
        measures = tuple(measure for measure in wanted if measure.figure in level)
        try:
            found = context.runner.query(context.source, _build_source_sql(context.source_driver, plan, measures))
        except StatementFailed as error:
            if error.transient:
                raise
            why = error.message
        else:
            return Measured(measures=measures, cells=found.rows[0])
    return Measured(why=f"the source could not tell: {why}")


def measure_staging(context: RunContext, plan: Plan, measures: Sequence[Measure]) -> tuple[str | None, ...]:
    """The same figures of the rows that have arrived."""
    return _measure_table(context, plan.merge.staging, measures)


def measure_dest(context: RunContext, plan: Plan, measures: Sequence[Measure]) -> tuple[str | None, ...]:
    """The same of what the dest holds."""
    return _measure_table(context, plan.merge.dest, measures)


def _measure_table(context: RunContext, table: TableName, measures: Sequence[Measure]) -> tuple[str | None, ...]:
    driver = context.dest_driver
    chosen = ", ".join(_express(driver, item, item.column.dest.name if item.column else "") for item in measures)
    return context.ask_dest()(f"SELECT {chosen} FROM {driver.quote_table(table)}").rows[0]


def compare(measured: Measured, staged: Sequence[str | None]) -> list[tuple[Measure, Verdict]]:
    """What each figure of the source says of the one in staging."""
    rows = _read_number(measured.cells[0] if measured.cells else None) or Decimal(0)
    extent = _find_extents(measured)
    return [
        (measure, _judge(measure.figure, one, two, rows * extent.get(id(measure.column), Decimal(0))))
        for measure, one, two in zip(measured.measures, measured.cells, staged, strict=True)
    ]


def describe(plan: Plan, found: Sequence[tuple[Measure, Verdict]], sides: str = "source and staging") -> str:
    """`the same in source and staging: rows, values, ...`: what was compared, and what was not.

    `sides` says which two were.
    """
    told: dict[str, list[str]] = {}
    for measure, verdict in found:
        if measure.column and measure.figure != "values" and verdict in ("same", "near"):
            name = measure.column.dest.name + (" (to 13 digits)" if verdict == "near" else "")
            told.setdefault(name, []).append(measure.figure)
    columns = [f"{', '.join(figures)} of {name}" for name, figures in told.items()]
    compared = {name.removesuffix(" (to 13 digits)") for name in told}
    left = [item.dest.name for item in plan.merge.columns if item.dest.name not in compared]
    counted = "rows and values that are not NULL" if any(m.figure == "values" for m, _ in found) else "rows"
    unseen = f". Only counted: {', '.join(left)}" if left else ""
    return f"the same in {sides}: {'; '.join([counted, *columns])}{unseen}"


def _choose(context: RunContext, plan: Plan) -> list[Measure]:
    measures = [Measure(figure="rows")]
    if context.module.guards.exactness:
        for column in plan.merge.columns:
            measures += [Measure(figure=figure, column=column) for figure in _list_figures(context, column)]
    return measures


def _list_figures(context: RunContext, column: StagedColumn) -> Iterator[Figure]:
    """By the type in staging: jrunner tells none of the source's."""
    name = context.dest_driver.to_neutral(column.stage_type or column.dest.under or column.dest.type).name
    yield "values"
    if name in _NUMBERS:
        yield "sum"
    if name in _NUMBERS | _FLOATS | _MOMENTS:
        yield from ("least", "greatest")
    both_count = context.source_driver.build_bytes_sum("x") and context.dest_driver.build_bytes_sum("x")
    if name == "text" and both_count and not context.module.trim_char:
        yield "bytes"


def _build_source_sql(driver: Driver, plan: Plan, measures: Sequence[Measure]) -> str:
    chosen = [_express(driver, item, item.column.source.name if item.column else "") for item in measures]
    return driver.build_select_sql(plan.source_sql, chosen)


def _express(driver: Driver, measure: Measure, name: str) -> str:
    if not name:
        return "COUNT(*)"
    value = driver.quote_identifier(name)
    if measure.figure == "sum":
        return driver.build_sum(value)
    if measure.figure == "bytes":
        return driver.build_bytes_sum(value)
    return f"{_FUNCTIONS[measure.figure]}({value})"


def _find_extents(measured: Measured) -> dict[int, Decimal]:
    """The largest absolute value of each column of numbers, by the column's identity."""
    extents: dict[int, Decimal] = {}
    for measure, cell in zip(measured.measures, measured.cells, strict=True):
        number = _read_number(cell)
        if measure.figure in ("least", "greatest") and number is not None:
            extents[id(measure.column)] = max(abs(number), extents.get(id(measure.column), Decimal(0)))
    return extents


def _judge(figure: Figure, one: str | None, two: str | None, added_up: Decimal) -> Verdict:
    """`added_up` is about what the column's values come to, were none negative."""
    if one == two:
        return "same"
    if one is None or two is None:
        return "unknown"
    numbers = _read_number(one), _read_number(two)
    if numbers[0] is not None and numbers[1] is not None:
        apart = abs(numbers[0] - numbers[1])
        is_float = "." in one or "e" in one.lower()
        noise = _NOISE * (added_up if figure == "sum" else abs(numbers[0])) if is_float else 0
        return "same" if not apart else "near" if apart <= noise else "differs"
    moments = _read_moment(one), _read_moment(two)
    if moments[0] is None or moments[1] is None or (moments[0].tzinfo is None) != (moments[1].tzinfo is None):
        return "unknown"
    return "same" if moments[0] == moments[1] else "differs"


def _read_number(text: str | None) -> Decimal | None:
    try:
        number = Decimal((text or "").strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _read_moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError:
        return None
