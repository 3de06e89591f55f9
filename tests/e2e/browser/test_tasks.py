# What people do with many modules, unfinished work, faults in SQL and the order of a group. Debian's Chromium.
"""Drafts, ticks, marks, trials and moves in a browser."""

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Dialog, Page, expect

from pipekit import repo
from pipekit.models import Connection
from tests.e2e.browser.desk import Desk, House


def write(page: Page, text: str) -> None:
    """Types into the SQL editor, over what stands there."""
    page.locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.type(text)


def test_a_query_is_there_again_after_its_tab_was_closed_and_the_session_ended(
    new_desk: Callable[..., Desk], house: House
) -> None:
    desk = new_desk()
    desk.sit_down("nina")
    page = desk.go("/wizard/sql")
    page.get_by_label("Source connection").select_option(label="shop")
    write(page, "select order_no as kept from orders")
    expect(page.locator("[data-draft]")).to_contain_text("Kept as a draft")
    address = page.url
    assert "/wizard/drafts/" in address
    page.keyboard.press("Escape")
    page.keyboard.type(" limit 9")
    page.close(run_before_unload=False)
    desk.context.clear_cookies()
    again = new_desk()
    again.go("/wizard")
    again.expect_path("/login")
    again.log_in("nina")
    page = again.go("/wizard")
    again.look("wizard with a draft")
    with again.next_page():
        page.locator("#drafts a.row-link").click()
    expect(page.locator(".cm-content")).to_contain_text("select order_no as kept from orders limit 9")
    expect(page.get_by_label("Source connection")).to_have_value(str(house.shop.id))
    again.click("button", "Next: the dest")
    page.get_by_label("Module name").fill("half_done")
    page.get_by_label("Dest name of kept").fill("number")
    expect(page.locator("[data-draft]")).to_contain_text("Kept as a draft")
    with again.next_page():
        page.reload()
    expect(page.get_by_label("Module name")).to_have_value("half_done")
    expect(page.get_by_label("Dest name of kept")).to_have_value("number")
    with again.next_page():
        page.go_back()
    expect(page.locator(".cm-content")).to_contain_text("as kept")
    again.go("/wizard")
    with again.next_page():
        page.get_by_role("link", name="Discard half_done: select order_no as kept from orders").click()
    again.click("button", "Discard the draft")
    again.expect_path("/wizard$")
    expect(page.locator("#drafts")).to_have_count(0)


def test_leaving_a_kept_form_asks_nothing(desk: Desk, house: House) -> None:
    asked: list[str] = []

    def answer(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    desk.page.on("dialog", answer)
    page = desk.go(f"/wizard/columns?source_id={house.shop.id}&schema=main&table=orders")
    desk.click("button", "Next: the dest")
    page.get_by_label("Module name").fill("left_alone")
    expect(page.locator("[data-draft]")).to_contain_text("Kept as a draft")
    desk.click("link", "Modules")
    assert asked == []


def test_modules_are_ticked_by_pointer_and_by_keys_and_switched_together(desk: Desk, house: House) -> None:
    for name in ("tick_a", "tick_b", "tick_c", "tick_d"):
        house.add(name, "select order_no from orders")
    page = desk.go("/modules?q=tick_")
    bar = page.locator(".bulk")
    expect(bar).not_to_be_visible()
    page.get_by_label("Choose tick_a").check()
    expect(page.locator("[data-bulk-count]")).to_have_text("1 chosen:")
    page.get_by_label("Choose tick_c").click(modifiers=["Shift"])
    expect(page.locator("[data-bulk-count]")).to_have_text("3 chosen:")
    desk.look("modules with ticks")
    page.get_by_label("Choose all modules in view").check()
    expect(page.locator("[data-bulk-count]")).to_have_text("4 chosen:")
    page.get_by_label("Choose all modules in view").uncheck()
    expect(bar).not_to_be_visible()
    for key in ("j", "x", "j", "j", "k", "x"):
        page.keyboard.press(key)
    expect(page.get_by_label("Choose tick_a")).to_be_checked()
    expect(page.get_by_label("Choose tick_b")).to_be_checked()
    expect(page.get_by_label("Choose tick_c")).not_to_be_checked()
    with desk.next_page():
        bar.get_by_role("button", name="Disable").click()
    expect(page.locator("main .notice")).to_contain_text("2 modules are disabled.")
    assert [repo.get_module_by_name(house.db, f"tick_{letter}").enabled for letter in "abcd"] == [
        False,
        False,
        True,
        True,
    ]
    page.get_by_label("Choose tick_a").check()
    page.get_by_label("Choose tick_d").check()
    with desk.next_page():
        bar.get_by_role("button", name="Delete").click()
    desk.look("delete modules")
    expect(page.locator("main")).to_contain_text("the module tick_d")
    page.get_by_label("Type delete 2 modules to go on").fill("delete 2 modules")
    desk.click("button", "Delete 2 modules")
    expect(page.locator("main .notice")).to_contain_text("2 modules are deleted.")
    assert repo.find_module_by_name(house.db, "tick_a") is None


def test_ticked_modules_run_from_the_filtered_list(desk: Desk, house: House) -> None:
    names = ("bulk_one", "bulk_two")
    for name in names:
        house.add(name, "select order_no from orders")
    page = desk.go("/modules")
    page.get_by_label("Filter modules").fill("bulk_")
    expect(page.locator("td.pick")).to_have_count(2)
    page.get_by_label("Choose all modules in view").check()
    with desk.next_page():
        page.locator(".bulk").get_by_role("button", name="Run", exact=True).click()
    expect(page.locator("main .notice")).to_contain_text("2 modules are asked to run.")
    expect(page.get_by_label("Filter modules")).to_have_value("bulk_")
    for name in names:
        desk.wait(lambda name=name: repo.list_runs(house.db, module=name)[0].status == "success", house.log())  # type: ignore[misc]


def test_the_place_of_a_fault_is_marked_in_the_editor_and_on_the_runs_page(
    desk: Desk, warehouse: Connection, house: House
) -> None:
    page = desk.go("/wizard/sql")
    page.get_by_label("Source connection").select_option(label="warehouse")
    write(page, "select '\U0001f600' as smile,\n  amonut\nfrom customers")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".cm-fault")).to_have_text("amonut")
    expect(page.locator("#found pre.where")).to_contain_text("line 2")
    desk.look("query with a fault")
    page.keyboard.press("End")
    page.keyboard.type(" ")
    expect(page.locator(".cm-fault")).to_have_count(0)
    desk.click("button", "Next: the dest")
    expect(page.locator(".cm-fault")).to_have_text("amonut")
    module = house.add_module(
        "faulty", source=warehouse, query="select id,\n  nope\nfrom customers", dest=house.attic, table="x"
    )
    run = house.run(module)
    desk.go(f"/runs/{run.id}")
    expect(page.locator(".run-cause pre.where")).to_have_text("  nope\n  ^")
    with desk.next_page():
        page.locator(".where-line a").click()
    expect(page.locator("pre.sql mark")).to_have_text("nope")
    desk.look("sql with a fault")


