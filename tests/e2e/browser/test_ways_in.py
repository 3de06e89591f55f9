# Counting clicks from home, and forms that answer while somebody types. Debian's Chromium, real databases.
"""What people do most often takes few clicks; what is typed is answered at once."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg
import pytest
from playwright.sync_api import Locator, expect

from pipekit import repo
from pipekit.demo.postgres import LocalPostgres
from pipekit.models import Connection
from tests.e2e.browser.desk import Desk, House


class Counted:
    """A desk whose clicks and choices are counted; typing is none."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.clicks = 0

    def click(self, target: Locator) -> None:
        with self._leads_on():
            target.click()

    def choose(self, target: Locator, label: str) -> None:
        with self._leads_on():
            target.select_option(label=label)

    def tick(self, target: Locator) -> None:
        self.clicks += 1
        target.check()

    @contextmanager
    def _leads_on(self) -> Iterator[None]:
        self.clicks += 1
        with self.desk.next_page():
            yield


@pytest.fixture(scope="module")
def depot(house: House, postgres: LocalPostgres) -> Connection:
    """A PostgreSQL whose schema public is empty, and another with twenty tables."""
    postgres.create_database("depot")
    with psycopg.connect(postgres.jdbc_url("depot").removeprefix("jdbc:"), user="postgres", autocommit=True) as db:
        db.execute("create schema stock")
        for number in range(1, 21):
            columns = "id bigint primary key, name text, updated_at timestamptz default now()"
            db.execute(f"create table stock.part_{number:02} ({columns})")
            db.execute(f"insert into stock.part_{number:02} values (1, 'x')")
    return house.add_connection("depot", postgres.jdbc_url("depot"), username="postgres")


def test_a_module_is_made_of_a_table_and_runs_in_eight_clicks(desk: Desk, depot: Connection, house: House) -> None:
    page = desk.go("/")
    counted = Counted(desk)
    counted.click(page.get_by_role("link", name="Modules", exact=True).first)
    counted.click(page.get_by_role("link", name="New module"))
    counted.click(page.get_by_role("link", name="Browse a table of depot"))
    desk.see("part_07")
    counted.click(page.get_by_role("link", name="part_07"))
    counted.click(page.get_by_role("button", name="Next: the dest"))
    counted.choose(page.get_by_label("Dest connection"), "attic")
    counted.click(page.locator("#step3 button.primary"))
    counted.click(page.get_by_role("button", name="Run", exact=True))
    expect(page.locator("#run-live .status-success")).to_be_visible()
    assert counted.clicks <= 8


def test_twenty_modules_of_a_schema_with_a_nightly_group_take_twelve_clicks(
    desk: Desk, depot: Connection, house: House
) -> None:
    page = desk.go("/")
    counted = Counted(desk)
    counted.click(page.get_by_role("link", name="Modules", exact=True).first)
    counted.click(page.get_by_role("link", name="New module"))
    counted.click(page.get_by_role("link", name="Many tables of depot"))
    expect(page.get_by_label("Schema")).to_have_value("stock")
    desk.look("many tables")
    counted.tick(page.get_by_label("All tables in view"))
    counted.click(page.get_by_role("button", name="Next: how each is loaded"))
    counted.choose(page.get_by_label("Dest connection"), "attic")
    expect(page.get_by_label("Watermark of part_01")).to_have_value("updated_at")
    expect(page.locator("#h-cron")).to_contain_text("04:00")
    desk.look("a plan of many tables")
    counted.click(page.get_by_role("button", name="Create 20 modules"))
    desk.expect_path(r"/groups/\d+$")
    assert counted.clicks <= 12
    [group] = [item for item in repo.list_groups(house.db) if item.name == "stock nightly"]
    members = [repo.get_module(house.db, item.module_id) for item in repo.list_members(house.db, group.id)]
    assert (len(members), {item.merge_strategy for item in members}) == (20, {"upsert"})
    house.succeed(members[3])
    assert house.succeed(members[3]).rows_read == 1
    with closing(sqlite3.connect(house.folder / "attic.db")) as db:
        assert db.execute(f"select count(*) from {members[3].dest_table}").fetchone() == (1,)


def test_why_a_module_failed_is_one_click_from_home_and_other_values_four(desk: Desk, house: House) -> None:
    module = house.add("why_it_failed", "select no_such_column from orders")
    house.run(module)
    page = desk.go("/")
    counted = Counted(desk)
    counted.click(page.locator("#board").get_by_role("link", name="why_it_failed").first)
    expect(page.locator(".run-cause")).to_contain_text("no_such_column")
    assert counted.clicks == 1
    mark = {"name": "last", "connection_id": house.shop.id, "resolver_sql": "select 0"}
    house.add("other_values", "select order_no from orders where order_no > {last}", watermarks=[mark])
    page = desk.go("/")
    counted = Counted(desk)
    counted.click(page.get_by_role("link", name="Modules", exact=True).first)
    counted.click(page.get_by_role("link", name="other_values"))
    counted.click(page.get_by_role("link", name="Run with other values"))
    page.get_by_label("{last}").fill("95")
    counted.click(page.get_by_role("button", name="Run other_values"))
    expect(page.locator("#run-live .status-success").first).to_be_visible()
    assert counted.clicks <= 4


