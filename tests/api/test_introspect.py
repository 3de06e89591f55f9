# Looking into databases through the API, and what is said when that fails.
"""Rules for /api/introspect and /api/drivers."""

import threading
from typing import Any

import pytest

from pipekit.cutting import TOLD
from pipekit.engine.looking import look
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


def test_a_database_that_says_nothing_is_given_up(home: Home, ana: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    home.connect()
    monkeypatch.setattr(look, "SILENCE_S", 1.0)
    endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n"
    error = ana.fail("POST", "/introspect/src/preview", 502, {"sql": endless})
    assert error["code"] == "TimedOut"
    assert "1 s" in error["message"]


def test_only_so_many_looks_go_on_at_once(home: Home, ana: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    home.connect()
    monkeypatch.setattr(look, "_PLACES", threading.BoundedSemaphore(1))
    monkeypatch.setattr(look, "WAIT_FOR_PLACE_S", 0.1)
    with look._PLACES:
        ana.fail("POST", "/introspect/src/test", 429)
    ana.post("/introspect/src/test")


def test_a_cell_that_is_no_unicode_is_told_with_its_place(home: Home, ana: Caller) -> None:
    home.connect()
    error = ana.fail("POST", "/introspect/src/preview", 422, {"sql": "select cast(x'ed41' as text) as a"})
    assert "Column a, row 1" in error["message"]
