# Columns of a dest that Pipekit itself fills, where it makes the table. Knows names and types; builds no SQL.
"""`list_own_columns`: beside the query's, for a module that marks rows."""

from pipekit.drivers.base import Driver, TableColumn
from pipekit.drivers.types import Type
from pipekit.models import ModuleFields

_MOMENT = Type(name="timestamp", precision=6)


def list_own_columns(driver: Driver, module: ModuleFields) -> list[TableColumn]:
    """They stand behind the others."""
    if module.deletes != "mark":
        return []
    name = driver.parse_table(module.deletes_column.strip()).name
    return [TableColumn(name=name, type=driver.from_neutral(_MOMENT))]
