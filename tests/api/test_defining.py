# Defining through the API: each noun's life from its making to its end, and what is refused on the way.
"""Rules for connections, modules, watermarks, hooks, groups, members and schedules over HTTP."""

from typing import Any
from urllib.parse import quote

import pytest

from pipekit import repo
from tests.api.caller import Caller, Home
from tests.jars import write_jar

SRC = {"name": "src", "driver": "sqlite", "jdbc_url": "jdbc:sqlite:src.db"}


def make_module(ana: Caller, **more: Any) -> dict[str, Any]:
    source = ana.post("/connections", SRC)["id"]
    dest = ana.post("/connections", {**SRC, "name": "dw", "jdbc_url": "jdbc:sqlite:dw.db"})["id"]
    body = {"name": "orders", "source_id": source, "dest_id": dest, "source_query": "select 1 as a", "dest_table": "o"}
    made: dict[str, Any] = ana.post("/modules", {**body, **more}, expect=201)
    return made


def test_a_connection_lives_from_making_to_deleting(ana: Caller) -> None:
    made = ana.post("/connections", {**SRC, "password": "$SHOP"}, expect=201)
    assert made == {"id": 1, **SRC, "username": None, "password": "$SHOP", "max_runs": None, "variables": {}}
    assert ana.get("/connections") == [made]
    assert ana.get("/connections/1") == made == ana.get("/connections/SRC")
    assert ana.patch("/connections/src", {"max_runs": 2})["max_runs"] == 2
    assert ana.ask("PUT", "/connections/src", {"name": "shop"})["name"] == "shop"
    assert ana.delete("/connections/shop", expect=204) is None
    assert ana.fail("GET", "/connections/1", 404)["code"] == "NotFound"


def test_a_module_lives_from_making_to_deleting(ana: Caller) -> None:
    columns = [{"id": "c1", "source_name": "a", "source_type": "", "dest_name": "b", "dest_type": "INTEGER"}]
    made = make_module(ana, merge_strategy="upsert", merge_key="b, c", columns=columns, guards={"shrink": 0.5})
    assert made["merge_key"] == "b, c"
    assert made["columns"] == columns
    assert made["guards"]["shrink"] == 0.5
    assert made["guards"]["empty_source"] is True
    assert ana.get("/modules/orders") == made == ana.get("/modules/1")
    changed = ana.patch("/modules/orders", {"enabled": False, "retries": 0})
    assert changed == {**made, "enabled": False, "retries": 0}
    assert ana.patch("/modules/orders", {"merge_key": ["a,b", "c"]})["merge_key"] == '"a,b", c'
    ana.delete("/modules/orders", expect=204)
    assert ana.get("/modules") == []


def test_columns_and_guards_are_replaced_as_a_whole(ana: Caller) -> None:
    make_module(ana, guards={"shrink": 0.5, "exactness": False})
    changed = ana.patch("/modules/orders", {"guards": {"shrink": 0.9}})
    assert (changed["guards"]["shrink"], changed["guards"]["exactness"]) == (0.9, True)
    column = {"id": "c1", "source_name": "a", "dest_name": "b"}
    changed = ana.patch("/modules/orders", {"columns": [column]})
    assert changed["columns"] == [{**column, "source_type": "", "dest_type": ""}]


def test_code_pages_and_variables_are_given_as_a_mapping_or_a_text_and_answered_as_a_mapping(ana: Caller) -> None:
    assert make_module(ana, translate={"NAME": 273, "A,B": "37"})["translate"] == {"NAME": "273", "A,B": "37"}
    assert ana.patch("/modules/orders", {"translate": "CITY=500"})["translate"] == {"CITY": "500"}
    assert ana.patch("/connections/src", {"variables": {"lib": "PROD"}})["variables"] == {"lib": "PROD"}
    assert ana.fail("PATCH", "/connections/src", 422, {"variables": {"lib": "A.B"}})["field"] == "variables"
    assert ana.fail("PATCH", "/modules/orders", 422, {"translate": "CITY"})["field"] == "translate"


def test_a_watermark_may_not_have_the_name_of_a_variable_of_its_source(ana: Caller) -> None:
    make_module(ana)
    ana.patch("/connections/src", {"variables": "lib = PROD"})
    body = {"module_id": 1, "name": "lib", "connection_id": 1, "resolver_sql": "select 1"}
    told = ana.fail("POST", "/watermarks", 422, body)
    assert told["message"] == "'lib' is a watermark of the module and a variable of its source 'src'."


