# What a real run leaves for those who watch: rows its source expects, seconds of its stages, when its lines came.
"""A run from PostgreSQL that another connection to the state looks at, and tables under a view."""

from pathlib import Path

import psycopg
import pytest

from pipekit import repo
from pipekit.demo.postgres import LocalPostgres
from pipekit.drivers import get_driver
from pipekit.engine.events import Event, RowsMoved
from pipekit.engine.looking.look import open_look
from pipekit.engine.starting.cancel import cancel_run
from tests.lending import lend_database, take_back
from tests.project import Project


@pytest.mark.usefixtures("near_when_quick")
def test_a_first_run_knows_its_sources_estimate_and_a_cancelled_one_who_ended_it(
    postgres: LocalPostgres, tmp_path: Path
) -> None:
    name = lend_database(postgres)
    project = Project(tmp_path)
    try:
        with psycopg.connect(host="127.0.0.1", port=postgres.port, user="postgres", dbname=name, autocommit=True) as db:
            db.execute("CREATE TABLE base AS SELECT n AS id FROM generate_series(1, 20000) AS n")
            db.execute("CREATE VIEW seen AS SELECT id FROM base WHERE id > 0")
            db.execute("ANALYZE base")
        shop = project.add_connection("shop", postgres.jdbc_url(name), username="postgres")
        dw = project.add_connection("dw", "jdbc:sqlite:dw.db")
        module = project.add_module(
            "seen", source=shop, query="select id from seen", dest=dw, table="seen", create_table=True
        )
        first = project.succeed(module)
        assert first.rows_expected is not None
        assert 10_000 <= first.rows_expected <= 20_000
        assert project.succeed(module).rows_expected is None  # the first one tells by now
        parts, _ = repo.read_timed_log(project.db, first.id)
        assert all(part.at and first.started_at and part.at[:10] == first.started_at[:10] for part in parts)

        def stop(event: Event) -> None:
            if isinstance(event, RowsMoved):
                cancel_run(project.db, event.run_id, "otto")

        repo.update_module(project.db, module.id, source_query="select id from seen where pg_sleep(0.001) is not null")
        ended = project.run(repo.get_module(project.db, module.id), stop)
        assert (ended.status, ended.cancelled_by) == ("cancelled", "otto")
        assert ended.error == "The run was cancelled during stage by otto."
        assert ended.rows_so_far is not None
        with open_look(project.config, project.secrets, shop) as look:
            found = get_driver("postgresql").list_query_tables(look.query, "select id from seen")
            assert [str(table) for table in found or ()] == ["public.base"]
    finally:
        project.close()
        take_back(postgres, name)
