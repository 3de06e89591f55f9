# kill -9 of the dest's server while one table takes the place of another, at each step. On a PostgreSQL of its own.
"""After the crash the dest is as it was, its catalogue knows every file but those of what was just being made, and the
next run works without help.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pipekit.demo.postgres import LocalPostgres
from pipekit.drivers.postgresql.driver import DRIVER
from pipekit.models import Module
from pipekit.runner.process import wait_until
from pipekit.runner_contract import QueryResult
from tests.lending import lend_database, take_back
from tests.patience import PATIENCE_S
from tests.project import Project

LEDGER = DRIVER.quote_table(DRIVER.ledger_table())
# Where the run is held, what it does there, and whether files are left that no catalogue knows.
STEPS = {
    "rows come": ("COPY%", False),
    "an index is made": ("CREATE%INDEX%", True),
    "the dest is waited for": ("DO %", False),
    "the swap is committed": ("COMMIT%", False),
}
_HOLD = """
CREATE FUNCTION held(n int) RETURNS int LANGUAGE plpgsql IMMUTABLE
  AS $$ BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN n; END $$;
CREATE FUNCTION held() RETURNS trigger LANGUAGE plpgsql
  AS $$ BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN NULL; END $$;
CREATE TABLE t (id int PRIMARY KEY, v text);
INSERT INTO t SELECT i, 'old' FROM generate_series(1, 40) AS i;
"""
_FILES = """
SELECT pg_ls_dir FROM pg_ls_dir('base/' || (SELECT oid FROM pg_database WHERE datname = current_database()))
"""


@dataclass
class Scene:
    """A module of 60 rows that is swapped into a server of the test's own."""

    project: Project
    module: Module
    server: LocalPostgres
    source: "psycopg.Connection[Any]"

    def connect(self) -> "psycopg.Connection[Any]":
        login: dict[str, Any] = {"host": "127.0.0.1", "user": "postgres", "dbname": "postgres"}
        return psycopg.connect(**login, port=self.server.port, autocommit=True)

    def ask(self, sql: str) -> list[Any]:
        with self.connect() as connection:
            return [row[0] for row in connection.execute(sql).fetchall()]

    def list_unknown(self) -> set[str]:
        """Files of the database that belong to nothing."""
        self.server.run_sql("CHECKPOINT")
        known = {str(number) for number in self.ask("SELECT pg_relation_filenode(oid) FROM pg_class")}
        files = (re.match(r"\d+", name) for name in self.ask(_FILES))
        return {found[0] for found in files if found} - known


@pytest.fixture
def scene(postgres: LocalPostgres, tmp_path: Path) -> Iterator[Scene]:
    name = lend_database(postgres, "crash")
    project = Project(tmp_path)
    with (
        LocalPostgres(tmp_path / "dest", fsync=True, settings={"autovacuum": "off"}) as server,
        psycopg.connect(host="127.0.0.1", port=postgres.port, user="postgres", dbname=name, autocommit=True) as source,
    ):
        sides = (
            project.add_connection(side, url, username="postgres")
            for side, url in (("source", postgres.jdbc_url(name)), ("dest", server.jdbc_url()))
        )
        query = "SELECT i AS id, slow('new') AS v FROM generate_series(1, 60) AS i"
        module = project.add_module(
            "m", source=next(sides), query=query, dest=next(sides), table="t", load="swap", retries=0
        )
        yield Scene(project, module, server, source)
    project.close()
    take_back(postgres, name)


def _prepare(scene: Scene, step: str) -> None:
    sleep_s = 0.05 if step == "rows come" else 0
    body = f"BEGIN PERFORM pg_sleep({sleep_s}); RETURN v; END"
    scene.source.execute(f"CREATE FUNCTION slow(v text) RETURNS text LANGUAGE plpgsql AS $$ {body} $$")
    with scene.connect() as dest:
        dest.execute(_HOLD)
        if step == "an index is made":
            dest.execute("CREATE INDEX ON t (held(id))")
        if step == "the swap is committed":
            for sql in DRIVER.find_setup_sql(lambda sql: _ask(dest, sql)):
                dest.execute(sql)
            dest.execute(
                f"CREATE CONSTRAINT TRIGGER late AFTER INSERT ON {LEDGER} DEFERRABLE INITIALLY DEFERRED"
                " FOR EACH ROW EXECUTE FUNCTION held()"
            )


def _ask(connection: "psycopg.Connection[Any]", sql: str) -> QueryResult:
    """A query's rows as a runner gives them: true is `t`."""
    rows = connection.execute(sql).fetchall()
    return QueryResult(columns=(), rows=tuple(tuple(str(cell)[0].lower() for cell in row) for row in rows))


@pytest.mark.parametrize("step", STEPS)
def test_a_crash_of_the_server_in_a_swap_leaves_the_old_table_and_the_next_run_works(scene: Scene, step: str) -> None:
    doing, leaves_files = STEPS[step]
    _prepare(scene, step)
    before = scene.list_unknown()
    holder = scene.connect()
    holder.execute("BEGIN; SELECT * FROM t LIMIT 1" if "waited for" in step else "SELECT pg_advisory_lock(7)")
    reached = f"""SELECT count(*) FROM pg_stat_activity
        WHERE application_name LIKE 'pipekit:%' AND state = 'active' AND query LIKE '{doing}'"""
    with scene.project.start_cli("run", "m") as program:
        assert wait_until(lambda: scene.ask(reached) == [1], PATIENCE_S)
        scene.server.kill()
        assert program.wait(PATIENCE_S) == 1
    holder.close()
    scene.server.start()

    assert scene.ask("SELECT DISTINCT v || ' ' || (SELECT count(*) FROM t) FROM t") == ["old 40"]
    assert bool(scene.list_unknown() - before) is leaves_files
    with scene.connect() as dest:
        dest.execute("CREATE OR REPLACE FUNCTION held(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT n'")
    scene.source.execute("CREATE OR REPLACE FUNCTION slow(v text) RETURNS text LANGUAGE sql AS 'SELECT v'")
    run = scene.project.succeed(scene.module)
    first = scene.project.get_run(1)
    assert (first.status, first.merge_state, run.rows_deleted, run.rows_inserted) == ("error", "none", 40, 60)
    assert scene.ask("SELECT DISTINCT v || ' ' || (SELECT count(*) FROM t) FROM t") == ["new 60"]
    left = "SELECT relname FROM pg_class WHERE relnamespace = 'pipekit_staging'::regnamespace AND relkind = 'r'"
    assert scene.ask(left) == ["pipekit_ledger"]
