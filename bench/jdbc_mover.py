# One move out of PostgreSQL through its JDBC driver, as a runner does it. Measured by bench.jdbc.
"""`python -m bench.jdbc_mover JAR SOURCE_PORT DEST_PORT DATABASE TABLE`: straight into the dest's table."""

import sys

from pipekit.runner.native import NativeRunner
from pipekit.runner_contract import Endpoint, Load, LoadColumn


def move(jar: str, source_port: str, dest_port: str, database: str, table: str) -> int:
    """Moves all rows; returns how many arrived."""
    url = "jdbc:postgresql://127.0.0.1:{}/" + database
    source = Endpoint(
        kind="jdbc",
        jdbc_url=url.format(source_port),
        username="postgres",
        jar=jar,
        driver_class="org.postgresql.Driver",
        read_only=True,
    )
    dest = Endpoint(kind="postgresql", jdbc_url=url.format(dest_port), username="postgres")
    sql = f"select * from {table}"
    with NativeRunner(kinds=("jdbc", "postgresql")) as runner:
        runner.start_drivers([source])
        columns = runner.query(dest, f"{sql} where false").columns
        planned = tuple(
            LoadColumn(source_name=each.name, source_type="", stage_name=each.name, stage_type=each.type)
            for each in columns
        )
        return runner.migrate(source, sql, dest, Load(table=table, columns=planned)).rows_staged


if __name__ == "__main__":
    print(move(*sys.argv[1:6]))
