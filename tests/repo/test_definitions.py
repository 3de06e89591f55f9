# Connections, modules, watermarks, hooks, groups, members and schedules: what they accept, refuse and hand back.
"""Every noun a person defines."""

from typing import Any

import pytest

from pipekit import repo
from pipekit.errors import Conflict, Invalid, NameTaken, NotFound
from pipekit.models import Column, Connection, Guards, Module

PASSWORD = "hunter2-not-a-reference"


def claim(db: repo.State, module: Module) -> int:
    return repo.claim_module(
        db, module.id, owner="me", lease_s=20, triggered_by="cli", dry_run=False, staging_table=None
    ).id


# -- connections -------------------------------------------------------------------------------------------------------


def test_a_connection_is_found_by_id_and_by_name_letter_case_aside(db: repo.State, dw: Connection) -> None:
    assert repo.get_connection(db, dw.id) == dw
    assert repo.get_connection_by_name(db, "DW") == dw
    assert repo.find_connection_by_name(db, "dW") == dw
    assert repo.find_connection_by_name(db, "elsewhere") is None
    assert dw.password == "$DW"


def test_a_missing_connection_is_said_with_the_names_there_are(db: repo.State, dw: Connection) -> None:
    with pytest.raises(NotFound, match="no connection 'elsewhere'") as caught:
        repo.get_connection_by_name(db, "elsewhere")
    assert "dw" in caught.value.hint
    with pytest.raises(NotFound):
        repo.get_connection(db, 99)


def test_a_name_too_many_is_refused(db: repo.State, shop: Connection, dw: Connection) -> None:
    with pytest.raises(NameTaken, match="'SHOP'"):
        repo.create_connection(db, name="SHOP", driver="sqlite", jdbc_url="jdbc:sqlite:x")
    with pytest.raises(NameTaken, match="'shop'"):
        repo.update_connection(db, dw.id, name="shop")


@pytest.mark.parametrize("password", [PASSWORD, "$", "$1abc", "$hunter2 not", "${HUNTER2_NOT}", "$hunter2-not\n"])
def test_a_password_that_is_no_reference_is_refused_and_not_repeated(db: repo.State, password: str) -> None:
    with pytest.raises(Invalid) as caught:
        repo.create_connection(db, name="x", driver="sqlite", jdbc_url="jdbc:sqlite:x", password=password)
    assert caught.value.field == "password"
    assert "hunter2" not in repr(caught.value) + caught.value.message + caught.value.hint
    assert repo.list_connections(db) == []


@pytest.mark.parametrize("url", ["jdbc:postgresql://me:hunter2@h/d", "jdbc:postgresql://h/d?user=a&password=hunter2"])
def test_a_password_inside_the_url_is_refused_and_not_repeated(db: repo.State, url: str) -> None:
    with pytest.raises(Invalid) as caught:
        repo.create_connection(db, name="x", driver="postgresql", jdbc_url=url)
    assert caught.value.field == "jdbc_url"
    assert "hunter2" not in caught.value.message + caught.value.hint


def test_the_database_itself_refuses_a_password_that_is_no_reference(db: repo.State) -> None:
    with pytest.raises(Conflict) as caught:
        db.insert("connection", {"name": "x", "driver": "d", "jdbc_url": "u", "password": PASSWORD})
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize(
    ("field", "value"), [("name", " "), ("name", "a\nb"), ("name", "x" * 201), ("driver", ""), ("jdbc_url", " ")]
)
def test_a_connection_without_its_parts_is_refused_by_field(db: repo.State, field: str, value: str) -> None:
    given: dict[str, Any] = {"name": "x", "driver": "sqlite", "jdbc_url": "jdbc:sqlite:x", field: value}
    with pytest.raises(Invalid) as caught:
        repo.create_connection(db, **given)
    assert caught.value.field == field


def test_a_connection_changes_field_by_field(db: repo.State, dw: Connection) -> None:
    changed = repo.update_connection(db, dw.id, username="other", password=None)
    assert (changed.name, changed.username, changed.password) == ("dw", "other", None)
    with pytest.raises(TypeError):
        repo.update_connection(db, dw.id, colour="red")
    with pytest.raises(NotFound):
        repo.update_connection(db, 99, name="x")


def test_a_connection_in_use_is_not_deleted_and_its_users_are_named(
    db: repo.State, shop: Connection, dw: Connection, orders: Module
) -> None:
    other = repo.create_connection(db, name="other", driver="sqlite", jdbc_url="jdbc:sqlite:other.db")
    repo.create_watermark(db, module_id=orders.id, name="since", connection_id=other.id, resolver_sql="select 1")
    for connection in (shop, dw, other):
        with pytest.raises(Conflict, match="used by orders"):
            repo.delete_connection(db, connection.id)


