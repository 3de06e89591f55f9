# A password with awkward characters, on a server that asks for it, looked for in every place it could leak to.
"""The password appears nowhere: not in the state database, any process's argv or environment, logs, errors or JSON."""

import base64
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from pipekit.demo.postgres import LocalPostgres
from pipekit.errors import PipekitError
from pipekit.models import Module
from tests.project import Project

PASSWORD = "p'w \"d$%é\\4711"
WRONG = "wr0ng-'p%ss"


@pytest.fixture(scope="module")
def guarded(postgres: LocalPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalPostgres]:
    """A server of its own that asks for a password (`postgres` has skipped by now where there is none)."""
    server = LocalPostgres(Path(tmp_path_factory.mktemp("guarded")), password=PASSWORD)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def project(guarded: LocalPostgres, tmp_path: Path) -> Iterator[Project]:
    project = Project(tmp_path)
    for name, value in (("DW_PASSWORD", PASSWORD), ("BAD_PASSWORD", WRONG)):
        assert project.cli_apart("secrets", "set", name, input_text=value + "\n").code == 0
    for name, reference in (("dw", "$DW_PASSWORD"), ("bad", "$BAD_PASSWORD")):
        project.add_connection(name, guarded.jdbc_url("postgres"), username="postgres", password=reference)
    yield project
    project.close()


def add(project: Project, name: str, query: str, connection: str = "dw") -> Module:
    from pipekit import repo

    found = repo.get_connection_by_name(project.db, connection)
    return project.add_module(name, source=found, query=query, dest=found, table=f"public.{name}", create_table=True)


def forms(value: str) -> list[str]:
    """The value as it is and as it could be written."""
    return [value, quote(value), base64.b64encode(value.encode()).decode(), json.dumps(value)[1:-1]]


def assert_clean(*texts: str) -> None:
    for text in texts:
        assert [form for value in (PASSWORD, WRONG) for form in forms(value) if form in text] == []


class Watch:
    """Looks at every process's argv and environment, over and over, while a block runs."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._done.wait(0.005):
            for place in Path("/proc").glob("[0-9]*"):
                for name in ("cmdline", "environ"):
                    try:
                        self.seen.add((place / name).read_bytes().decode(errors="replace"))
                    except OSError:
                        continue


def stored(project: Project) -> str:
    """Everything in the state database's files but the secrets file."""
    files = [path for path in project.home.rglob("*") if path.is_file() and path != project.config.secrets_path]
    assert any(path.name == "pipekit.db" for path in files)
    return "".join(path.read_bytes().decode(errors="replace") for path in files)


def test_a_run_that_succeeds_leaves_no_trace_of_it(project: Project) -> None:
    add(project, "good", "select g as id, pg_sleep(0.05) is null as x from generate_series(1, 20) g")
    with Watch() as watch:
        finished = project.cli_apart("run", "good")
        as_json = project.cli_apart("run", "good", "--json")
    assert (finished.code, as_json.code) == (0, 0), finished.stdout + finished.stderr
    assert any("pipekit.runner.child" in text for text in watch.seen)
    assert_clean(finished.stdout, finished.stderr, as_json.stdout, stored(project), *watch.seen)


@pytest.mark.parametrize("value", [PASSWORD, WRONG])
def test_text_that_holds_it_is_masked_wherever_it_is_shown_or_stored(project: Project, value: str) -> None:
    literal = value.replace("'", "''")
    add(project, "says", f"select '{literal}'::text::int as n")
    shown = [
        project.cli_apart("run", "says"),
        project.cli_apart("run", "says", "--json"),
        project.cli_apart("runs", "show", "2", "--log"),
    ]
    assert shown[0].code == 1
    # The definition itself is what somebody wrote into it; the record of its runs is what Pipekit writes.
    project.db.execute("UPDATE module SET source_query = 'select 1'")
    project.db.execute("VACUUM")
    project.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert "****" in shown[0].stdout + shown[0].stderr
    assert_clean(*(part.stdout + part.stderr for part in shown), stored(project))


def test_a_wrong_password_is_refused_without_repeating_it(project: Project) -> None:
    add(project, "refused", "select 1 as n", connection="bad")
    shown = [
        project.cli_apart("run", "refused"),
        project.cli_apart("run", "refused", "--json"),
        project.cli_apart("connections", "test", "bad"),
    ]
    assert [part.code for part in shown] == [1, 1, 1]
    assert "password authentication failed" in shown[0].stdout + shown[0].stderr
    assert_clean(*(part.stdout + part.stderr for part in shown), stored(project), project.read_log(1))


def test_a_missing_secret_says_where_to_put_it(project: Project) -> None:
    project.secrets.delete("DW_PASSWORD")
    add(project, "missing", "select 1 as n")
    finished = project.cli_apart("run", "missing")
    assert finished.code == 1
    assert "DW_PASSWORD" in finished.stdout + finished.stderr
    assert "pipekit secrets set DW_PASSWORD" in finished.stdout + finished.stderr


def test_it_cannot_be_put_into_a_connection(project: Project) -> None:
    for jdbc_url, password in (("jdbc:postgresql://h/db?password=" + WRONG, None), ("jdbc:postgresql://h/db", WRONG)):
        with pytest.raises(PipekitError) as caught:
            project.add_connection("x", jdbc_url, password=password)
        assert_clean(caught.value.message, caught.value.hint)
    url = "jdbc:postgresql://u:" + quote(WRONG) + "@h/db"
    text = f"connections:\n  x: {{driver: postgresql, jdbc_url: '{url}'}}\n"
    finished = project.cli_apart("apply", "-", input_text=text)
    assert finished.code == 2
    assert_clean(finished.stdout, finished.stderr)
