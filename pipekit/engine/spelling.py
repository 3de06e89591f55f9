# Whether a watermark's value is written as the source writes the column it is compared with. Looks, changes nothing.
"""`check_spelling`: a warning in the record where rows may be repeated or missed for ever."""

from collections.abc import Mapping, Sequence

from pipekit.cutting import cut
from pipekit.engine.comparisons import Comparison, find_comparisons
from pipekit.engine.context import RunContext
from pipekit.engine.forms import Compared, Value, find_mismatch
from pipekit.errors import StatementFailed

SAMPLED_ROWS = 20
LONGEST_SAMPLE = 1_000
SHOWN = 60
MEND = "Let the watermark's SQL give the form that the source has, or compare a converted column."

_COMPARED: Mapping[str, Compared] = {"text": "text", "char": "text", "date": "date", "timestamp": "timestamp"}


def check_spelling(context: RunContext, values: Mapping[str, str]) -> None:
    """Notes a check `watermark` that does not hold for each value that is of another form than what it meets."""
    warnings = []
    for comparison in dict.fromkeys(find_comparisons(context.module.source_query, values)):
        why = _find_problem(context, comparison, values[comparison.name])
        if why:
            warnings.append(why)
            context.book.log(f"warning: {why}\n")
    if warnings:
        context.book.check("watermark", False, " ".join([*dict.fromkeys(warnings), MEND]))


def _find_problem(context: RunContext, comparison: Comparison, text: str) -> str:
    try:
        compared, samples = _look(context, comparison)
    except StatementFailed as error:
        if error.transient:
            raise
        return ""  # a guess at the table that the database does not know
    why = find_mismatch(_describe(context, comparison.name, text), samples, compared)
    if not why:
        return ""
    such = f", with values such as '{cut(samples[0], 100)[:SHOWN]}'" if samples else ""
    shown = f"'{cut(text, 100)[:SHOWN]}'"
    place = f"{comparison.column} of {comparison.table}"
    told = f"The watermark '{comparison.name}' is {shown}, compared with {place}{such}: {why}"
    return f"{told}; rows may be repeated or missed."


def _describe(context: RunContext, name: str, text: str) -> Value:
    bound = next((item for item in context.watermarks if item.watermark.name == name), None)
    return Value(
        text=text,
        is_given=bound is None or text == bound.watermark.default_value,
        appends=context.module.merge_strategy == "append",
        is_foreign=bound is not None and bound.endpoint.jdbc_url != context.source.jdbc_url,
    )


def _look(context: RunContext, comparison: Comparison) -> tuple[Compared, Sequence[str]]:
    """What the source compares the column as, and where that is text some of its values."""
    driver, query = context.source_driver, context.ask_source()
    probe = f"SELECT {comparison.column} FROM {comparison.table}"
    column = driver.introspect_query_columns(query, probe)[0]
    compared = _COMPARED.get(driver.to_neutral(column.type).name, "other")
    if compared != "text" and not driver.any_value:
        return compared, ()
    sample = driver.build_sample_sql(comparison.table, comparison.column, SAMPLED_ROWS)
    rows = context.runner.query(context.source, sample, limit=SAMPLED_ROWS, longest=LONGEST_SAMPLE).rows
    texts = [row[0] for row in rows if row[0] is not None and row[-1] not in ("integer", "real", "blob")]
    if texts or not driver.any_value:
        return "text", texts
    numbers = [row[0] for row in rows if row[0] is not None and row[-1] in ("integer", "real")]
    if not numbers:
        return "other", ()
    return "untyped" if comparison.is_quoted and not column.type else "number", numbers
