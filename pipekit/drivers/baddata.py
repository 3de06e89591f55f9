# What a module may ask of how its source is read, by the source's kind. Pure; knows no module.
"""`check_bad_data` and `check_query_timeout`."""

from pipekit.drivers.base import Driver
from pipekit.errors import Invalid


def check_bad_data(source: Driver, choice: str) -> None:
    """Raises Invalid (field `bad_data`) where a module asks for NULL and the source's kind cannot take it."""
    if choice != "refuse" and not source.nulls_bad_data:
        message = f"`bad_data: {choice}` is for a source in Db2 for i; {source.label} gives every value it has."
        raise Invalid(message, field="bad_data", hint="Leave `bad_data` out, or say `refuse`.")


def check_query_timeout(source: Driver, seconds: int | None) -> None:
    """Raises Invalid (field `query_timeout_s`) where a module has a limit that the source's kind cannot tell."""
    if seconds is not None and not source.needs_jar:
        message = (
            f"`timeouts: {{query_s}}` is for a source over JDBC; {source.label} is not told how long a query may take."
        )
        raise Invalid(
            message, field="query_timeout_s", hint="Leave it out; `timeouts: {run_s}` ends a run on any kind."
        )
