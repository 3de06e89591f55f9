# Which rows are compared: the whole, or a range of keys, the last days, a sample; as conditions of both databases.
"""`find_bounds`."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation

from pipekit.drivers.base import Driver, MergePlan, StagedColumn
from pipekit.engine.context import RunContext
from pipekit.engine.planning.naming import find_named
from pipekit.errors import RunFailed
from pipekit.models import Verify

_NUMBERS = frozenset({"int16", "int32", "int64", "decimal", "float32", "float64"})
_WHOLE = frozenset({"int16", "int32", "int64"})
_MOMENTS = {"date": "%Y-%m-%d", "timestamp": "%Y-%m-%d %H:%M:%S", "timestamptz": "%Y-%m-%d %H:%M:%S+00:00"}
# A prime, so that keys in steps meet all its remainders, and what spreads neighbours evenly over them.
_PARTS = 9973
_SPREAD = 6163


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounds:
    """Conditions by columns without an alias, `""` for all rows.

    `told` is a clause for people, `sampled` the percentage of a sample.
    """

    source: str = ""
    dest: str = ""
    told: str = ""
    sampled: float | None = None


def find_bounds(context: RunContext, merge: MergePlan, asked: Verify) -> Bounds:
    """The rows that are asked for. Raises RunFailed (stage `plan`) for bounds that cannot be said in both databases."""
    found = [
        _bound_key(context, merge, asked),
        _bound_days(context, merge, asked),
        _bound_sample(context, merge, asked),
    ]
    used = [bounds for bounds in found if bounds]
    return Bounds(
        source=" AND ".join(bounds.source for bounds in used),
        dest=" AND ".join(bounds.dest for bounds in used),
        told=", ".join(bounds.told for bounds in used),
        sampled=asked.sample,
    )


def _bound_key(context: RunContext, merge: MergePlan, asked: Verify) -> Bounds | None:
    ends = [(sign, text) for sign, text in ((">=", asked.key_from), ("<=", asked.key_to)) if text is not None]
    if not ends:
        return None
    column = _find_key_column(merge, "A range of keys")
    told = " and ".join(f"{column.dest.name} {sign} {text}" for sign, text in ends)
    return _bound(context, column, ends, told)


def _bound_days(context: RunContext, merge: MergePlan, asked: Verify) -> Bounds | None:
    if asked.last_days is None:
        return None
    name = find_named(context.dest_driver, asked.column or "", [item.dest.name for item in merge.columns])
    column = next((item for item in merge.columns if item.dest.name == name), None)
    if column is None:
        message = f"The last {asked.last_days} days are counted in a column of the dest that the query feeds"
        raise RunFailed(f"{message}; '{asked.column}' is none.", stage="plan", hint="Name one with `--column`.")
    kind = context.dest_driver.to_neutral(column.dest.under or column.dest.type).name
    if kind not in _MOMENTS:
        message = f"The column '{name}' is {column.dest.type}: only of a date or a time it is known which days it has."
        raise RunFailed(message, stage="plan", hint="Name another with `--column`, or bound by `--key-from`.")
    since = (datetime.now(UTC) - timedelta(days=asked.last_days)).strftime(_MOMENTS[kind])
    return _bound(context, column, [(">=", since)], f"{name} >= {since}")


def _bound_sample(context: RunContext, merge: MergePlan, asked: Verify) -> Bounds | None:
    """By the remainder of a whole number; which remainders, changes with the run."""
    if asked.sample is None:
        return None
    column = _find_key_column(merge, "A sample")
    kinds = {context.dest_driver.to_neutral(column.dest.under or column.dest.type).name}
    kinds.add(context.source_driver.to_neutral(column.source.type).name)
    if not kinds <= _WHOLE:
        message = (
            f"A sample is taken by the key's first column, and '{column.dest.name}' is no whole number on both sides."
        )
        raise RunFailed(message, stage="plan", hint="Bound by `--key-from` and `--key-to` instead.")
    first, least = context.run.id * 7919 % _PARTS, max(1, round(_PARTS * asked.sample / 100))

    def build(driver: Driver, name: str) -> str:
        rest = driver.build_remainder(driver.quote_identifier(name), _PARTS)
        spread = f"({rest} * {_SPREAD} + {_PARTS * _SPREAD + first})"
        return f"{driver.build_remainder(spread, _PARTS)} < {least}"

    source, dest = context.source_driver, context.dest_driver
    return Bounds(
        source=build(source, column.source.name),
        dest=build(dest, column.dest.name),
        told=f"in a sample of {asked.sample:g} %",
    )


def _find_key_column(merge: MergePlan, what: str) -> StagedColumn:
    key = merge.key or merge.row_key
    column = next((item for item in merge.columns if item.dest.name == (key[0] if key else "")), None)
    if column is None:
        message = f"{what} needs a key, and {merge.dest} has no unique key that the query feeds."
        raise RunFailed(message, stage="plan", hint="Compare all rows, or bound by `--last-days` and `--column`.")
    return column


def _bound(context: RunContext, column: StagedColumn, ends: list[tuple[str, str]], told: str) -> Bounds:
    source, dest = context.source_driver, context.dest_driver
    return Bounds(
        source=_build_ends(source, column.source.name, column.source.type, ends),
        dest=_build_ends(dest, column.dest.name, column.dest.under or column.dest.type, ends),
        told=told,
    )


def _build_ends(driver: Driver, name: str, type_text: str, ends: list[tuple[str, str]]) -> str:
    column, kind = driver.quote_identifier(name), driver.to_neutral(type_text).name
    return " AND ".join(f"{column} {sign} {_build_literal(driver, kind, text)}" for sign, text in ends)


def _build_literal(driver: Driver, kind: str, text: str) -> str:
    """Numbers without quotes, as not every database compares them with texts."""
    if kind not in _NUMBERS:
        return driver.quote_literal(text)
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise RunFailed(f"The key is a number, and '{text}' is none.", stage="plan", hint="Give a number.")
    return f"{number:f}"