def test_watermarks_and_hooks_live_with_their_module(ana: Caller) -> None:
    module = make_module(ana)
    mark = {"module_id": module["id"], "name": "since", "connection_id": 2, "resolver_sql": "select 1"}
    made = ana.post("/watermarks", mark, expect=201)
    assert ana.get("/watermarks?module=orders") == [made] == ana.get("/watermarks")
    assert ana.patch(f"/watermarks/{made['id']}", {"default_value": "0"})["default_value"] == "0"
    hook = ana.post("/hooks", {"module_id": module["id"], "sql": "analyze"}, expect=201)
    assert hook == {"id": 1, "module_id": 1, "sql": "analyze", "run_order": 1, "run_on": "success"}
    assert ana.patch("/hooks/1", {"run_on": "always"})["run_on"] == "always"
    assert ana.get("/hooks?module=1")[0]["run_on"] == "always"
    ana.delete(f"/watermarks/{made['id']}", expect=204)
    ana.delete("/hooks/1", expect=204)
    assert ana.get("/watermarks") == ana.get("/hooks") == []


def test_a_group_with_members_and_schedules(ana: Caller) -> None:
    module = make_module(ana)
    group = ana.post("/groups", {"name": "nightly", "parallel": 2}, expect=201)
    member = ana.post("/members", {"group_id": group["id"], "module_id": module["id"]}, expect=201)
    assert member["run_order"] == 1
    assert ana.patch(f"/members/{member['id']}", {"run_order": 5})["run_order"] == 5
    assert ana.fail("POST", "/members", 409, {"group_id": 1, "module_id": 1})["code"] == "NameTaken"
    schedule = ana.post("/schedules", {"group_id": group["id"], "cron": "@daily"}, expect=201)
    assert schedule["cron"] == "0 0 * * *"
    assert schedule["next_at"]
    assert "00:00" in schedule["reading"]
    assert ana.patch(f"/schedules/{schedule['id']}", {"enabled": False})["next_at"] is None
    assert ana.get(f"/schedules/{schedule['id']}/fires") == []
    assert ana.get("/schedules?group=nightly")[0]["id"] == schedule["id"]
    ana.delete(f"/members/{member['id']}", expect=204)
    ana.delete("/groups/nightly", expect=204)
    assert ana.get("/schedules") == ana.get("/members") == []


def test_what_is_in_use_is_not_deleted_and_the_answer_says_by_what(ana: Caller) -> None:
    make_module(ana)
    assert "orders" in ana.fail("DELETE", "/connections/src", 409)["message"]
    group = ana.post("/groups", {"name": "nightly"})
    ana.post("/members", {"group_id": group["id"], "module_id": 1})
    assert "nightly" in ana.fail("DELETE", "/modules/orders", 409)["message"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({**SRC, "driver": "oracle9"}, "driver"),
        ({**SRC, "jdbc_url": "jdbc:postgresql://h/db"}, "jdbc_url"),
        ({**SRC, "password": "hunter2"}, "password"),
        ({**SRC, "colour": "red"}, "colour"),
        ({**SRC, "name": "a\0b"}, "name"),
        ({**SRC, "name": "x" * 5000}, "name"),
        ({**SRC, "max_runs": 0}, "max_runs"),
        ({**SRC, "max_runs": "2"}, "max_runs"),
        ({**SRC, "max_runs": 2**70}, "max_runs"),
        ({"name": "src"}, "driver"),
    ],
)
def test_a_connection_that_cannot_be_is_refused_with_its_field(ana: Caller, body: dict[str, Any], field: str) -> None:
    error = ana.fail("POST", "/connections", 422, body)
    assert error["field"].split(".")[0] == field
    assert "hunter2" not in str(error)
    assert ana.get("/connections") == []


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"source_query": "select 'open"}, "source_query"),
        ({"source_query": "select 1; select 2"}, "source_query"),
        ({"merge_strategy": "upsert"}, "merge_key"),
        ({"merge_strategy": "upsert", "merge_key": "a, a"}, "merge_key"),
        ({"merge_strategy": "replace"}, "merge_strategy"),
        ({"name": "no spaces here"}, "name"),
        ({"run_timeout_s": -1}, "run_timeout_s"),
        ({"guards": {"shrink": 2}}, "guards"),
    ],
)
def test_a_module_that_cannot_be_is_refused_with_its_field(ana: Caller, more: dict[str, Any], field: str) -> None:
    with pytest.raises(AssertionError, match=": 422 ") as told:
        make_module(ana, **more)
    assert f'"field":"{field}' in str(told.value)
    assert ana.get("/modules") == []


