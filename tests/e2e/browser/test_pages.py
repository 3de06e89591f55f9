# What a person does in a browser, from the first login on. One server, real databases, Debian's Chromium.
"""The pages in a browser."""

import sqlite3
from collections.abc import Callable
from contextlib import closing

from playwright.sync_api import expect

from pipekit import repo
from pipekit.demo.postgres import LocalPostgres
from pipekit.models import Connection
from tests.e2e.browser.desk import PASSWORD, Desk, House
from tests.site import ENDLESS


def test_the_first_login_after_set_password(house: House, new_desk: Callable[..., Desk]) -> None:
    assert house.cli_apart("set-password", "mia", input_text=f"{PASSWORD}\n").code == 0
    desk = new_desk()
    desk.go("/modules")
    desk.expect_path("/login")
    desk.look()
    desk.page.get_by_label("Name").fill("mia")
    desk.page.get_by_label("Password").fill("wrong")
    desk.click("button", "Log in")
    desk.see("The name or the password is wrong.")
    desk.page.get_by_label("Password").fill(PASSWORD)
    desk.click("button", "Log in")
    desk.expect_path("/modules$")
    desk.go("/")
    desk.look()


def test_two_connections_are_created_and_tested(desk: Desk, postgres: LocalPostgres) -> None:
    addresses = {
        "shop2": ("SQLite", "jdbc:sqlite:shop.db", ""),
        "dw2": ("PostgreSQL", postgres.jdbc_url("postgres"), "postgres"),
    }
    for name, (kind, url, username) in addresses.items():
        desk.go("/connections")
        desk.look()
        desk.go("/connections/new")
        desk.look()
        desk.page.get_by_label("Name", exact=True).fill(name)
        desk.page.get_by_label("Kind of database").select_option(label=kind)
        expect(desk.page.locator("#h-jdbc_url")).to_contain_text(f"{kind}: ")
        desk.page.get_by_label("JDBC URL").fill(url)
        desk.page.get_by_label("User name").fill(username)
        desk.click("button", "Create connection")
        desk.expect_path(r"/connections/\d+\?new=1$")
        desk.press("button", "Test")
        desk.see("Connected in")
        desk.look()


def test_a_postgresql_table_is_browsed_becomes_a_module_and_is_watched_to_its_receipt(
    desk: Desk, warehouse: Connection, house: House
) -> None:
    page = desk.go("/modules")
    desk.look()
    page = desk.go("/wizard")
    desk.look()
    with desk.next_page():
        page.locator("a.way", has_text="Browse a table").click()
    with desk.next_page():
        page.get_by_label("Connection").select_option(label="warehouse")
    desk.see("Who buys")
    desk.look("tables")
    page.get_by_label("Filter tables").fill("slow")
    expect(page.get_by_role("link", name="customers")).to_be_hidden()
    desk.click("link", "slowly")
    desk.look()
    desk.click("button", "Next: the dest")
    with desk.next_page():
        page.get_by_label("Dest connection").select_option(label="attic")
    page.get_by_label("Module name").fill("slowly")
    page.get_by_role("button", name="Merge SQL").click()
    expect(page.locator("#preview pre")).to_contain_text("INSERT")
    desk.look("step 3")
    page.get_by_role("button", name="Create table slowly and module slowly").click()
    desk.expect_path(r"/modules/\d+$")
    desk.look()
    page.get_by_role("button", name="Run", exact=True).click()
    desk.expect_path(r"/runs/\d+$")
    page.evaluate("() => { window.sameDocument = true; }")
    expect(page.locator("#run-live .status-running")).to_be_visible()
    desk.look("a running run")
    expect(page.locator("#run-live .status-success")).to_be_visible()
    assert page.evaluate("() => window.sameDocument") is True
    desk.see("counts")
    expect(page.locator("#run-live")).not_to_have_attribute("hx-trigger", "every 2s")
    desk.look("a run that ended")
    with closing(sqlite3.connect(house.folder / "attic.db")) as db:
        assert db.execute("select count(*) from slowly").fetchone() == (12,)


def test_comments_come_along_into_a_postgresql_dest(desk: Desk, warehouse: Connection, house: House) -> None:
    page = desk.go(f"/wizard/columns?source_id={warehouse.id}&schema=public&table=customers")
    desk.see("As on the invoice")
    page.get_by_role("checkbox", name="since").uncheck()
    desk.click("button", "Next: the dest")
    with desk.next_page():
        page.get_by_label("Dest connection").select_option(label="warehouse")
    page.get_by_label("Schema", exact=True).fill("mart")
    page.get_by_role("radio", name="upsert").check()
    expect(page.get_by_label("id is in the merge key")).to_be_checked()
    page.get_by_role("button", name="Table", exact=True).click()
    expect(page.locator("#preview pre")).to_contain_text("As on the invoice")
    page.get_by_role("button", name="Create table mart.customers and module customers").click()
    desk.expect_path(r"/modules/\d+$")
    assert house.succeed(repo.get_module_by_name(house.db, "customers")).rows_inserted == 250


