# What Pipekit leaves in a dest, asked from outside: who has merged, and what nobody needs any more. Does no harm.
"""What the soak and the matrix of faults judge a dest by."""

from collections.abc import Callable, Iterable
from typing import Any

LEDGER_SQL = "select run_key, module from {ledger} where state = 'merged'"

Ask = Callable[[str], Iterable[tuple[Any, ...]]]

_TABLES = "select tablename from pg_tables where schemaname = 'pipekit_staging'"
CLAIMS_SQL = "select run_key from pipekit_staging.pipekit_ledger where run_key like 'staging:%'"
_TABLES_OF_FILE = "select name from sqlite_schema where type = 'table' and name like 'pipekit_staging.%'"


def list_left(ask: Ask) -> list[str]:
    """Of a PostgreSQL database: tables of the staging schema beside the ledger, and claims of such."""
    tables = list(ask(_TABLES))
    return _list_names([*tables, *(ask(CLAIMS_SQL) if tables else ())])


def list_left_in_file(ask: Ask) -> list[str]:
    """The same of an SQLite file."""
    return _list_names(ask(_TABLES_OF_FILE))


def _list_names(rows: Iterable[tuple[Any, ...]]) -> list[str]:
    return [name for (name,) in rows if not name.endswith("pipekit_ledger")]