@pytest.mark.parametrize("text", [b'{"name": "\\ud800"}', b"\xff\xfe", b"[" * 100_000, b'{"max_runs": 1e400}', b"nul"])
def test_a_body_that_is_no_text_or_no_json_is_refused(ana: Caller, text: bytes) -> None:
    headers = {"content-type": "application/json"}
    answer = ana.client.post("/api/connections", content=text, headers=headers)
    assert answer.status_code in (400, 422)
    assert answer.json()["error"]["message"]


def test_a_field_whose_name_is_no_unicode_is_refused_in_unicode(ana: Caller) -> None:
    answer = ana.client.post("/api/groups", content=b'{"\\ud800": 1}', headers={"content-type": "application/json"})
    assert answer.status_code == 422


def test_a_body_of_more_than_a_megabyte_is_refused(ana: Caller) -> None:
    assert ana.fail("POST", "/groups", 413, {"name": "x" * 1_100_000})["message"]


@pytest.mark.parametrize("noun", ["connections", "modules", "groups", "runs", "hooks", "users"])
def test_an_id_that_nothing_has_is_an_error_of_the_caller(ana: Caller, noun: str) -> None:
    for ref in ("99999999999999999999", str(2**63), "9" * 190, "%00", "%ED%A0%80", "-1", "0", "0x1", "1.5"):
        answer = ana.client.get(f"/api/{noun}/{ref}")
        assert answer.status_code in (404, 422), f"{ref}: {answer.text}"


def test_an_update_says_null_only_where_null_may_be(ana: Caller) -> None:
    ana.post("/connections", {**SRC, "username": "etl"})
    assert ana.patch("/connections/src", {"username": None})["username"] is None
    assert ana.fail("PATCH", "/connections/src", 422, {"name": None})["field"] == "name"


def test_every_definition_is_in_the_audit_trail_with_old_and_new(home: Home, ana: Caller) -> None:
    make_module(ana)
    ana.patch("/modules/orders", {"retries": 7})
    ana.patch("/modules/orders", {"retries": 7})
    ana.delete("/modules/orders")
    trail = [(e["action"], e["kind"], e["name"]) for e in ana.get("/audit")]
    assert trail == [
        ("delete", "module", "orders"),
        ("change", "module", "orders"),
        ("create", "module", "orders"),
        ("create", "connection", "dw"),
        ("create", "connection", "src"),
    ]
    change = ana.get("/audit?kind=module&name=orders")[1]
    assert len(ana.get("/audit?by=ana")) == 5
    assert ana.get("/audit?by=otto") == []
    assert (change["user"], change["detail"]) == ("ana", {"retries": [2, 7]})
    assert ana.get(f"/audit?limit=1&before_id={change['id']}")[0]["action"] == "create"


def test_a_change_that_is_refused_leaves_nothing_behind(home: Home, ana: Caller) -> None:
    ana.post("/connections", SRC)
    ana.fail("PATCH", "/connections/src", 422, {"jdbc_url": "jdbc:nonsense", "name": "other"})
    assert repo.get_connection(home.db, 1).name == "src"
    assert len(ana.get("/audit")) == 1