def test_a_watermark_is_tried_in_its_row(desk: Desk, house: House) -> None:
    module = house.add("trial", "select order_no from orders where order_no > {last}")
    page = desk.go(f"/modules/{module.id}/edit")
    with page.expect_response("**/modules/*/edit"):
        page.reload()
    desk.settle()
    page.get_by_role("button", name="Add a watermark").click()
    row = page.locator("fieldset.row[data-row]:has(input[name='wm_name[]'])").last
    row.get_by_label("Name").fill("last")
    row.get_by_label("Asked on").select_option(label="shop")
    row.get_by_label("SQL").fill("select max(order_no) - 10 from orders")
    row.get_by_role("button", name="Try").click()
    expect(row.locator(".tried .notice")).to_contain_text("Gives 90")
    row.locator(".tried summary").click()
    expect(row.locator(".tried pre.sql")).to_have_text("select order_no from orders where order_no > 90")
    desk.look("a tried watermark")
    row.get_by_label("SQL").fill("select max(order) from orders")
    row.get_by_role("button", name="Try").click()
    expect(row.locator(".tried .problem")).to_be_visible()


def test_a_module_runs_with_other_values_once(desk: Desk, house: House) -> None:
    module = house.add(
        "bounded",
        "select order_no from orders where order_no > {last}",
        watermarks=[{"name": "last", "connection_id": house.shop.id, "resolver_sql": "select 0"}],
    )
    page = desk.go(f"/modules/{module.id}")
    desk.click("link", "Run with other values")
    desk.look()
    page.get_by_label("{last}").fill("95")
    desk.click("button", "Run bounded")
    desk.expect_path(r"/runs/\d+$")
    expect(page.locator("#run-live .status-success").first).to_be_visible()
    run = house.last_run()
    assert (run.rows_read, run.watermark_values) == (5, {"last": "95"})


def test_members_are_moved_by_buttons_keys_and_numbers(desk: Desk, house: House) -> None:
    group = repo.create_group(house.db, name="moved", parallel=2)
    for place, name in enumerate(("move_a", "move_b", "move_c"), 1):
        module = house.add(name, "select order_no from orders")
        repo.create_member(house.db, group_id=group.id, module_id=module.id, run_order=place)
    page = desk.go(f"/groups/{group.id}")
    page.get_by_role("button", name="Move move_c up").click()
    page.get_by_label("Order of move_a").focus()
    page.keyboard.press("Alt+ArrowDown")
    names = page.locator("table.members td:nth-child(2)")
    expect(names).to_have_text(["move_c", "move_a", "move_b"])
    expect(page.locator("ol.flow")).to_be_hidden()
    page.get_by_label("Order of move_b").fill("2")
    expect(page.locator("ol.flow li")).to_have_text(["move_c", "move_amove_b"])
    desk.look("a group with members side by side")
    desk.click("button", "Save members")
    expect(names).to_have_text(["move_c", "move_a", "move_b"])
    members = [
        (repo.get_module(house.db, m.module_id).name, m.run_order) for m in repo.list_members(house.db, group.id)
    ]
    assert members == [("move_c", 1), ("move_a", 2), ("move_b", 2)]