def test_a_connection_a_run_writes_to_is_not_deleted_before_the_run_ends(db: repo.State, dw: Connection) -> None:
    run = repo.start_adhoc_run(
        db, name="copy", dest_id=dw.id, dest_table="t", owner="me", triggered_by="cli", dry_run=False
    )
    with pytest.raises(Conflict, match=f"run {run.id}"):
        repo.delete_connection(db, dw.id)
    repo.finish_run(db, run.id, owner="me", status="success")
    repo.delete_connection(db, dw.id)
    assert repo.get_run(db, run.id).dest_id is None
    with pytest.raises(NotFound):
        repo.delete_connection(db, dw.id)


# -- modules -----------------------------------------------------------------------------------------------------------


def test_a_module_comes_back_as_it_was_made(db: repo.State, shop: Connection, dw: Connection) -> None:
    columns = (Column(id="c1", source_name="Prix €", source_type="REAL", dest_name="prix", dest_type="numeric"),)
    options: dict[str, Any] = {
        "merge_strategy": "incremental",
        "merge_key": ("year", "month"),
        "columns": columns,
        "match": "position",
        "guards": Guards(shrink=0.5, empty_source=False),
        "create_table": True,
        "enabled": False,
        "retries": 0,
        "silence_timeout_s": 1.5,
        "run_timeout_s": 60.0,
    }
    made = repo.create_module(
        db, name="m", source_id=shop.id, dest_id=dw.id, source_query=" select 1;\n", dest_table="public.t", **options
    )
    assert made == repo.get_module_by_name(db, "M") == repo.get_module(db, made.id) == repo.list_modules(db)[0]
    assert {name: getattr(made, name) for name in options} == options
    assert made.source_query == " select 1;\n"
    assert (made.running, made.fence, made.lease_owner) == (False, 0, None)


def test_a_merge_key_may_be_given_as_one_string(db: repo.State, orders: Module) -> None:
    assert repo.update_module(db, orders.id, merge_key="a , b").merge_key == ("a", "b")
    assert repo.update_module(db, orders.id, merge_key='"a,b", c').merge_key == ("a,b", "c")
    assert repo.update_module(db, orders.id, merge_key=["a,b", "c"]).key_text == '"a,b", c'
    assert repo.update_module(db, orders.id, merge_key=None).merge_key == ()
    assert repo.update_module(db, orders.id, guards={"shrink": 0.9}).guards == Guards(shrink=0.9)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "a b"),
        ("name", "é"),
        ("name", "x" * 61),
        ("name", "PIPEKIT_LEDGER"),
        ("source_query", " "),
        ("dest_table", ""),
        ("merge_strategy", "replace"),
        ("merge_key", ["a", " "]),
        ("match", "luck"),
        ("retries", -1),
        ("silence_timeout_s", 0),
        ("run_timeout_s", float("nan")),
        ("guards", Guards(shrink=2)),
    ],
)
def test_a_module_that_cannot_be_is_refused_by_field(db: repo.State, orders: Module, field: str, value: Any) -> None:
    with pytest.raises(Invalid) as caught:
        repo.update_module(db, orders.id, **{field: value})
    assert caught.value.field == field
    assert repo.get_module(db, orders.id) == orders


@pytest.mark.parametrize("strategy", ["incremental", "upsert"])
def test_a_keyed_strategy_needs_a_key(db: repo.State, orders: Module, strategy: str) -> None:
    with pytest.raises(Invalid) as caught:
        repo.update_module(db, orders.id, merge_strategy=strategy)
    assert caught.value.field == "merge_key"
    assert repo.update_module(db, orders.id, merge_strategy=strategy, merge_key="id").merge_strategy == strategy


def test_a_modules_lease_cannot_be_set_by_hand(db: repo.State, orders: Module) -> None:
    for field in ("running", "fence", "lease_owner", "id"):
        with pytest.raises(TypeError):
            repo.update_module(db, orders.id, **{field: 1})


def test_a_module_needs_its_connections(db: repo.State, orders: Module) -> None:
    with pytest.raises(NotFound, match="connection"):
        repo.update_module(db, orders.id, dest_id=99)


def test_a_module_name_is_taken_once_letter_case_aside(db: repo.State, orders: Module) -> None:
    values: dict[str, Any] = {"source_id": orders.source_id, "dest_id": orders.dest_id}
    with pytest.raises(NameTaken, match="'ORDERS'"):
        repo.create_module(db, name="ORDERS", source_query="select 1", dest_table="t", **values)
    other = repo.create_module(db, name="other", source_query="select 1", dest_table="t", **values)
    with pytest.raises(NameTaken, match="'Orders'"):
        repo.update_module(db, other.id, name="Orders")
    assert repo.update_module(db, orders.id, name="ORDERS").name == "ORDERS"


