# Connections on their pages, against real SQLite files and a port where nothing listens.
"""Making, changing, testing and deleting connections."""

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from pipekit import repo
from tests.pages.site import Page, Site, Visitor

GIVEN = {"name": "dw", "driver": "postgresql", "jdbc_url": "jdbc:postgresql://127.0.0.1:1/dw", "username": "etl"}


def make(site: Site, ana: Visitor, **changes: Any) -> int:
    page = ana.post("/connections", {**GIVEN, **changes})
    assert page.status == 303, page.texts(".field-problem")
    return repo.get_connection_by_name(site.db, changes.get("name", "dw")).id


def test_a_connection_is_made_changed_and_deleted(site: Site, ana: Visitor) -> None:
    made = make(site, ana, password="$DW_PASSWORD", max_runs="2", variables="lib=PROD , other = TEST")
    form = ana.get(f"/connections/{made}/edit").form("form.stack")
    assert (form["password"], form["max_runs"]) == ("$DW_PASSWORD", "2")
    assert form["variables"] == "lib = PROD, other = TEST"
    assert "lib = PROD, other = TEST" in ana.get(f"/connections/{made}").text
    ana.post(f"/connections/{made}", {**form, "username": "", "max_runs": ""})
    changed = repo.get_connection(site.db, made)
    assert (changed.username, changed.max_runs, changed.password) == (None, None, "$DW_PASSWORD")
    page = ana.get(f"/connections/{made}/delete")
    assert "the secret DW_PASSWORD" in page.text
    assert ana.post(f"/connections/{made}/delete").answer.headers["location"] == "/connections"
    assert repo.list_connections(site.db) == []
    assert [entry.action for entry in repo.list_audit(site.db)] == ["delete", "change", "create"]


def test_a_password_typed_instead_of_a_reference_is_neither_kept_nor_sent_back(site: Site, ana: Visitor) -> None:
    page = ana.post("/connections", {**GIVEN, "password": "hunter2hunter2"})
    assert page.status == 422
    assert "the name of a secret" in page.one("#p-password").text()
    assert page.one("#f-username").attributes["value"] == "etl"
    assert "hunter2" not in page.html
    assert repo.list_connections(site.db) == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "name"),
        ({"variables": "lib = A; drop"}, "variables"),
        ({"driver": "oracle"}, "driver"),
        ({"jdbc_url": "jdbc:sqlite:x.db"}, "jdbc_url"),
        ({"jdbc_url": "jdbc:postgresql://h/d?socketFactory=x"}, "jdbc_url"),
        ({"max_runs": "0"}, "max_runs"),
    ],
)
def test_a_problem_stands_beside_its_field(site: Site, ana: Visitor, changes: dict[str, str], field: str) -> None:
    page = ana.post("/connections", {**GIVEN, **changes})
    assert page.status == 422
    assert page.has(f"#p-{field}"), page.texts(".field-problem")
    assert page.has(f"#f-{field}[autofocus]")


def test_a_connection_in_use_names_its_modules_instead_of_going(site: Site, ana: Visitor) -> None:
    module = site.make_module("orders")
    assert "used by orders" in ana.get(f"/connections/{module.source_id}/delete").text
    page = ana.post(f"/connections/{module.source_id}/delete")
    assert page.status == 409
    assert "orders" in page.text
    shown = ana.get(f"/connections/{module.dest_id}")
    assert shown.texts("main tbody td") == ["orders", "dest"]


def test_a_test_shows_the_version_and_what_is_there(site: Site, ana: Visitor) -> None:
    with closing(sqlite3.connect(site.config.base_dir / "shop.db")) as db:
        db.execute("create table t (id)")
    made = make(site, ana, name="shop", driver="sqlite", jdbc_url="jdbc:sqlite:shop.db")
    fragment = ana.post(f"/connections/{made}/test", headers={"HX-Request": "true"})
    assert not fragment.has("main")
    assert f"SQLite {sqlite3.sqlite_version}" in fragment.text
    assert "1 table in" in fragment.text
    page = ana.post(f"/connections/{made}/test")
    assert page.has("main #tested .notice.good")


def test_a_test_that_fails_says_why(site: Site, ana: Visitor) -> None:
    page = ana.post(f"/connections/{make(site, ana)}/test")
    assert page.status == 200
    assert "127.0.0.1" in page.one("#tested .problem").text()


def test_a_test_without_the_secret_names_it(site: Site, ana: Visitor) -> None:
    page = ana.post(f"/connections/{make(site, ana, password='$NOWHERE')}/test")
    assert "NOWHERE" in page.one("#tested .problem").text()


def test_known_secrets_are_offered_by_name(site: Site, ana: Visitor) -> None:
    site.secrets.set("DW_PASSWORD", "hush hush")
    page = ana.get("/connections/new")
    assert [option.attributes["value"] for option in page.all("#secret-names option")] == ["$DW_PASSWORD"]
    assert "hush" not in page.html