def test_the_wizard_by_keyboard_alone_from_a_with_query_to_a_receipt(desk: Desk, house: House) -> None:
    # The dest that is offered first is the one of the source's newest module.
    house.add("seen_before", "select order_no from orders")
    page = desk.go("/")
    page.keyboard.press("g")
    page.keyboard.press("m")
    desk.expect_path("/modules$")
    desk.tab_to("New module")
    page.keyboard.press("Enter")
    desk.expect_path("/wizard$")
    desk.tab_to("Write SQL*")
    page.keyboard.press("Enter")
    desk.expect_path("/wizard/sql$")
    page.wait_for_selector(".cm-editor")
    desk.tab_to("Source connection")
    page.keyboard.type("shop")
    desk.tab_to("Source query")
    page.keyboard.type("with big as (select * from orders where amount > 20)\nselect customer, amount from big")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#found td").first).to_have_text("customer")
    desk.look("query")
    desk.tab_to("Next: the dest")
    with desk.next_page():
        page.keyboard.press("Enter")
    desk.tab_to("Dest connection")
    expect(page.locator("#f-dest_id option:checked")).to_have_text("attic")
    desk.tab_to("Table")
    desk.type_over("big_orders")
    desk.tab_to("Module name")
    desk.type_over("big_orders")
    desk.tab_to("Dest name of customer")
    desk.type_over("who")
    page.keyboard.press("Enter")
    assert page.evaluate("() => document.activeElement.getAttribute('aria-label')") == "Dest name of amount"
    desk.tab_to("full")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    desk.tab_to("First rows")
    page.keyboard.press("Enter")
    expect(page.locator("#preview td").first).to_be_visible()
    desk.tab_to("Create table big_orders and module big_orders")
    page.keyboard.press("Enter")
    desk.expect_path(r"/modules/\d+$")
    page.keyboard.press("r")
    desk.expect_path(r"/runs/\d+$")
    expect(page.locator("#run-live .status-success")).to_be_visible()
    module = repo.get_module_by_name(house.db, "big_orders")
    assert (module.merge_strategy, module.columns[0].dest_name) == ("append", "who")
    assert module.source_query.startswith("with big as (select * from orders where amount > 20)\nselect")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("search")
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("big_orders")
    page.keyboard.press("Enter")
    desk.expect_path(f"/modules/{module.id}$")
    desk.go("/search?q=orders")
    desk.look()


def test_a_failing_run_is_understood_from_its_page_alone(desk: Desk, house: House) -> None:
    module = house.add("broken", "select order_no, no_such_column from orders")
    page = desk.go(f"/modules/{module.id}")
    desk.click("button", "Run")
    desk.expect_path(r"/runs/\d+$")
    expect(page.locator("#run-live .status-error").first).to_be_visible()
    cause = page.locator(".run-cause")
    expect(cause).to_contain_text("no_such_column")
    expect(cause.locator(".dest-state")).not_to_be_empty()
    expect(cause.locator(".mends li").first).not_to_be_empty()
    desk.look("a run that failed")
    desk.go("/")
    desk.see("broken")
    desk.look("home with a failure")


def test_a_column_is_added_in_place(desk: Desk, house: House) -> None:
    module = house.add("growing", "select order_no from orders")
    house.succeed(module)
    repo.update_module(house.db, module.id, source_query="select order_no, customer from orders")
    page = desk.go(f"/modules/{module.id}")
    desk.press("link", "Add column")
    expect(page.get_by_label("Dest name")).to_have_value("customer")
    desk.look("add a column")
    page.get_by_label("Dest name").fill("order_no")
    page.locator("#new-column").get_by_role("button", name="Add column").click()
    expect(page.locator("#new-column .field-problem")).to_contain_text("already")
    page.get_by_label("Dest name").fill("customer")
    page.locator("#new-column").get_by_role("button", name="Add column").click()
    expect(page.locator("#columns table")).to_contain_text("customer")
    assert house.succeed(repo.get_module(house.db, module.id)).rows_inserted == 100