def test_a_running_module_is_edited_but_not_deleted(db: repo.State, orders: Module) -> None:
    run_id = claim(db, orders)
    changed = repo.update_module(db, orders.id, enabled=False)
    assert (changed.running, changed.lease_owner) == (True, "me")
    with pytest.raises(Conflict, match="is running"):
        repo.delete_module(db, orders.id)
    repo.finish_run(db, run_id, owner="me", status="success")
    repo.delete_module(db, orders.id)
    run = repo.get_run(db, run_id)
    assert (run.module_id, run.module, run.status) == (None, "orders", "success")


def test_a_deleted_module_takes_its_watermarks_hooks_and_places_along(db: repo.State, orders: Module) -> None:
    group = repo.create_group(db, name="nightly")
    repo.create_member(db, group_id=group.id, module_id=orders.id)
    mark = repo.create_watermark(
        db, module_id=orders.id, name="since", connection_id=orders.dest_id, resolver_sql="select 1"
    )
    hook = repo.create_hook(db, module_id=orders.id, sql="analyze")
    repo.delete_module(db, orders.id)
    assert repo.list_members(db, group.id) == []
    with pytest.raises(NotFound):
        repo.get_watermark(db, mark.id)
    with pytest.raises(NotFound):
        repo.get_hook(db, hook.id)


# -- watermarks and hooks ----------------------------------------------------------------------------------------------


def test_a_watermark_is_made_changed_and_deleted(db: repo.State, orders: Module) -> None:
    mark = repo.create_watermark(
        db, module_id=orders.id, name="since", connection_id=orders.dest_id, resolver_sql="select 1", default_value=""
    )
    assert mark.default_value == ""
    assert repo.list_watermarks(db, orders.id) == [mark]
    with pytest.raises(NameTaken, match="'since'"):
        repo.create_watermark(
            db, module_id=orders.id, name="since", connection_id=orders.dest_id, resolver_sql="select 2"
        )
    assert repo.update_watermark(db, mark.id, default_value=None).default_value is None
    repo.delete_watermark(db, mark.id)
    assert repo.list_watermarks(db, orders.id) == []
    with pytest.raises(NotFound):
        repo.delete_watermark(db, mark.id)


@pytest.mark.parametrize("name", ["", "a b", "a}", "{a", "x" * 61, "a\n"])
def test_a_watermark_name_that_cannot_stand_between_braces_is_refused(
    db: repo.State, orders: Module, name: str
) -> None:
    with pytest.raises(Invalid) as caught:
        repo.create_watermark(db, module_id=orders.id, name=name, connection_id=1, resolver_sql="select 1")
    assert caught.value.field == "name"


def test_hooks_come_in_the_order_they_run(db: repo.State, orders: Module) -> None:
    last = repo.create_hook(db, module_id=orders.id, sql="c", run_order=9, run_on="always")
    first = repo.create_hook(db, module_id=orders.id, sql="a")
    second = repo.create_hook(db, module_id=orders.id, sql="b", run_on="failure")
    assert repo.list_hooks(db, orders.id) == [first, second, last]
    moved = repo.update_hook(db, last.id, run_order=0)
    assert repo.list_hooks(db, orders.id)[0] == moved
    repo.delete_hook(db, first.id)
    assert first not in repo.list_hooks(db, orders.id)


@pytest.mark.parametrize("change", [{"sql": " "}, {"run_on": "never"}])
def test_a_hook_that_cannot_be_is_refused(db: repo.State, orders: Module, change: dict[str, str]) -> None:
    hook = repo.create_hook(db, module_id=orders.id, sql="analyze")
    with pytest.raises(Invalid):
        repo.update_hook(db, hook.id, **change)
    with pytest.raises(NotFound):
        repo.create_hook(db, module_id=99, sql="analyze")


# -- groups ------------------------------------------------------------------------------------------------------------


def test_a_group_is_made_renamed_and_deleted(db: repo.State) -> None:
    group = repo.create_group(db, name=" nightly ")
    assert (group.name, group.enabled) == ("nightly", True)
    with pytest.raises(NameTaken):
        repo.create_group(db, name="NIGHTLY")
    assert repo.update_group(db, group.id, name="weekly", enabled=False).enabled is False
    assert repo.get_group_by_name(db, "Weekly").id == group.id
    assert repo.find_group_by_name(db, "nightly") is None
    repo.delete_group(db, group.id)
    assert repo.list_groups(db) == []
    with pytest.raises(NotFound):
        repo.get_group_by_name(db, "weekly")


