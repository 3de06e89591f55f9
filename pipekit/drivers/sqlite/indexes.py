# Indexes of a SQLite dest that a merge drops and makes again around its rows. Looks and text; knows no connection.
"""`find_rebuild`. SQLite keeps the text of each CREATE INDEX, and takes it all back when the transaction ends badly."""

from collections.abc import Callable

from pipekit.drivers.base import TableName
from pipekit.drivers.facts import Rebuild
from pipekit.drivers.rebuilding import build_look
from pipekit.runner_contract import Query

Quote = Callable[[str], str]

# Those of a constraint have no text of their own, and stay.
_OWN = """\
SELECT name, sql FROM main.sqlite_master
WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = {table} COLLATE NOCASE ORDER BY rowid"""
_HAS_STATISTICS = "SELECT 1 FROM main.sqlite_master WHERE type = 'table' AND name = 'sqlite_stat1'"
_STATISTICS = "SELECT idx FROM main.sqlite_stat1 WHERE tbl = {table} COLLATE NOCASE"


def find_rebuild(query: Query, table: TableName, quote: Quote, literal: Quote) -> Rebuild:
    """The indexes that were made by a statement; one that SQLite has statistics of is analyzed again."""
    name = literal(table.name)
    own = [(index or "", sql or "") for index, sql in query(_OWN.format(table=name)).rows]
    analyzed = {row[0] for row in query(_STATISTICS.format(table=name)).rows} if query(_HAS_STATISTICS).rows else set()
    held = int(query(f"SELECT count(*) FROM main.{quote(table.name)}").first_cell() or 0) if own else 0
    seen = literal("; ".join(sql for _, sql in own))
    unchanged = f"SELECT (SELECT group_concat(sql, '; ') FROM (\n{_OWN.format(table=name)}\n)) IS NOT {seen}"
    return Rebuild(
        names=tuple(index for index, _ in own),
        obstacle="" if own else "it has none to make",
        rows=held,
        plain=True,
        unchanged=build_look(unchanged, table),
        drop=tuple(f"DROP INDEX main.{quote(index)}" for index, _ in own),
        make=(
            *(sql for _, sql in own),
            *(f"ANALYZE main.{quote(index)}" for index, _ in own if index in analyzed),
        ),
    )