def test_a_password_is_kept_as_a_secret_along_with_its_connection(site: Site, ana: Visitor) -> None:
    made = make(site, ana, name="2nd dw", secret_value="hush hush\n")
    assert repo.get_connection(site.db, made).password == "$_2ND_DW_PASSWORD"
    assert site.secrets.resolve("$_2ND_DW_PASSWORD") == "hush hush"
    noted = [(entry.action, entry.kind, entry.name) for entry in repo.list_audit(site.db)]
    assert noted == [("change", "secret", "_2ND_DW_PASSWORD"), ("create", "connection", "2nd dw")]
    form = ana.get(f"/connections/{made}/edit").form("form.stack")
    assert "hush" not in str(form)
    ana.post(f"/connections/{made}", {**form, "password": "$OTHER", "secret_value": "another"})
    assert repo.get_connection(site.db, made).password == "$OTHER"
    assert site.secrets.resolve("$OTHER") == "another"
    assert site.secrets.resolve("$_2ND_DW_PASSWORD") == "hush hush"


def test_a_name_that_is_taken_gets_a_number(site: Site, ana: Visitor) -> None:
    site.secrets.set("DW_PASSWORD", "of somebody else")
    made = make(site, ana, secret_value="hush hush")
    assert repo.get_connection(site.db, made).password == "$DW_PASSWORD_2"
    assert site.secrets.resolve("$DW_PASSWORD") == "of somebody else"