def test_a_group_gets_members_and_a_schedule_in_plain_words_and_runs(desk: Desk, house: House) -> None:
    house.add("first", "select order_no from orders")
    house.add("second", "select order_no from orders")
    page = desk.go("/groups/new")
    desk.look()
    page.get_by_label("Name", exact=True).fill("nightly")
    page.locator("main form button.primary").click()
    desk.expect_path(r"/groups/\d+$")
    for name in ("first", "second"):
        page.get_by_label("Add a module").select_option(label=name)
        desk.click("button", "Save members")
    page.get_by_label("Add a schedule").press_sequentially("0 4 * * *")
    expect(page.locator("#words-new")).to_contain_text("04:00")
    page.get_by_label("Add a schedule").fill("0 25 * * *")
    desk.click("button", "Add")
    expect(page.locator("#p-cron")).not_to_be_empty()
    page.get_by_label("Add a schedule").fill("0 4 * * *")
    desk.click("button", "Add")
    expect(page.get_by_label("When")).to_have_value("0 4 * * *")
    desk.look()
    desk.click("button", "Run")
    desk.expect_path(r"/group-runs/\d+$")
    expect(page.locator(".status-success").first).to_be_visible()
    desk.look()


def test_a_run_is_cancelled_from_its_page(desk: Desk, house: House) -> None:
    module = house.add("endless", ENDLESS)
    page = desk.go(f"/modules/{module.id}")
    desk.click("button", "Run")
    desk.expect_path(r"/runs/\d+$")
    expect(page.locator("#run-live .status-running")).to_be_visible()
    desk.go("/")
    desk.see("endless")
    page.go_back()
    desk.settle()
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#run-live .status-cancelled").first).to_be_visible()
    assert house.last_run().status == "cancelled"


def test_dark_mode_by_the_system_and_by_choice(new_desk: Callable[..., Desk], house: House) -> None:
    desk = new_desk(color_scheme="dark")
    desk.sit_down()
    ground = "() => getComputedStyle(document.documentElement).backgroundColor"
    dark = desk.page.evaluate(ground)
    assert dark != "rgb(255, 255, 255)"
    for path in ("/", "/modules", "/wizard", "/wizard/sql"):
        desk.go(path)
        desk.look(f"dark {path}")
    desk.go("/settings")
    desk.page.get_by_label("Light").check()
    with desk.next_page():
        desk.page.locator("form[action='/settings/theme'] button").click()
    assert desk.page.evaluate(ground) == "rgb(255, 255, 255)"


def test_a_phone_shows_the_wizards_last_step_without_scrolling_sideways(
    new_desk: Callable[..., Desk], house: House
) -> None:
    desk = new_desk(viewport={"width": 390, "height": 844})
    desk.sit_down()
    wide = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
    desk.go(f"/wizard/columns?source_id={house.shop.id}&schema=main&table=orders")
    desk.click("button", "Next: the dest")
    desk.page.get_by_role("button", name="First rows").click()
    expect(desk.page.locator("#preview td").first).to_be_visible()
    assert desk.page.evaluate(wide) <= 0


def test_the_whole_first_page_is_light_and_an_editor_comes_only_where_it_is_used(
    new_desk: Callable[..., Desk], house: House
) -> None:
    fresh = new_desk()
    fresh.sit_down()
    loaded: list[float] = []
    asked: list[str] = []
    network = fresh.context.new_cdp_session(fresh.page)
    network.send("Network.enable")
    network.on("Network.loadingFinished", lambda event: loaded.append(event["encodedDataLength"]))
    fresh.page.on("request", lambda request: asked.append(request.url))
    fresh.go("/modules")
    fresh.page.wait_for_load_state("networkidle")
    assert 10_000 < sum(loaded) < 150_000
    assert not any("editor" in url or "uplot" in url for url in asked)
    fresh.go("/wizard/sql")
    fresh.page.wait_for_selector(".cm-editor")
    assert any("build/editor.js" in url for url in asked)


def test_without_scripts_a_module_is_made_and_run(new_desk: Callable[..., Desk], house: House) -> None:
    desk = new_desk(java_script_enabled=False)
    desk.sit_down()
    page = desk.go("/wizard/sql")
    page.get_by_label("Source connection").select_option(label="shop")
    page.get_by_label("Source query").fill("select order_no from orders")
    desk.click("button", "Next: the dest")
    page.get_by_label("Dest connection").select_option(label="attic")
    page.get_by_label("Table", exact=True).fill("plain")
    page.get_by_label("Module name").fill("plain")
    page.locator("form#step3 button.primary").click()
    desk.expect_path(r"/modules/\d+$")
    desk.click("button", "Run")
    path = desk.expect_path(r"/runs/\d+$")
    desk.wait(lambda: house.get_run(int(path.rsplit("/", 1)[1])).status == "success", house.log())
    desk.go(path)
    desk.see("success")