def test_a_connections_address_follows_its_fields_and_comes_apart_when_it_is_pasted(
    desk: Desk, postgres: LocalPostgres, house: House
) -> None:
    page = desk.go("/connections/new")
    address = page.get_by_label("JDBC URL")
    page.get_by_label("Host").press_sequentially("db.example.com")
    page.get_by_label("Database", exact=True).press_sequentially("dw")
    expect(address).to_have_value("jdbc:postgresql://db.example.com/dw")
    expect(page.get_by_label("Database", exact=True)).to_be_focused()
    desk.look("a connection in fields")
    desk.settle()
    page.get_by_label("Kind of database").select_option(label="SQL Server")
    expect(page.get_by_label("Instance")).to_be_visible()
    desk.settle()
    pasted = postgres.jdbc_url("postgres").replace("jdbc:postgresql://", "postgres://postgres:secret@")
    page.get_by_label("JDBC URL").fill(pasted)
    expect(page.get_by_label("Host")).to_have_value("127.0.0.1")
    expect(page.get_by_label("Kind of database")).to_have_value("postgresql")
    expect(page.get_by_label("User name")).to_have_value("postgres")
    expect(page.get_by_label("JDBC URL")).to_have_value(postgres.jdbc_url("postgres"))
    page.get_by_role("button", name="Test").click()
    expect(page.locator("#tested")).to_contain_text("Connected in")
    page.get_by_label("Name", exact=True).fill("pasted")
    desk.click("button", "Create connection")
    expect(page.locator("#tested")).to_contain_text("Connected in")
    desk.go("/connections")
    expect(page.locator("tr", has_text="pasted")).to_contain_text("PostgreSQL")
    assert repo.get_connection_by_name(house.db, "pasted").jdbc_url == postgres.jdbc_url("postgres")


def test_a_query_is_tried_in_a_modules_form_and_saved_with_a_dry_run(desk: Desk, house: House) -> None:
    module = house.add("tried_first", "select order_no from orders", table="tried_first")
    page = desk.go(f"/modules/{module.id}/edit")
    page.locator(".cm-content").first.click()
    page.keyboard.press("Control+End")
    page.keyboard.type(" where amonut")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#looked pre.where")).to_contain_text("line 1")
    expect(page.locator(".cm-fault")).to_have_text("amonut")
    desk.click("button", "Save and dry run")
    expect(page.locator("div[role=alert]")).to_contain_text("Nothing was saved yet")
    page.locator(".cm-content").first.click()
    page.keyboard.press("Control+End")
    for _ in range(len(" where amonut")):
        page.keyboard.press("Backspace")
    page.get_by_role("button", name="First rows").click()
    expect(page.locator("#looked tbody tr")).to_have_count(20)
    desk.look("a query that was tried")
    desk.click("button", "Save and dry run")
    desk.expect_path(r"/runs/\d+$")
    expect(page.locator("#run-live .status").first).to_be_visible()


def test_a_field_for_a_name_appears_as_it_is_typed(desk: Desk, house: House) -> None:
    page = desk.go("/wizard/sql")
    page.get_by_label("Source connection").select_option(label="shop")
    page.locator(".cm-content").click()
    page.keyboard.type("select order_no from orders where order_no > {last}")
    expect(page.get_by_label("{last}")).to_be_visible()
    page.keyboard.press("Control+Enter")
    expect(page.locator("#found td").first).to_have_text("order_no")
    desk.click("button", "Next: the dest")
    with desk.next_page():
        page.get_by_label("Dest connection").select_option(label="attic")
    page.get_by_label("Table", exact=True).fill("typed_names")
    page.get_by_label("Module name").fill("typed_names")
    sql = page.locator("#watermarks textarea")
    expect(sql).to_have_value('SELECT max("order_no") FROM "typed_names"')
    page.get_by_role("button", name="Try").click()
    expect(page.locator(".tried")).to_contain_text("so 0 is used")
    page.get_by_role("radio", name="append").check()
    expect(page.locator("#strategy-words")).to_be_empty()
    desk.click("button", "Create table typed_names and module typed_names")
    house.succeed(repo.get_module_by_name(house.db, "typed_names"))
