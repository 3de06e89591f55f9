# Tests of `pipekit verify` over JDBC: no false difference, planted ones found and mended. Starts servers.
"""H2, HSQLDB, MariaDB and Derby, from SQLite."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipekit.demo.postgres import LocalPostgres
from pipekit.engine import open_look
from pipekit.models import Connection, Run, Verify
from pipekit.runner.native import NativeRunner
from pipekit.runner_contract import Statement
from tests.databases.over_jdbc import open_derby
from tests.databases.test_derby_runs import DerbyBench
from tests.databases.test_h2_runs import URLS, Files
from tests.databases.test_mariadb_runs import Shop
from tests.project import Project

PLANTED = (
    "UPDATE {t} SET v = 'B' WHERE k = 2",
    "UPDATE {t} SET v = 'c ' WHERE k = 3",
    "UPDATE {t} SET n = n + 0.01 WHERE k = 4",
    "UPDATE {t} SET v = NULL WHERE k = 5",
    "DELETE FROM {t} WHERE k = 6",
    "INSERT INTO {t} (k, v) VALUES (99, 'x')",
)
ROWS = ", ".join(f"({k}, '{v}', {k}.25)" for k, v in enumerate("abcdefgh", 1))


class Pair:
    """SQLite's rows, and a dest over JDBC with a key."""

    def __init__(self, project: Project, dest: Connection, table: str, end: str = "") -> None:
        self.project, self._dest, self.table = project, dest, table
        lite = project.add_connection("rows", f"jdbc:sqlite:{project.home.parent}/rows.db")
        self._execute(lite, "CREATE TABLE t (k INTEGER, v TEXT, n NUMERIC)", f"INSERT INTO t VALUES {ROWS}")
        self.module = project.add_module("m", source=lite, query="SELECT * FROM t", dest=dest, table=table)
        self._execute(
            dest, f"CREATE TABLE {table} (k INTEGER NOT NULL PRIMARY KEY, v VARCHAR(20), n DECIMAL(8,2)){end}"
        )

    def _execute(self, connection: Connection, *statements: str) -> None:
        with open_look(self.project.config, self.project.secrets, connection, read_only=False) as look:
            look.runner.execute(look.endpoint, [Statement(sql=sql) for sql in statements])

    def change(self, *statements: str) -> None:
        self._execute(self._dest, *(sql.format(t=self.table) for sql in statements))

    def verify(self, **asked: Any) -> Run:
        return self.project.run(self.module, verify=Verify(**asked))


@pytest.fixture(params=[*sorted(URLS), "mariadb", "derby"])
def pair(request: pytest.FixtureRequest, tmp_path: Path, postgres: LocalPostgres, one_child: None) -> Iterator[Pair]:
    if request.param == "mariadb":
        shop = Shop(tmp_path, request.getfixturevalue("mariadb"))
        pair = Pair(shop.project, shop.my, "verified", " ENGINE=InnoDB")
    elif request.param == "derby":
        with NativeRunner() as runner, open_derby(request.getfixturevalue("derby_server"), "verified", runner) as derby:
            bench = DerbyBench(tmp_path, ("sqlite", "derby"), postgres, derby)
            yield Pair(bench.project, bench.dest_connection, "VERIFIED")
            bench.close()
        return
    else:
        files = Files(tmp_path, request.param)
        pair = Pair(files.project, files.file, "SHOP.VERIFIED")
    yield pair
    pair.project.close()


def test_planted_differences_are_found_and_mended_over_jdbc(pair: Pair) -> None:
    pair.project.succeed(pair.module)
    run = pair.verify()
    assert (run.status, run.verify and run.verify["rows_dest"]) == ("success", 8), run.error
    pair.change(*PLANTED)
    run = pair.verify()
    assert run.verify is not None, run.error
    assert tuple(run.verify[name] for name in ("missing", "extra", "differing")) == (1, 1, 4)
    assert {item["key"][next(iter(item["key"]))] for item in run.verify["examples"]} == {"2", "3", "4", "5", "6", "99"}
    assert pair.verify(key_from="4", key_to="6").verify["differing"] == 2  # type: ignore[index]
    assert pair.verify(sample=100.0).verify["differing"] == 4  # type: ignore[index]
    run = pair.verify(repair=True)
    assert (run.status, run.merge_state) == ("success", "merged"), run.error
    assert pair.verify().status == "success"