def test_a_chart_tells_the_installations_time_in_any_zone(new_desk: Callable[..., Desk], house: House) -> None:
    module = house.add("charted", "select order_no from orders")
    runs = [house.succeed(module) for _ in range(2)]
    desk = new_desk(timezone_id="Pacific/Auckland")
    desk.sit_down()
    page = desk.go(f"/modules/{module.id}")
    plot = page.locator(".chart .u-over")
    box = plot.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] - 1, box["y"] + box["height"] / 2)
    # The chart reads whole seconds; the page's own list shows the same wall clock.
    shown = page.locator("#history time").first.get_attribute("title") or ""
    expect(page.locator(".chart .help")).to_contain_text(shown[:16])
    assert runs[1].id > runs[0].id


@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_moves_while_it_loads(new_desk: Callable[..., Desk], house: House, width: int) -> None:
    house.succeed(house.add(f"still_{width}", "select order_no from orders"))
    desk = new_desk(viewport={"width": width, "height": 800})
    desk.sit_down()
    desk.page.add_init_script(
        """window.shift = 0;
        new PerformanceObserver((list) => list.getEntries().forEach((it) => (window.shift += it.value)))
            .observe({ type: "layout-shift", buffered: true });"""
    )
    module = repo.get_module_by_name(house.db, f"still_{width}")
    for path in ("/", "/modules", f"/modules/{module.id}", "/runs", "/groups", "/wizard/sql", "/modules/new"):
        desk.go(path)
        desk.page.wait_for_load_state("networkidle")
        assert desk.page.evaluate("() => window.shift") <= 0.05, path


def test_a_filter_that_is_typed_stays_when_a_state_is_chosen(desk: Desk, house: House) -> None:
    for name in ("keep_one", "keep_two"):
        house.add(name, "select order_no from orders", enabled=name == "keep_one")
    page = desk.go("/modules")
    page.get_by_label("Filter modules").fill("keep_")
    expect(page.locator("td.pick")).to_have_count(2)
    desk.click("link", "disabled")
    expect(page.locator("tbody .row-link")).to_have_text(["keep_two"])
    assert "q=keep_" in page.url


def test_the_last_step_says_whether_the_dest_table_is_there(desk: Desk, house: House) -> None:
    house.succeed(house.add("there_already", "select * from orders"))
    page = desk.go(f"/wizard/columns?source_id={house.shop.id}&schema=main&table=orders")
    desk.click("button", "Next: the dest")
    with desk.next_page():
        page.get_by_label("Dest connection").select_option(label="attic")
    page.get_by_label("Module name").fill("second")
    page.get_by_label("Table", exact=True).fill("not_there")
    page.get_by_label("Module name").focus()
    expect(page.locator("#dest-state")).to_contain_text("not_there is not in attic yet")
    button = page.locator("#step3 button.primary")
    expect(button).to_have_text("Create table not_there and module second")
    page.get_by_label("Table", exact=True).fill("there_already")
    page.get_by_label("Module name").focus()
    expect(page.locator("#dest-state")).to_contain_text("there_already is in attic already, with 3 columns")
    expect(button).to_have_text("Create module second into there_already")
    desk.look("step 3 into a table that is there")


def test_the_first_page_is_drawn_again_by_itself_but_not_under_somebodys_hands(desk: Desk, house: House) -> None:
    house.run(house.add("fails_first", "select nothing_of_that from orders"))
    desk.page.clock.install()
    page = desk.go("/")
    desk.see("fails_first")
    page.locator("#board a.row-link").first.focus()
    house.run(house.add("fails_later", "select nothing_of_that from orders"))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(urlsplit(request.url).path))
    # Both polls are due; that of the bar, which nothing holds back, shows that the time has passed.
    with page.expect_request("**/status*"):
        page.clock.run_for(11_000)
    assert "fails_later" not in page.locator("#board").inner_text()
    assert "/board" not in asked
    page.evaluate("() => document.activeElement.blur()")
    page.clock.run_for(11_000)
    expect(page.locator("#board")).to_contain_text("fails_later")
    desk.look("home drawn again")


def test_a_kind_shows_its_own_form_of_address_alone(desk: Desk) -> None:
    page = desk.go("/connections/new")
    help_of = page.locator("#h-jdbc_url > div:visible")
    expect(help_of).to_have_count(1)
    page.get_by_label("Kind of database").select_option(label="SQLite")
    expect(help_of).to_have_text("SQLite: jdbc:sqlite:shop.db")