def test_members_come_in_the_order_they_run_and_new_ones_last(db: repo.State, orders: Module) -> None:
    group = repo.create_group(db, name="nightly")
    values: dict[str, Any] = {"source_id": orders.source_id, "dest_id": orders.dest_id, "source_query": "select 1"}
    lines = repo.create_module(db, name="lines", dest_table="lines", **values)
    first = repo.create_member(db, group_id=group.id, module_id=orders.id, run_order=2)
    second = repo.create_member(db, group_id=group.id, module_id=lines.id)
    assert repo.list_members(db, group.id) == [first, second]
    moved = repo.update_member(db, second.id, run_order=1)
    assert repo.list_members(db, group.id) == [moved, first]
    with pytest.raises(NameTaken, match="'orders' is in the group 'nightly' already"):
        repo.create_member(db, group_id=group.id, module_id=orders.id)
    verified = repo.create_member(db, group_id=group.id, module_id=orders.id, verify=True)
    assert repo.list_members(db, group.id) == [moved, first, verified]
    with pytest.raises(NameTaken, match="'orders' is in the group 'nightly' to be verified"):
        repo.update_member(db, first.id, verify=True)
    repo.delete_member(db, first.id)
    assert repo.update_member(db, verified.id, verify=False).verify is False
    repo.delete_member(db, verified.id)
    assert repo.list_members(db, group.id) == [moved]


def test_schedules_have_five_fields_and_are_listed_by_group(db: repo.State) -> None:
    nightly, weekly = repo.create_group(db, name="nightly"), repo.create_group(db, name="weekly")
    first = repo.create_schedule(db, group_id=nightly.id, cron=" 0  4 * * * ")
    second = repo.create_schedule(db, group_id=weekly.id, cron="0 4 * * 0", enabled=False)
    assert first.cron == "0 4 * * *"
    assert repo.list_schedules(db, nightly.id) == [first]
    assert repo.list_schedules(db) == [first, second]
    with pytest.raises(NameTaken):
        repo.create_schedule(db, group_id=nightly.id, cron="0 4 * * *")
    with pytest.raises(Invalid) as caught:
        repo.update_schedule(db, first.id, cron="0 4 * *")
    assert caught.value.field == "cron"
    assert repo.update_schedule(db, second.id, enabled=True).enabled is True
    repo.delete_schedule(db, first.id)
    repo.delete_group(db, weekly.id)
    assert repo.list_schedules(db) == []


# -- names that stand in an address ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["EU/daily", "/", ".", "..", "7", "0012"])
def test_a_new_name_that_no_address_can_hold_is_refused(db: repo.State, dw: Connection, name: str) -> None:
    group = repo.create_group(db, name="nightly")
    for make in (
        lambda: repo.create_group(db, name=name),
        lambda: repo.update_group(db, group.id, name=name),
        lambda: repo.create_connection(db, name=f" {name} ", driver="sqlite", jdbc_url="jdbc:sqlite:x"),
        lambda: repo.update_connection(db, dw.id, name=name),
    ):
        with pytest.raises(Invalid, match=r"address of the API|taken for an id") as caught:
            make()
        assert caught.value.field == "name"


def test_a_name_an_earlier_version_took_may_stay_until_it_is_changed(db: repo.State, dw: Connection) -> None:
    group = repo.create_group(db, name="nightly")
    db.change("UPDATE grp SET name = 'EU/daily' WHERE id = ?", (group.id,))
    db.change("UPDATE connection SET name = '..' WHERE id = ?", (dw.id,))
    assert repo.update_group(db, group.id, name="EU/daily", parallel=2).parallel == 2
    assert repo.update_connection(db, dw.id, name="..", max_runs=3).max_runs == 3
    assert repo.update_group(db, group.id, name="EU-daily").name == "EU-daily"


def test_an_id_is_given_once(db: repo.State, shop: Connection) -> None:
    def end(noun: str) -> int:
        """Makes one of a kind and deletes it; its id."""
        if noun == "connection":
            made = repo.create_connection(db, name="gone", driver="sqlite", jdbc_url="jdbc:sqlite:gone.db").id
            repo.delete_connection(db, made)
        elif noun == "user":
            made = repo.create_user(db, name="gone", password_hash="x", role="viewer").id
            repo.delete_user(db, made)
        else:
            group = repo.create_group(db, name="gone")
            made = repo.create_schedule(db, group_id=group.id, cron="0 4 * * *").id if noun == "schedule" else group.id
            repo.delete_group(db, group.id)  # takes its schedules along
        return made

    repo.create_user(db, name="stays", password_hash="x")
    for noun in ("connection", "user", "group", "schedule"):
        first, second = end(noun), end(noun)
        assert second > first, noun
