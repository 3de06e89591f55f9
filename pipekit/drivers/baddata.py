# Values that a source itself cannot give: which kinds can take NULL for them. Pure; knows no module.
"""`check_bad_data`."""

from pipekit.drivers.base import Driver
from pipekit.errors import Invalid


def check_bad_data(source: Driver, choice: str) -> None:
    """Raises Invalid (field `bad_data`) where a module asks for NULL and the source's kind cannot take it."""
    if choice != "refuse" and not source.nulls_bad_data:
        message = f"`bad_data: {choice}` is for a source in Db2 for i; {source.label} gives every value it has."
        raise Invalid(message, field="bad_data", hint="Leave `bad_data` out, or say `refuse`.")
