# What a module's databases say of its dest and of its query, for its page. Knows drivers and looks, no page, no state.
"""`look_at_dest` and `look_at_query`."""

from pipekit.drivers.base import TableColumn, TableName
from pipekit.engine.looking.look import Look
from pipekit.errors import StatementFailed


def look_at_dest(look: Look, table: str) -> tuple[TableColumn, ...]:
    """The columns of a table, none where there is no such table."""
    driver = look.driver
    return tuple(driver.get_columns(look.query, driver.resolve_table(look.query, table)))


def look_at_query(look: Look, sql: str) -> tuple[TableName, ...] | None:
    """The tables a query reads, views looked through. A query that the database refuses tells none."""
    try:
        return look.driver.list_query_tables(look.query, sql)
    except StatementFailed:
        return None
