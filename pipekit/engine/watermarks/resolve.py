# Resolving watermarks and putting their values into a query. Knows no table and no state.
"""Watermarks: `{name}` in a source query becomes the first cell of its resolver's first row."""

from collections.abc import Mapping

from pipekit.cutting import cut
from pipekit.engine.context import BoundWatermark, RunContext
from pipekit.engine.watermarks.places import PLACEHOLDER
from pipekit.errors import RunFailed, RunnerError

# What is put into a query also stands in the record, whole.
LONGEST_VALUE = 100_000


def resolve_watermarks(context: RunContext, overrides: Mapping[str, str]) -> Mapping[str, str]:
    """Every watermark's value by name, overrides first; always asked live. Raises RunFailed for one without a value."""
    values = dict(overrides)
    for bound in context.watermarks:
        values[bound.watermark.name] = _resolve(context, bound)
    for name, value in values.items():
        if len(value) > LONGEST_VALUE:
            message = f"The watermark '{name}' has a value of more than {LONGEST_VALUE} characters: {cut(value, 200)}"
            hint = "A value is put into the query's text; join the table instead of listing what it holds."
            raise RunFailed(message, stage="watermark", hint=hint)
        context.record.log(f"watermark {name} = {value}\n")
    total = sum(map(len, values.values()))
    if total > LONGEST_VALUE:
        message = f"The watermarks' values have {total} characters together; {LONGEST_VALUE} are allowed."
        raise RunFailed(message, stage="watermark", hint="Join tables instead of listing what they hold.")
    context.record.put(watermark_values=values)
    return values


def _resolve(context: RunContext, bound: BoundWatermark) -> str:
    mark = bound.watermark
    value = _ask(context, bound)
    if value is not None:
        return value
    if mark.default_value is not None:
        return mark.default_value
    raise RunFailed(
        f"The watermark '{mark.name}' has no value: its SQL gave no row or NULL.",
        stage="watermark",
        hint="Give the watermark a `default`, or mend its SQL.",
    )


def _ask(context: RunContext, bound: BoundWatermark) -> str | None:
    """The resolver's first cell. It may well ask a dest table that this very run is going to make: that is no value."""
    try:
        sql, longest = bound.watermark.resolver_sql, 2 * LONGEST_VALUE
        return context.runner.query(bound.endpoint, sql, limit=1, longest=longest).first_cell()
    except RunnerError as error:
        if error.transient or bound.watermark.default_value is None or not _will_make_dest(context, bound):
            raise
        context.record.log(f"watermark {bound.watermark.name}: the dest table is not there yet\n")
        return None


def _will_make_dest(context: RunContext, bound: BoundWatermark) -> bool:
    if not context.module.create_table or bound.endpoint.jdbc_url != context.dest.jdbc_url:
        return False
    table = context.dest_driver.resolve_table(context.ask_dest(), context.module.dest_table)
    return not context.dest_driver.get_table_facts(context.ask_dest(), table).exists


def fill_placeholders(query: str, values: Mapping[str, str]) -> str:
    """The query with each `{name}` of `values` replaced once; other braces, also those in values, are left alone."""
    return PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), query)
