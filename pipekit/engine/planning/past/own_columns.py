# Columns of a dest that Pipekit itself fills, where it makes the table. Knows names and types; builds no SQL.
"""`list_own_columns`: beside the query's, for a module that marks rows or keeps their versions."""

from collections.abc import Sequence

from pipekit.drivers.base import Driver, TableColumn
from pipekit.drivers.types import Type
from pipekit.models import ModuleFields

_MOMENT = Type(name="timestamp", precision=6)


def list_own_columns(driver: Driver, module: ModuleFields) -> list[TableColumn]:
    """They stand behind the others."""
    moment, flag = driver.from_neutral(_MOMENT), driver.from_neutral(Type(name="bool"))
    if module.merge_strategy == "snapshot":
        return [
            TableColumn(name=_name(driver, module.history_from), type=moment, nullable=False),
            TableColumn(name=_name(driver, module.history_to), type=moment),
            TableColumn(name=_name(driver, module.history_current), type=flag, nullable=False),
        ]
    return [TableColumn(name=_name(driver, module.deletes_column), type=moment)] if module.deletes == "mark" else []


def drop_own_columns(driver: Driver, module: ModuleFields, dest: Sequence[TableColumn]) -> Sequence[TableColumn]:
    """The columns of a dest that a query may feed: not those of a history."""
    if module.merge_strategy != "snapshot":
        return dest
    own = {column.name.casefold() for column in list_own_columns(driver, module)}
    return [column for column in dest if column.name.casefold() not in own]


def _name(driver: Driver, text: str) -> str:
    return driver.parse_table(text.strip()).name
