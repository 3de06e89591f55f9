# Whether a watermark's value is written as the source writes the column it is compared with. Looks, changes nothing.
"""`check_spelling`: a warning in the record where rows may be repeated or missed for ever."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipekit.cutting import cut
from pipekit.drivers import get_driver
from pipekit.engine.context import BoundWatermark, RunContext
from pipekit.engine.watermarks.comparisons import Comparison, find_comparisons, find_greatest
from pipekit.engine.watermarks.value_forms import Compared, Value, find_mismatch, find_misordered
from pipekit.errors import StatementFailed
from pipekit.runner_contract import Endpoint, QueryResult

SAMPLED_ROWS = 20
LONGEST_SAMPLE = 1_000
SHOWN = 60
MEND = "Let the watermark's SQL give the form that the source has, or compare a converted column."

_COMPARED: Mapping[str, Compared] = {
    **dict.fromkeys(("text", "char"), "text"),
    **dict.fromkeys(("int16", "int32", "int64", "float64", "decimal"), "numeric"),
    "float32": "single",
    "interval": "interval",
    "date": "date",
    "timestamp": "timestamp",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Column:
    """What a database compares a column as, where that is text some of its values, and how messages call it."""

    place: str
    compared: Compared
    samples: Sequence[str] = ()


def check_spelling(context: RunContext, values: Mapping[str, str]) -> None:
    """Notes a check `watermark` that does not hold for each value that is of another form than what it meets."""
    warnings = [
        f"The watermark '{name}' is '{_shorten(value)}': its quote ends the text of the query that it is put into."
        for name, value in values.items()
        if f"'{{{name}}}'" in context.module.source_query
        and "'" in value.replace("','", "")  # a list of texts may be meant
    ]
    for comparison in dict.fromkeys(find_comparisons(context.module.source_query, values)):
        for why in _list_problems(context, comparison, values[comparison.name]):
            warnings.append(f"The watermark '{comparison.name}' is '{_shorten(values[comparison.name])}', {why}")
    for warning in warnings:
        context.record.log(f"warning: {warning}\n")
    if warnings:
        context.record.check("watermark", False, " ".join([*dict.fromkeys(warnings), MEND]))


def _list_problems(context: RunContext, comparison: Comparison, text: str) -> Iterator[str]:
    column = _look(context, context.source, comparison.column, comparison.table, comparison.is_quoted)
    if column is None:
        return
    bound = next((item for item in context.watermarks if item.watermark.name == comparison.name), None)
    value = _describe(context, bound, text)
    if why := find_mismatch(value, column.samples, column.compared, comparison.is_quoted):
        such = f", with values such as '{_shorten(column.samples[0])}'" if column.samples else ""
        yield f"compared with {column.place}{such}: {why}; rows may be repeated or missed."
    greatest = find_greatest(bound.watermark.resolver_sql) if bound and not value.is_given else None
    if bound is None or greatest is None:
        return
    found = _look(context, bound.endpoint, *greatest)
    if found and found.compared == "text" and (why := find_misordered(text, found.samples, column.compared)):
        yield f"found among the texts of {found.place}: {why}; rows may be repeated or missed."


def _shorten(text: str) -> str:
    return cut(text, 100)[:SHOWN]


def _describe(context: RunContext, bound: BoundWatermark | None, text: str) -> Value:
    return Value(
        text=text,
        is_given=bound is None or text == bound.watermark.default_value,
        appends=context.module.merge_strategy == "append",
        is_foreign=bound is not None and bound.endpoint.jdbc_url != context.source.jdbc_url,
    )


def _look(context: RunContext, endpoint: Endpoint, column: str, table: str, is_quoted: bool = False) -> _Column | None:
    """A column that a text names; None for one that the database does not know, as the table is a guess."""
    try:
        compared, samples = _sample(context, endpoint, column, table, is_quoted)
    except StatementFailed as error:
        if error.transient:
            raise
        return None
    return _Column(place=f"{column} of {table}", compared=compared, samples=samples)


def _sample(
    context: RunContext, endpoint: Endpoint, column: str, table: str, is_quoted: bool
) -> tuple[Compared, Sequence[str]]:
    driver = get_driver(endpoint.kind)

    def query(sql: str) -> QueryResult:
        return context.runner.query(endpoint, sql, limit=SAMPLED_ROWS, longest=LONGEST_SAMPLE)

    [found, *_] = driver.introspect_query_columns(query, f"SELECT {column} FROM {table}")
    compared = _COMPARED.get(driver.to_neutral(found.type).name, "other")
    if compared != "text" and not driver.any_value:
        return compared, ()
    rows = [row for row in query(driver.build_sample_sql(table, column, SAMPLED_ROWS)).rows if row[0] is not None]
    texts = [row[0] or "" for row in rows if not driver.any_value or row[-1] == "text"]
    if texts or not driver.any_value:
        return "text", texts
    numbers = [row[0] or "" for row in rows if row[-1] in ("integer", "real")]
    if not numbers:
        return "other", ()
    return "untyped" if is_quoted and not found.type else "number", numbers