def test_a_kind_is_registered_changed_and_forgotten(home: Home, ana: Caller) -> None:
    folder = home.config.jar_folder
    folder.mkdir(parents=True)
    write_jar(folder / "h2.jar")
    write_jar(folder / "h2-new.jar", "org.h2.Driver", "org.h2.More")
    made = ana.post("/drivers", {"kind": "h2", "jar": "h2.jar"}, expect=201)
    assert (made["state"], made["jar"], made["java_class"]) == ("ok", "h2.jar", "org.h2.Driver")
    changed = ana.ask("PUT", "/drivers/h2", {"jar": "h2-new.jar"}, expect=200)
    assert changed == ana.get("/drivers/h2")
    assert changed["jar_sha256"] != made["jar_sha256"]
    for body, field in (
        ({"kind": "h2", "jar": "../h2.jar"}, "jar"),
        ({"kind": "sqlite", "jar": "h2.jar"}, "kind"),
        ({"kind": "h2", "jar": "h2.jar", "java_class": "no class"}, "java_class"),
        ({"kind": "h2", "jar": "h2.jar", "folder": "/"}, "folder"),
        ({"kind": "h2", "jar": "h2.jar", "url_template": "jdbc:h2:{file}"}, "url_template"),
    ):
        assert ana.fail("POST", "/drivers", 422, body)["field"] == field
    body = {"name": "file", "driver": "h2", "jdbc_url": f"jdbc:h2:{folder.parent}/file"}
    assert "registered for servers alone" in ana.fail("POST", "/connections", 422, body)["message"]
    opened = ana.ask("PUT", "/drivers/h2", {"jar": "h2-new.jar", "folder": str(folder.parent)}, expect=200)
    assert opened["folder"] == str(folder.parent)
    ana.delete(f"/connections/{ana.post('/connections', body, expect=201)['id']}", expect=204)
    assert ana.ask("PUT", "/drivers/h2", {"jar": "h2-new.jar"}, expect=200)["folder"] is None
    connection = ana.post(
        "/connections", {"name": "cellar", "driver": "h2", "jdbc_url": "jdbc:h2:tcp://localhost/shop"}, expect=201
    )
    assert "cellar" in ana.fail("DELETE", "/drivers/h2", 409)["message"]
    ana.delete(f"/connections/{connection['id']}", expect=204)
    ana.delete("/drivers/h2", expect=204)
    ana.fail("GET", "/drivers/h2", 404)
    ana.fail("DELETE", "/drivers/sqlite", 404)
    trail = [(e["action"], e["name"]) for e in ana.get("/audit?kind=driver")]
    assert trail == [("delete", "h2"), *[("register", "h2")] * 4]


def test_secrets_go_in_and_only_their_names_come_out(home: Home, ana: Caller, vera: Caller) -> None:
    ana.post("/connections", {**SRC, "password": "$SHOP_PASSWORD"}, expect=201)
    said = {"name": "SHOP_PASSWORD", "used_by": ["src"]}
    assert ana.ask("PUT", "/secrets/SHOP_PASSWORD", {"value": "hush hush"}, expect=200) == said
    assert home.secrets.resolve("$SHOP_PASSWORD") == "hush hush"
    assert vera.get("/secrets") == [said]
    vera.fail("PUT", "/secrets/SHOP_PASSWORD", 403, {"value": "mine"})
    assert ana.fail("PUT", "/secrets/9", 422, {"value": "x"})["field"] == "name"
    assert ana.fail("PUT", "/secrets/SHOP_PASSWORD", 422, {"value": ""})["field"] == "value"
    ana.delete("/secrets/SHOP_PASSWORD", expect=204)
    ana.fail("DELETE", "/secrets/SHOP_PASSWORD", 404)
    assert ana.get("/secrets") == []
    trail = ana.get("/audit?kind=secret")
    assert [(e["action"], e["name"], e["detail"]) for e in trail] == [
        ("delete", "SHOP_PASSWORD", {}),
        ("change", "SHOP_PASSWORD", {}),
    ]


ODD_NAMES = ["a?b", "a#b", "100%", "a b", "a\\b", "new", "...", "a.b", "a;b", "a&b=c", "ü", "'\"<b>", "1.5", "-x"]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_every_name_that_can_be_given_is_reached_by_it(ana: Caller, name: str) -> None:
    path = quote(name, safe="")
    group = ana.post("/groups", {"name": name}, expect=201)
    connection = ana.post("/connections", {**SRC, "name": name}, expect=201)
    assert ana.get(f"/groups/{path}") == group
    assert ana.patch(f"/groups/{path}", {"parallel": 3})["parallel"] == 3
    assert ana.get(f"/connections/{path}") == connection
    assert ana.patch(f"/connections/{path}", {"name": "plain"})["id"] == connection["id"]
    assert ana.post(f"/groups/{path}/pause")["paused"] is True
    assert ana.delete(f"/groups/{path}", expect=204) is None


@pytest.mark.parametrize("name", ["a/b", ".", "..", "17", "", " ", "a\nb", "x" * 201])
def test_a_name_that_no_path_can_hold_is_refused_by_its_field(ana: Caller, name: str) -> None:
    assert ana.fail("POST", "/groups", 422, {"name": name})["field"] == "name"
    assert ana.fail("POST", "/connections", 422, {**SRC, "name": name})["field"] == "name"
