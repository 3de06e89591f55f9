# What a module expects of its rows, asked of staging before the merge. Knows a plan, changes nothing.
"""`check_expected`: every line is asked, and those that do not hold are told together."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipekit.drivers.base import StagedColumn
from pipekit.engine.context import RunContext
from pipekit.engine.planning.naming import find_named
from pipekit.engine.planning.plan import Plan
from pipekit.errors import RunFailed, StatementFailed
from pipekit.models.expecting import Expected, list_expected
from pipekit.runner_contract import QueryResult

_NAME = "expect"
_HINT = "See the rows in the source; `expect` of the module says what they must be like."
# Rows that are shown of each line, and columns of a row; a query's rows are counted up to here.
SHOWN, _MOST_COLUMNS, _MOST_COUNTED = 3, 8, 1_000
_LONGEST_CELL = 100
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


@dataclass(frozen=True, slots=True)
class _Broken:
    """A line that does not hold: how many rows, or keys, and some of them."""

    line: Expected
    count: str
    what: str
    shown: str

    def __str__(self) -> str:
        return f"{self.line}\n  {self.count} {self.what}, for example {self.shown}"


def check_expected(context: RunContext, plan: Plan) -> None:
    """Raises RunFailed (stage `check`) with every line that does not hold, its rows counted and some shown."""
    lines = list(list_expected(context.module))
    if not lines:
        return
    broken = [found for line in lines if (found := _ask(context, plan, line))]
    if not broken:
        told = f"{len(lines)} lines hold" if len(lines) > 1 else f"its line holds ({lines[0]})"
        context.record.check(_NAME, True, told)
        return
    first = (
        f"{len(broken)} of {len(lines)} lines of `expect` do not hold: {'; '.join(str(item.line) for item in broken)}."
    )
    context.record.check(_NAME, False, first)
    raise RunFailed("\n".join([first, *map(str, broken)]), stage="check", hint=_HINT)


def _ask(context: RunContext, plan: Plan, line: Expected) -> _Broken | None:
    try:
        if line.sort == "sql":
            return _ask_query(context, plan, line)
        columns = [_find_column(context, plan, line, name) for name in line.columns]
        return (
            _ask_unique(context, plan, line, columns)
            if line.sort == "unique"
            else _ask_rows(context, plan, line, columns[0])
        )
    except StatementFailed as error:
        error.message = f"`expect` could not be asked ({line}): {error.message}"
        raise


def _find_column(context: RunContext, plan: Plan, line: Expected, name: str) -> StagedColumn:
    by_name = {column.dest.name: column for column in plan.merge.columns}
    found = find_named(context.dest_driver, name, by_name)
    if found is None:
        message = f"`expect` names a column that is not loaded ({line}): {name}."
        raise RunFailed(message, stage="check", hint=f"These are loaded: {', '.join(by_name)}.")
    return by_name[found]


def _ask_rows(context: RunContext, plan: Plan, line: Expected, column: StagedColumn) -> _Broken | None:
    """Rows with a NULL, or with a value that is not accepted."""
    driver = context.dest_driver
    value = f"s.{driver.quote_identifier(column.dest.name)}"
    where = f"{value} IS NULL"
    if line.sort == "accepted":
        where = f"{value} NOT IN ({', '.join(_spell(context, column, text) for text in line.accepted)})"
    behind = f"FROM {driver.quote_table(plan.merge.staging)} s WHERE {where}"
    count = context.runner.query(context.dest, f"SELECT COUNT(*) {behind}").first_cell() or "0"
    if count == "0":
        return None
    names = list(dict.fromkeys([*plan.merge.key, *plan.merge.row_key, column.dest.name]))
    fed = [item.dest.name for item in plan.merge.columns]
    names = (names if len(names) > 1 else list(dict.fromkeys([*fed[:3], column.dest.name])))[:_MOST_COLUMNS]
    chosen = ", ".join(f"s.{driver.quote_identifier(name)}" for name in names)
    return _Broken(line, count, "rows", _show(_sample(context, f"SELECT {chosen} {behind}"), names))


def _ask_unique(context: RunContext, plan: Plan, line: Expected, columns: Sequence[StagedColumn]) -> _Broken | None:
    """Keys that stand more than once."""
    driver = context.dest_driver
    names = [column.dest.name for column in columns]
    key = ", ".join(f"s.{driver.quote_identifier(name)}" for name in names)
    known = " AND ".join(f"s.{driver.quote_identifier(name)} IS NOT NULL" for name in names)
    table = driver.quote_table(plan.merge.staging)
    behind = f"FROM {table} s WHERE {known} GROUP BY {key} HAVING COUNT(*) > 1"
    count = context.runner.query(context.dest, f"SELECT COUNT(*) FROM (SELECT {key} {behind}) r").first_cell() or "0"
    if count == "0":
        return None
    found = _sample(context, f"SELECT {key}, COUNT(*) AS times {behind}")
    return _Broken(line, count, "keys are shared by rows", _show(found, [*names, "times"]))


def _ask_query(context: RunContext, plan: Plan, line: Expected) -> _Broken | None:
    """On a session that may only read."""
    sql = line.sql.replace("{staging}", context.dest_driver.quote_table(plan.merge.staging))
    reading = replace(context.dest, read_only=True)
    found = context.runner.query(reading, sql, limit=_MOST_COUNTED + 1, longest=_LONGEST_CELL)
    if not found.rows:
        return None
    count = f"more than {_MOST_COUNTED:,}" if len(found.rows) > _MOST_COUNTED else str(len(found.rows))
    return _Broken(line, count, "rows", _show(found, [column.name for column in found.columns]))


def _sample(context: RunContext, sql: str) -> QueryResult:
    sql = context.dest_driver.build_preview_sql(sql, SHOWN)
    return context.runner.query(context.dest, sql, limit=SHOWN, longest=_LONGEST_CELL)


def _show(found: QueryResult, names: Sequence[str]) -> str:
    rows = [
        ", ".join(f"{name} = {'NULL' if cell is None else cell}" for name, cell in zip(names, row, strict=False))
        for row in found.rows[:SHOWN]
    ]
    return "; ".join(f"({row})" for row in rows)


def _spell(context: RunContext, column: StagedColumn, text: str) -> str:
    """A value of a column of numbers stands bare: not every database compares a number with a text."""
    neutral = context.dest_driver.to_neutral(column.stage_type or column.dest.type)
    is_text = neutral.name in ("text", "char")
    return text if not is_text and _NUMBER.fullmatch(text) else context.dest_driver.quote_literal(text)
