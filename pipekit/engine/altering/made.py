# Whether a dest has a column as a run was to make it. Looks at the dest; knows no record.
"""`look_made`, for databases that commit each change of a table by itself: their ledger cannot say."""

from pipekit.drivers.base import Driver
from pipekit.models import Alteration, MergeState
from pipekit.runner_contract import Query


def look_made(driver: Driver, query: Query, table: str, change: Alteration) -> MergeState:
    """`merged` where the dest is so. A change that was not planned yet (`was` is empty) was not begun."""
    types = {column.name: column.type for column in driver.get_columns(query, driver.parse_table(table))}
    if not change.was or not types:
        return "none"
    if change.what == "retype":
        is_made = types.get(change.column, change.was) != change.was
    else:
        is_made = change.column not in types
    return "merged" if is_made else "none"
