# dlt's fastest way from PostgreSQL to PostgreSQL, run by an interpreter that has it. Imports nothing of Pipekit.
"""`python dlt_mover.py SOURCE_PORT DEST_PORT DATABASE TABLE FOLDER`: by connectorx, parquet and ADBC."""

import sys

import dlt
from dlt.sources.sql_database import sql_table


def move(source_port: str, dest_port: str, database: str, table: str, folder: str) -> None:
    """Replaces the dest's table; dlt keeps its own state in `folder`."""
    source, dest = (f"postgresql://postgres:unused@127.0.0.1:{port}/{database}" for port in (source_port, dest_port))
    pipeline = dlt.pipeline(
        pipeline_name="bench",
        pipelines_dir=folder,
        destination=dlt.destinations.postgres(dest),
        dataset_name="public",
    )
    rows = sql_table(source, table=table, schema="public", backend="connectorx", reflection_level="full_with_precision")
    pipeline.run(rows, write_disposition="replace", loader_file_format="parquet")
    print(pipeline.last_trace)


if __name__ == "__main__":
    move(*sys.argv[1:6])
