# One move through Pipekit's own runner, as a command. Knows nothing of measuring.
"""`python bulk_mover.py SOURCE_URL DEST_URL TABLE ROWS`: what a run does between staging and merge."""

import sys

from pipekit.runner.native import NativeRunner
from pipekit.runner_contract import Endpoint, Load, LoadColumn

# (name, PostgreSQL's type, the staging column's)
COLUMNS = (
    ("id", "bigint", "bigint"),
    ("i", "integer", "int"),
    ("d", "double precision", "float"),
    ("n", "numeric(12,2)", "decimal(12,2)"),
    ("t", "text", "nvarchar(max)"),
    ("v", "character varying(40)", "nvarchar(80)"),
    ("day", "date", "date"),
    ("at", "timestamp without time zone", "datetime2(6)"),
    ("ok", "boolean", "bit"),
    ("m", "integer", "int"),
)


def build_load(table: str) -> Load:
    """Every column into the one of its name."""
    return Load(
        table=f"[dbo].[{table}]",
        columns=tuple(
            LoadColumn(source_name=name, source_type=source, stage_name=name, stage_type=stage)
            for name, source, stage in COLUMNS
        ),
    )


def move(source_url: str, dest_url: str, table: str, rows: str) -> None:
    """Moves the first `rows` rows and counts them."""
    source = Endpoint(kind="postgresql", jdbc_url=source_url, username="postgres", read_only=True)
    dest = Endpoint(kind="sqlserver", jdbc_url=dest_url, username="sa", password="bench")
    with NativeRunner(kinds=("postgresql", "sqlserver")) as runner:
        query = f"select * from {table} where id <= {rows}"
        loaded = runner.migrate(source, query, dest, build_load(table))
    if loaded.rows_staged != int(rows):
        raise SystemExit(f"{loaded.rows_staged} rows arrived, not {rows}")


if __name__ == "__main__":
    move(*sys.argv[1:5])
