# The query command: rows of any connection on standard output, as they come.
"""`pipekit query`."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from pipekit.cli.options import complete_connection
from pipekit.cli.session import Session

if TYPE_CHECKING:
    from pipekit.runner_contract import QueryResult


@click.command(short_help="Print the rows of a query.")
@click.argument("connection", shell_complete=complete_connection)
@click.argument("sql")
@click.option(
    "form", "--format", type=click.Choice(["table", "csv", "tsv", "json"]), default="table", show_default=True,
    help="How rows are written.",
)  # fmt: skip
@click.option("--limit", type=click.IntRange(min=0), help="Stop after this many rows.")
@click.pass_obj
def query(session: Session, connection: str, sql: str, form: str, limit: int | None) -> None:
    """Run SQL (- reads standard input) on CONNECTION and print its rows as they come, in a session that cannot write.

    csv: NULL is an empty field, an empty string is "". tsv: NULL is \\N; tab, line end and backslash are escaped.
    json: a list of objects; values are text or null. table: control characters are left out and secrets masked.
    """
    from pipekit import repo
    from pipekit.cli.rows import WRITERS
    from pipekit.drivers.sqltext import strip_query
    from pipekit.engine import open_look

    item = repo.get_connection_by_name(session.db(), connection)
    text = strip_query(sys.stdin.read() if sql == "-" else sql)
    with open_look(session.config(), session.secrets(), item) as look:
        blocks = _cut(look.runner.stream(look.endpoint, text), limit)
        WRITERS[form](blocks, session)


def _cut(blocks: "Iterator[QueryResult]", limit: int | None) -> "Iterator[QueryResult]":
    """The blocks until so many rows have passed; the first block always, for its columns."""
    from dataclasses import replace

    left = limit
    for block in blocks:
        if left is None:
            yield block
            continue
        yield replace(block, rows=block.rows[:left])
        left -= len(block.rows)
        if left <= 0:
            return