def test_a_name_that_the_environment_or_a_reference_has_is_taken_too(
    site: Site, ana: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DW_PASSWORD", "of the environment")
    site.add_connection("warehouse", GIVEN["jdbc_url"], password="$DW_PASSWORD_2")
    made = make(site, ana, secret_value="hush hush")
    assert repo.get_connection(site.db, made).password == "$DW_PASSWORD_3"


def test_a_value_that_was_typed_into_a_form_that_comes_back_is_asked_for_again(site: Site, ana: Visitor) -> None:
    page = ana.post("/connections", {**GIVEN, "max_runs": "x", "secret_value": "hush hush"})
    assert page.status == 422
    assert "Type the value again" in page.one("#p-secret_value").text()
    assert "hush" not in page.html
    assert not ana.post("/connections", {**GIVEN, "max_runs": "x"}).has("#p-secret_value")


def test_a_name_that_no_secret_can_have_is_told_beside_it(site: Site, ana: Visitor) -> None:
    page = ana.post("/connections", {**GIVEN, "password": "$A B", "secret_value": "hush hush"})
    assert page.status == 422
    assert page.has("#p-password")
    assert repo.list_connections(site.db) == []


def test_a_secret_that_cannot_be_kept_leaves_no_connection(site: Site, ana: Visitor) -> None:
    page = ana.post("/connections", {**GIVEN, "secret_value": "a\0b"})
    assert page.status == 422
    assert "NUL" in page.one("#p-secret_value").text()
    site.config.secrets_path.write_text("no line of that form\n")
    site.config.secrets_path.chmod(0o600)
    page = ana.post("/connections", {**GIVEN, "secret_value": "hush hush"})
    assert page.status == 422
    assert "NAME=value" in page.one("#p-secret_value").text()
    assert "hush" not in page.html
    assert repo.list_connections(site.db) == []


def test_a_secret_of_a_connection_that_is_refused_is_not_kept(site: Site, ana: Visitor) -> None:
    page = ana.post("/connections", {**GIVEN, "jdbc_url": "jdbc:x:y", "secret_value": "hush hush"})
    assert page.status == 422
    assert site.secrets.names() == []


def test_a_test_that_fails_says_what_to_do(site: Site, otto: Visitor) -> None:
    made = site.add_connection("dw", GIVEN["jdbc_url"], username="etl")
    page = otto.post(f"/connections/{made.id}/test")
    assert page.status == 200
    assert "host and port of the connection are right" in page.one("#tested .hint").text()


ADDRESS = "/connections/address?origin="


def ask(ana: Visitor, origin: str, **form: str) -> Page:
    """A piece of the form, as it comes while somebody types."""
    return ana.post(ADDRESS + origin, form, headers={"HX-Request": "true"})


def test_a_connection_is_made_of_fields(site: Site, ana: Visitor) -> None:
    form = ana.get("/connections/new").form("form.stack")
    form |= {"name": "dw", "at_host": "db", "at_database": "dw", "at_sslmode": "require", "secret_value": "hush hush"}
    assert ana.post("/connections", form).status == 303
    made = repo.get_connection_by_name(site.db, "dw")
    assert (made.jdbc_url, made.password) == ("jdbc:postgresql://db/dw?sslmode=require", "$DW_PASSWORD")
    page = ana.get(f"/connections/{made.id}/edit")
    assert "hush" not in page.html
    form = page.form("form.stack")
    assert (form["at_host"], form["at_sslmode"], form["address_seen"]) == ("db", "require", made.jdbc_url)
    ana.post(f"/connections/{made.id}", form | {"at_port": "5433"})
    assert repo.get_connection(site.db, made.id).jdbc_url == "jdbc:postgresql://db:5433/dw?sslmode=require"
    typed = ana.get(f"/connections/{made.id}/edit").form("form.stack") | {"jdbc_url": "jdbc:postgresql://other/dw"}
    ana.post(f"/connections/{made.id}", typed)
    assert repo.get_connection(site.db, made.id).jdbc_url == "jdbc:postgresql://other/dw"
    assert site.secrets.resolve("$DW_PASSWORD") == "hush hush"


def test_the_address_follows_the_fields_and_the_fields_an_address_that_is_pasted(site: Site, ana: Visitor) -> None:
    line = ask(ana, "fields", driver="sqlserver", at_host="db", at_instance="x", at_database="d", at_encrypt="true")
    address = "jdbc:sqlserver://db\\x;databaseName=d;encrypt=true"
    assert line.one("#f-jdbc_url").attributes["value"] == address
    pasted = "jdbc:postgresql://etl:hunter2@db:5433/dw?sslmode=require"
    page = ask(ana, "address", driver="sqlite", jdbc_url=pasted)
    values = {name: page.one(f"#f-{name}").attributes["value"] for name in ("at_host", "at_port", "at_database")}
    assert values == {"at_host": "db", "at_port": "5433", "at_database": "dw"}
    assert page.one("#f-driver option[selected]").attributes["value"] == "postgresql"
    assert page.one("#f-username").attributes["value"] == "etl"
    assert "hunter2" not in page.html
    assert "held a password" in page.text
    assert (
        ask(ana, "address", driver="postgresql", jdbc_url="postgres://db/dw").one("#f-jdbc_url").attributes["value"]
        == "jdbc:postgresql://db/dw"
    )
    assert ask(ana, "kind", driver="sqlite", jdbc_url=address).one("#f-at_file").attributes["value"] == ""
    whole = ana.post(ADDRESS + "kind", {"driver": "db2i", "name": "ibmi", "secret_value": "hush hush"})
    assert (whole.form("form.stack")["name"], whole.has("#f-at_libraries"), "hush" in whole.html) == (
        "ibmi",
        True,
        False,
    )


def test_a_connection_is_tested_before_it_is_saved_and_nothing_is_kept(site: Site, ana: Visitor, otto: Visitor) -> None:
    with closing(sqlite3.connect(site.config.base_dir / "shop.db")) as db:
        db.execute("create table t (id)")
    form = ana.get("/connections/new").form("form.stack") | {"driver": "sqlite", "jdbc_url": "jdbc:sqlite:shop.db"}
    page = ana.post("/connections/trial", form, headers={"HX-Request": "true"})
    assert f"SQLite {sqlite3.sqlite_version}" in page.one(".notice.good").text()
    failed = ana.post("/connections/trial", {**GIVEN, "secret_value": "hunter2hunter2"})
    assert "127.0.0.1" in failed.one("#tested .problem").text()
    assert "hunter2" not in failed.html
    bad = ana.post("/connections/trial", {**GIVEN, "jdbc_url": "jdbc:postgresql://h"}, headers={"HX-Request": "true"})
    assert bad.has(".problem")
    assert (repo.list_connections(site.db), site.secrets.names()) == ([], [])
    assert otto.post("/connections/trial", form).status == 403


def test_the_list_says_when_each_last_worked_and_what_it_is(site: Site, ana: Visitor, vera: Visitor) -> None:
    with closing(sqlite3.connect(site.config.base_dir / "shop.db")) as db:
        db.execute("create table orders (id)")
    module = site.make_module("orders", create_table=True)
    down = make(site, ana, name="down")
    assert vera.get("/connections").texts("tbody td:nth-child(3)") == ["not yet"] * 3
    for connection in (module.source_id, down):
        ana.post(f"/connections/{connection}/test")
    page = vera.get("/connections")
    lines = dict(zip(page.texts("tbody td:first-child"), page.texts("tbody td:nth-child(3)"), strict=True))
    assert (lines["dw"], lines["down"][:6], "not" in lines["shop"]) == ("not yet", "failed", False)
    assert f"SQLite {sqlite3.sqlite_version}" in page.texts("tbody td:nth-child(2)")
    site.succeed(module)
    assert "not yet" not in vera.get("/connections").texts("tbody td:nth-child(3)")
    assert "Last worked not yet; the test failed" in vera.get(f"/connections/{down}").text
    ana.post(f"/connections/{down}", {**GIVEN, "name": "down", "jdbc_url": "jdbc:postgresql://127.0.0.1:2/dw"})
    assert "the test failed" not in vera.get(f"/connections/{down}").text
