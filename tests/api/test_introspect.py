# Looking into databases through the API, and what is said when that fails.
"""Rules for /api/introspect and /api/drivers."""

import os
import signal
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipekit.cutting import TOLD
from pipekit.engine.looking import looks as looking
from pipekit.engine.looking.looks import Looks
from pipekit.errors import RunnerDied, StatementFailed
from tests.api.caller import Caller, Home


def test_drivers_say_how_their_urls_look(vera: Caller) -> None:
    drivers = vera.get("/drivers")
    assert [driver["kind"] for driver in drivers] == sorted(driver["kind"] for driver in drivers)
    sqlite = vera.get("/drivers/sqlite")
    assert sqlite["url_example"].startswith("jdbc:sqlite:")
    assert sqlite in drivers
    vera.fail("GET", "/drivers/oracle9", 404)


def test_a_catalogue_is_browsed_down_to_the_columns(home: Home, ana: Caller) -> None:
    home.connect()
    schemas = ana.get("/introspect/src/schemas")
    tables = ana.get(f"/introspect/src/tables?schema={schemas[0]}")
    assert [table["name"] for table in tables] == ["t"]
    columns = ana.get("/introspect/src/columns?table=t")
    assert [(column["name"], column["in_key"]) for column in columns] == [("id", True), ("name", False)]
    assert ana.get(f"/introspect/src/columns?table=t&schema={schemas[0]}") == columns
    assert ana.get(f"/introspect/1/inventory?schema={schemas[0]}") == {"t": columns}
    ana.fail("GET", "/introspect/src/columns?table=nothing", 404)
    tested = ana.post("/introspect/src/test")
    assert (tested["ok"], tested["schemas"]) == (True, schemas)


def test_a_querys_columns_and_first_rows(home: Home, ana: Caller) -> None:
    home.connect()
    sql = "select id, name, null as gone from t order by id; -- all"
    columns = ana.post("/introspect/src/query-columns", {"sql": sql})
    assert [column["name"] for column in columns] == ["id", "name", "gone"]
    shown = ana.post("/introspect/src/preview", {"sql": sql, "limit": 2})
    assert shown["rows"] == [["0", "row 0", None], ["1", "row 1", None]]
    endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select i from n"
    assert len(ana.post("/introspect/src/preview", {"sql": endless, "limit": 100})["rows"]) == 100
    ana.fail("POST", "/introspect/src/preview", 422, {"sql": sql, "limit": 101})
    [[cell]] = ana.post("/introspect/src/preview", {"sql": "select printf('%.1000000c', 'x') as long"})["rows"]
    assert cell.startswith("xxx")
    assert "characters left out" in cell
    assert len(cell) <= TOLD


def test_a_query_the_database_refuses_is_the_callers_mistake(home: Home, ana: Caller) -> None:
    home.connect()
    for path in ("query-columns", "preview"):
        error = ana.fail("POST", f"/introspect/src/{path}", 422, {"sql": "select missing from nowhere"})
        assert error["field"] == "sql"
        assert "nowhere" in error["message"]
        ana.fail("POST", f"/introspect/src/{path}", 422, {"sql": "delete from t"})
    assert ana.post("/introspect/src/preview", {"sql": "select count(*) from t"})["rows"] == [["100"]]


def test_a_database_that_is_not_there_is_a_bad_gateway(home: Home, ana: Caller) -> None:
    home.add_connection("missing", "jdbc:sqlite:nowhere/at-all.db")
    home.add_connection("closed", "jdbc:postgresql://127.0.0.1:1/dw", username="x")
    for name in ("missing", "closed"):
        for method, path, body in _looks():
            error = ana.fail(method, f"/introspect/{name}/{path}", 502, body)
            assert error["code"] == "ConnectFailed"
            assert error["message"]


def _looks() -> list[tuple[str, str, dict[str, Any] | None]]:
    return [
        ("POST", "test", None),
        ("GET", "tables?schema=public", None),
        ("POST", "preview", {"sql": "select 1"}),
    ]


def test_a_secret_without_a_value_is_named(home: Home, ana: Caller) -> None:
    home.add_connection("dw", "jdbc:sqlite:dw.db", password="$NOT_THERE")
    assert "NOT_THERE" in ana.fail("POST", "/introspect/dw/test", 503)["message"]


@pytest.fixture
def looks(home: Home) -> Looks:
    found: Looks = home.app.state.context.looks
    return found


def test_a_database_that_says_nothing_is_given_up(
    home: Home, ana: Caller, looks: Looks, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.connect()
    monkeypatch.setattr(looks, "_config", replace(home.config, silence_timeout_s=1.0))
    endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n"
    error = ana.fail("POST", "/introspect/src/preview", 502, {"sql": endless})
    assert (error["code"], error["message"]) == ("TimedOut", "src did not answer within 1 s.")


def test_only_so_many_looks_go_on_at_once(
    home: Home, ana: Caller, looks: Looks, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, _ = home.connect()
    monkeypatch.setattr(looking, "WAIT_FOR_PLACE_S", 0.1)
    with ExitStack() as under_way:
        opened = [under_way.enter_context(looks.open(source)) for _ in range(looking.MOST_AT_ONCE)]
        assert len({look.runner.pid for look in opened}) == looking.MOST_AT_ONCE
        ana.fail("POST", "/introspect/src/test", 429)
    ana.post("/introspect/src/test")


def test_a_look_that_comes_soon_takes_the_process_of_the_one_before_which_has_let_the_database_go(
    home: Home, looks: Looks
) -> None:
    source, dest = home.connect()
    with looks.open(source) as first:
        assert first.query("select count(*) from t").first_cell() == "100"
        assert list_open_files(first.runner.pid) & {"src.db"}
    assert not list_open_files(first.runner.pid) & {"src.db"}
    with looks.open(source) as again, looks.open(dest) as other:
        assert again.query("select count(*) from t").first_cell() == "100"
        assert again.runner.pid == first.runner.pid != other.runner.pid
    looks.close()
    assert not first.runner.alive
    assert not other.runner.alive


def list_open_files(pid: int) -> set[str]:
    return {os.path.basename(os.readlink(item)) for item in Path(f"/proc/{pid}/fd").iterdir()}


def test_after_a_look_that_failed_the_next_one_answers(home: Home, looks: Looks) -> None:
    source, _ = home.connect()
    with pytest.raises(StatementFailed), looks.open(source) as refused:
        refused.query("select nothing from nowhere")
    with looks.open(source) as killed:
        os.kill(killed.runner.pid, signal.SIGKILL)
        with pytest.raises(RunnerDied):
            killed.query("select 1")
    with pytest.raises(ZeroDivisionError), looks.open(source) as mistaken:
        raise ZeroDivisionError
    with looks.open(source) as last:
        assert last.query("select count(*) from t").first_cell() == "100"
    assert refused.runner.pid == killed.runner.pid
    assert last.runner.pid not in (killed.runner.pid, mistaken.runner.pid)


def test_a_cell_that_is_no_unicode_is_told_with_its_place(home: Home, ana: Caller) -> None:
    home.connect()
    error = ana.fail("POST", "/introspect/src/preview", 422, {"sql": "select cast(x'ed41' as text) as a"})
    assert "Column a, row 1" in error["message"]
