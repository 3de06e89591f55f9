# The text of the ledger, the staging schema and the end of a run's sessions in PostgreSQL. Knows no connection.
"""The dest's own record of which runs merged."""

from collections.abc import Callable

from pipekit.drivers.base import LedgerEntry, TableName
from pipekit.drivers.postgresql.names import quote_identifier, quote_table
from pipekit.runner_contract import Query, Statement

Literal = Callable[[str], str]

# Advisory locks are numbers; ours are the word "pipekit" as one.
SETUP_LOCK = int.from_bytes(b"pipekit")
MODULE_LOCK = int.from_bytes(b"pkit")

_LOOK = """\
SELECT n.oid IS NOT NULL, c.oid IS NOT NULL
FROM (SELECT 1) AS one
LEFT JOIN pg_catalog.pg_namespace AS n ON n.nspname = {schema}
LEFT JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = {table}"""

_CREATE_LEDGER = """\
CREATE TABLE IF NOT EXISTS {table} (
  run_key text PRIMARY KEY,
  run_id bigint NOT NULL,
  module text NOT NULL,
  fence bigint NOT NULL,
  rows bigint,
  state text NOT NULL CHECK (state IN ('merged', 'fenced')),
  committed_at timestamptz NOT NULL DEFAULT now()
)"""


def build_setup_look(literal: Literal, ledger: TableName) -> str:
    """Whether the staging schema and the ledger are there."""
    return _LOOK.format(schema=literal(ledger.schema or ""), table=literal(ledger.name))


def find_setup_sql(query: Query, literal: Literal, ledger: TableName) -> tuple[str, ...]:
    """What is missing of the staging schema and the ledger; looks first, as IF NOT EXISTS asks for rights even then."""
    schema = ledger.schema or ""
    row = query(build_setup_look(literal, ledger)).rows[0]
    if row[0] == "t" and row[1] == "t":
        return ()
    table = quote_table(ledger)
    create_schema = () if row[0] == "t" else (f"CREATE SCHEMA IF NOT EXISTS {quote_identifier(schema)}",)
    index = quote_identifier(f"{ledger.name}_fence")
    return (
        f"SELECT pg_catalog.pg_advisory_xact_lock({SETUP_LOCK})",
        *create_schema,
        _CREATE_LEDGER.format(table=table),
        f"CREATE INDEX IF NOT EXISTS {index} ON {table} (module, fence)",
    )


def build_ledger_sql(ledger: TableName, literal: Literal, entry: LedgerEntry) -> tuple[Statement, ...]:
    """Takes the module's turn, then writes the run's row unless a newer run of the module was here."""
    table, module = quote_table(ledger), literal(entry.module)
    turn = f"SELECT pg_catalog.pg_advisory_xact_lock({MODULE_LOCK}, pg_catalog.hashtext({module}))"
    insert = (
        _build_insert(ledger, literal, entry, "merged")
        + f"\nWHERE NOT EXISTS (SELECT FROM {table} WHERE module = {module} AND fence > {int(entry.fence)})"
        + "\nON CONFLICT (run_key) DO NOTHING"
    )
    return (Statement(sql=turn), Statement(sql=insert, name="ledger"))


def build_fence_sql(ledger: TableName, literal: Literal, entry: LedgerEntry) -> str:
    """Waits for the run's own merge if it is about to commit, and shuts it out if it is not."""
    return _build_insert(ledger, literal, entry, "fenced") + "\nON CONFLICT (run_key) DO NOTHING"


def build_outcome_sql(ledger: TableName, literal: Literal, run_key: str) -> str:
    """`merged`, `fenced` or no row."""
    return f"SELECT state FROM {quote_table(ledger)} WHERE run_key = {literal(run_key)}"


def build_end_sessions_sql(literal: Literal, application_name: str) -> str:
    """Asks every session of that name and of our login to end; counts those it found."""
    return (
        "SELECT pg_catalog.count(pg_catalog.pg_terminate_backend(pid)) FROM pg_catalog.pg_stat_activity\n"
        f"WHERE application_name = {literal(application_name)} AND usename = session_user\n"
        "  AND pid <> pg_catalog.pg_backend_pid()"
    )


def _build_insert(ledger: TableName, literal: Literal, entry: LedgerEntry, state: str) -> str:
    rows = "NULL" if entry.rows is None else str(int(entry.rows))
    values = f"{literal(entry.run_key)}, {int(entry.run_id)}, {literal(entry.module)}, {int(entry.fence)}, {rows}"
    columns = "run_key, run_id, module, fence, rows, state"
    return f"INSERT INTO {quote_table(ledger)} ({columns})\nSELECT {values}, {literal(state)}"
