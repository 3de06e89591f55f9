# One move out of Db2 for i through jt400, as a runner does it. Measured by bench.db2i.
"""`python -m bench.db2i_mover JAR JAVA_OPTIONS URL DEST_PORT DATABASE TABLE QUERY`: straight into the dest's table."""

import json
import sys

from pipekit.runner.native import NativeRunner
from pipekit.runner_contract import Endpoint, Load, LoadColumn


def move(jar: str, options: str, url: str, *dest: str) -> int:
    """Moves all rows; returns how many arrived."""
    port, database, table, sql = dest
    source = Endpoint(
        kind="db2i",
        jdbc_url=url,
        username="SHOP",
        password="bench",
        jar=jar,
        driver_class="com.ibm.as400.access.AS400JDBCDriver",
        java_options=tuple(json.loads(options)),
        read_only=True,
    )
    into = Endpoint(kind="postgresql", jdbc_url=f"jdbc:postgresql://127.0.0.1:{port}/{database}", username="postgres")
    with NativeRunner(kinds=("db2i", "postgresql")) as runner:
        runner.start_drivers([source])
        columns = runner.query(into, f"select * from {table} where false").columns
        planned = tuple(
            LoadColumn(source_name=each.name.upper(), source_type="", stage_name=each.name, stage_type=each.type)
            for each in columns
        )
        return runner.migrate(source, sql, into, Load(table=table, columns=planned)).rows_staged


if __name__ == "__main__":
    print(move(*sys.argv[1:8]))
