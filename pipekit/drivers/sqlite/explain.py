# Which tables an SQLite query opens, by its program. SQL text and its answer; no I/O here.
"""`list_query_tables`."""

from pipekit.drivers.sqltext import strip_query
from pipekit.drivers.tables import TableName
from pipekit.runner_contract import Query


def list_query_tables(query: Query, sql: str) -> tuple[TableName, ...]:
    """The tables whose trees, or whose indexes' trees, a query's program opens: views are gone by then.

    Raises as the query does.
    """
    program = query(f"EXPLAIN {strip_query(sql)}")
    names = [column.name for column in program.columns]
    code, root, database = (names.index(name) for name in ("opcode", "p2", "p3"))
    roots = {row[root] for row in program.rows if row[code] == "OpenRead" and row[database] in (None, "0")}
    known = query("SELECT rootpage, tbl_name FROM main.sqlite_master WHERE rootpage > 0").rows
    tables = {name for page, name in known if page in roots and name}
    return tuple(TableName(schema=None, name=name) for name in sorted(tables))
