# The wizard between two SQLite files, by its forms as a browser without scripts sends them. Starts no server.
"""`/wizard`: by a table, by SQL, back and forth, and adding a column."""

from dataclasses import replace
from typing import Any

import pytest

from pipekit import repo
from pipekit.models import Module
from tests.pages.shop import STEP3, ask_dest, ask_shop, browse, make_shop, source_id, write_sql
from tests.pages.site import Page, Site, Visitor


@pytest.fixture
def shop(site: Site) -> Site:
    """A site with a shop to read from and an empty `dw` to write to."""
    make_shop(site)
    return site


def get_module(answer: Page, site: Site) -> Module:
    assert answer.status == 303, answer.text
    return repo.get_module(site.db, int(answer.answer.headers["location"].rsplit("/", 1)[1]))


def test_the_wizard_offers_its_ways_and_an_empty_installation_a_connection_first(site: Site, ana: Visitor) -> None:
    assert ana.get("/wizard").one(".empty a").attributes["href"] == "/connections/new"
    site.make_pair()
    page = ana.get("/wizard")
    assert [node.attributes["href"] for node in page.all("a.way")] == [
        "/wizard/tables",
        "/wizard/schema",
        "/wizard/sql",
    ]
    assert page.texts("#from td:first-child") == ["dw", "shop"]


def test_only_admins_see_the_wizard(shop: Site, otto: Visitor, vera: Visitor) -> None:
    for visitor in (otto, vera):
        for path in ("/wizard", "/wizard/tables", "/wizard/columns", "/wizard/sql"):
            assert visitor.get(path).status == 403
        assert visitor.post("/wizard/create").status == 403


def test_tables_are_listed_with_a_filter_and_lead_to_their_columns(shop: Site, ana: Visitor) -> None:
    page = ana.get("/wizard/tables", params={"source_id": source_id(shop)})
    assert page.texts("#tables .row-link") == ["Order Lines", "cheap"]
    assert page.texts("#tables td:nth-child(2)") == ["table", "view"]
    assert ana.get("/wizard/tables", params={"source_id": source_id(shop), "filter": "CHE"}).texts(".row-link") == [
        "cheap"
    ]
    columns = ana.get(page.all("#tables .row-link")[0].attributes["href"] or "")
    assert columns.texts("#columns tbody label") == ["Line No", "Order No", "price", "note"]
    assert "not null" in columns.text
    assert columns.texts("#columns .badge") == ["key"]


def test_a_browsed_table_becomes_a_dest_table_and_a_module_that_runs(shop: Site, ana: Visitor) -> None:
    page = browse(shop, ana)
    form = page.form(STEP3)
    assert form["col_dest_name[]"] == ["line_no", "order_no", "price", "note"]
    assert (form["dest_table"], form["name"], form["key[]"]) == ("order_lines", "order_lines", "c1")
    assert page.one("button[data-says]").text() == "Create table order_lines and module order_lines"
    module = get_module(ana.post("/wizard/create", form | {"merge_strategy": "upsert"}), shop)
    assert [column.id for column in module.columns] == ["c1", "c2", "c3", "c4"]
    assert (module.merge_strategy, module.merge_key, module.create_table) == ("upsert", ("line_no",), False)
    assert module.source_query.startswith('SELECT\n  "Line No",\n  "Order No"')
    shop.succeed(module)
    assert ask_dest(shop, "select line_no, price, note from order_lines order by 1") == [
        (1, 2.5, "first"),
        (2, 3, None),
    ]
    entries = [(entry.user, entry.action, entry.kind, entry.name) for entry in repo.list_audit(shop.db)]
    assert ("ana", "create", "module", "order_lines") in entries
    assert ("ana", "create", "table", "dw: order_lines") in entries


def test_not_null_and_the_key_of_a_browsed_table_are_carried_to_the_dest_table(shop: Site, ana: Visitor) -> None:
    form = browse(shop, ana).form(STEP3)
    assert (form["key[]"], form["not_null[]"], form["primary_key"]) == ("c1", ["c1", "c2"], ["0", "1"])
    ddl = ana.post("/wizard/preview", form | {"part": "ddl"}).one("#preview pre").text()
    assert '"order_no" INTEGER NOT NULL' in ddl
    assert 'PRIMARY KEY ("line_no")' in ddl
    get_module(ana.post("/wizard/create", form), shop)
    assert ask_dest(shop, "select name, \"notnull\", pk from pragma_table_info('order_lines')") == [
        ("line_no", 1, 1),
        ("order_no", 1, 0),
        ("price", 0, 0),
        ("note", 0, 0),
    ]


def test_not_null_and_the_primary_key_can_be_left_out(shop: Site, ana: Visitor) -> None:
    form = browse(shop, ana).form(STEP3) | {"not_null[]": [], "primary_key": "0"}
    get_module(ana.post("/wizard/create", form), shop)
    assert ask_dest(shop, "select sum(\"notnull\" + pk) from pragma_table_info('order_lines')") == [(0,)]


def test_a_part_of_a_tables_key_is_no_primary_key(shop: Site, ana: Visitor) -> None:
    ask_shop(shop, "create table pair (a integer, b integer, c text, primary key (a, b))")
    page = ana.get("/wizard/columns", params={"source_id": source_id(shop), "schema": "main", "table": "pair"})
    form = page.form("form[action='/wizard/columns']") | {"pick[]": ["a", "c"]}
    assert ana.post("/wizard/columns", form).form(STEP3)["primary_key"] == "0"


def test_only_the_chosen_columns_are_in_the_query(shop: Site, ana: Visitor) -> None:
    page = ana.get("/wizard/columns", params={"source_id": source_id(shop), "schema": "main", "table": "Order Lines"})
    form = page.form("form[action='/wizard/columns']") | {"pick[]": ["Line No", "price"]}
    assert ana.post("/wizard/columns", form).form(STEP3)["col_source_name[]"] == ["Line No", "price"]
    refused = ana.post("/wizard/columns", form | {"pick[]": []})
    assert (refused.status, "Choose at least one column." in refused.text) == (422, True)


def test_a_query_with_with_is_kept_verbatim_and_its_columns_are_found(shop: Site, ana: Visitor) -> None:
    query = '-- mine\nwith x as (select price as "The Price" from "Order Lines") select * from x;  -- end\n'
    page = write_sql(shop, ana, query)
    form = page.form(STEP3)
    assert (form["entry_mode"], form["query"], form["col_dest_name[]"]) == ("sql", query, "the_price")
    module = get_module(ana.post("/wizard/create", form | {"dest_table": "prices", "name": "prices"}), shop)
    assert module.source_query == query
    assert shop.succeed(module).rows_inserted == 2


def test_an_error_of_the_query_is_shown_with_the_query_still_there(shop: Site, ana: Visitor) -> None:
    page = write_sql(shop, ana, "select nonsense from <script>alert(1)</script>")
    assert page.status == 422
    assert page.one("textarea[name=query]").text().strip() == "select nonsense from <script>alert(1)</script>"
    assert page.has(".problem")
    assert "<script>alert" not in page.html
    for query, words in (
        ("select 1; select 2", "single statement"),
        ("", "empty"),
        ("select 1 a, 2 a", "more than one"),
    ):
        assert words in write_sql(shop, ana, query).one(".problem").text()


def test_htmx_gets_the_columns_as_a_list_under_the_editor(shop: Site, ana: Visitor) -> None:
    data = {"source_id": source_id(shop), "query": "select 1 as a, 'x' as b"}
    page = ana.post("/wizard/sql/columns", data, headers={"HX-Request": "true"})
    assert (page.status, page.has("main"), page.texts("td:first-child")) == (200, False, ["a", "b"])
    page = ana.post("/wizard/sql/columns", data | {"query": "select"}, headers={"HX-Request": "true"})
    assert (page.status, page.has(".problem")) == (200, True)


def test_a_placeholder_becomes_a_watermark_that_asks_the_dest_for_its_greatest_value(shop: Site, ana: Visitor) -> None:
    query = 'select "Line No" as line, note from "Order Lines" where "Line No" > {last}'
    form = write_sql(shop, ana, query).form(STEP3)
    dest = str(repo.get_connection_by_name(shop.db, "dw").id)
    assert (form["wm_name[]"], form["wm_connection_id[]"], form["wm_default_value[]"]) == ("last", dest, "0")
    assert form["wm_resolver_sql[]"] == 'SELECT max("line") FROM "result"'
    form |= {"name": "lines", "dest_table": "lines", "merge_strategy": "append"}
    ask_dest(shop, "create table other (x)")
    tried = ana.post("/watermarks/try", form | {"wm_resolver_sql[]": 'SELECT max("line") FROM "lines"'})
    assert "lines is not there yet, so 0 is used at the first run" in tried.one(".notice.good").text()
    nowhere = ana.post("/watermarks/try", form | {"wm_resolver_sql[]": "SELECT max(line) FROM nowhere"})
    assert "nowhere" in nowhere.one(".problem").text()
    module = get_module(ana.post("/wizard/create", form), shop)
    [mark] = repo.list_watermarks(shop.db, module.id)
    assert (mark.name, mark.default_value, mark.resolver_sql) == ("last", "0", 'SELECT max("line") FROM "lines"')
    assert shop.succeed(module).rows_inserted == 2
    assert shop.succeed(module).watermark_values == {"last": "2"}


def test_a_field_for_a_name_in_braces_comes_and_goes_as_it_is_typed(shop: Site, ana: Visitor) -> None:
    def ask(query: str, **more: Any) -> Page:
        sent = {"source_id": source_id(shop), "query": query, "entry_mode": "sql", **more}
        return ana.post("/wizard/sql/names", sent, headers={"HX-Request": "true"})

    assert not ask("select 1").has("input")
    form = {"wm_name[]": ["la", "since"], "wm_default_value[]": ["", "7"]}
    shown = ask("select * from t where a > {last} -- {no}", **form)
    assert shown.texts("label") == ["{since}", "{last}"]
    columns = {"source_id": source_id(shop), "query": "select 1 as a where 'x' > '{since}' and 1 > {n}"}
    page = ana.post("/wizard/sql/columns", columns, headers={"HX-Request": "true"})
    assert (page.texts("td:first-child"), page.texts("label")) == (["a"], ["{n}", "{since}"])
    page = ana.post("/wizard/sql/columns", columns | {"query": "selec 1 > {n}"}, headers={"HX-Request": "true"})
    assert "NULL stood for {n}" in page.one(".problem").text()


def test_a_strategy_that_adds_says_what_it_does_without_a_watermark(shop: Site, ana: Visitor) -> None:
    form = browse(shop, ana).form(STEP3)
    for strategy, words in (("incremental", "reads every row"), ("append", "adds every row"), ("full", "")):
        said = ana.post("/watermarks/words", form | {"merge_strategy": strategy}).one("#strategy-words").text()
        assert words in said if words else not said.strip()
        assert not ana.post("/watermarks/words", form | {"merge_strategy": strategy, "wm_name[]": "x"}).has("p")


def test_previews_show_rows_the_table_the_merge_and_watermark_values(shop: Site, ana: Visitor) -> None:
    form = browse(shop, ana).form(STEP3) | {"merge_strategy": "incremental"}
    shown = {part: ana.post("/wizard/preview", form | {"part": part}) for part in ("rows", "ddl", "merge", "values")}
    assert {page.status for page in shown.values()} == {200}
    assert shown["rows"].texts("#preview td") == ["1", "10", "2.5", "first", "2", "10", "3", "NULL"]
    assert 'CREATE TABLE "order_lines"' in shown["ddl"].one("#preview pre").text()
    assert 'DELETE FROM "order_lines"' in shown["merge"].one("#preview pre").text()
    assert "There is no watermark" in shown["values"].one("#preview").text()
    fragment = ana.post("/wizard/preview", form | {"part": "ddl"}, headers={"HX-Request": "true"})
    assert (fragment.has("main"), fragment.has("pre.sql")) == (False, True)
    assert ask_dest(shop, "select count(*) from sqlite_schema") == [(0,)]


def test_an_existing_table_is_taken_when_its_columns_fit_and_refused_when_not(shop: Site, ana: Visitor) -> None:
    ask_dest(shop, "create table order_lines (line_no integer, order_no integer, price decimal(10,2), note text)")
    form = browse(shop, ana).form(STEP3)
    assert "it is taken as it is" in ana.post("/wizard/preview", form | {"part": "ddl"}).text
    module = get_module(ana.post("/wizard/create", form), shop)
    shop.succeed(module)
    ask_dest(shop, "create table other (line_no integer, must integer not null)")
    refused = ana.post("/wizard/create", form | {"dest_table": "other", "name": "other"})
    assert refused.status == 422
    assert "'Order No' has no dest column" in refused.text
    assert repo.find_module_by_name(shop.db, "other") is None
    assert refused.form(STEP3)["dest_table"] == "other"


def test_what_is_wrong_is_told_together_and_nothing_is_made(shop: Site, ana: Visitor) -> None:
    shop.make_module("taken")
    form = browse(shop, ana).form(STEP3)
    names = ["a", "A", " !! ", "note"]
    page = ana.post(
        "/wizard/create", form | {"name": "taken", "merge_strategy": "upsert", "key[]": [], "col_dest_name[]": names}
    )
    told = " ".join(page.texts(".field-problem"))
    assert page.status == 422
    for words in ("module named 'taken'", "'A' stands twice", "A name is needed", "needs a merge key"):
        assert words in told
    assert ask_dest(shop, "select count(*) from sqlite_schema") == [(0,)]


def test_going_back_and_forth_loses_nothing(shop: Site, ana: Visitor) -> None:
    form = browse(shop, ana).form(STEP3)
    typed = form | {"name": "mine", "dest_table": "my_lines", "merge_strategy": "upsert", "key[]": ["c2"]}
    typed["col_dest_name[]"] = ["one", "two", "three", "four"]
    typed["wm_name[]"], typed["wm_resolver_sql[]"] = "w", "select 1"
    for field in ("wm_id[]", "wm_connection_id[]", "wm_default_value[]"):
        typed[field] = ""
    columns = ana.post("/wizard/back", typed)
    tables = ana.post("/wizard/tables", columns.form("form[action='/wizard/columns']"))
    assert tables.texts("#tables button.row-link") == ["Order Lines", "cheap"]
    again = ana.post("/wizard/table", tables.form("form[action='/wizard/table']") | {"table": "Order Lines"})
    back = ana.post("/wizard/columns", again.form("form[action='/wizard/columns']")).form(STEP3)
    for field in ("name", "dest_table", "merge_strategy", "col_dest_name[]", "wm_name[]", "wm_resolver_sql[]"):
        assert back[field] == typed[field], field
    assert back["key[]"] == "c2"


def test_going_back_to_the_query_keeps_it_and_the_dest(shop: Site, ana: Visitor) -> None:
    form = write_sql(shop, ana, "select 1 as a, 2 as b").form(STEP3) | {"col_dest_name[]": ["x", "y"], "name": "mine"}
    page = ana.post("/wizard/back", form)
    again = page.form("form[action='/wizard/sql/columns']") | {"query": "select 1 as a, 3 as c"}
    back = ana.post("/wizard/sql/columns", again).form(STEP3)
    assert back["col_dest_name[]"] == ["x", "c"]
    assert back["name"] == "mine"


def test_another_kind_of_dest_maps_the_types_anew_before_anything_is_made(shop: Site, ana: Visitor) -> None:
    there = shop.add_connection("pg", "jdbc:postgresql://127.0.0.1:1/x", username="u")
    form = browse(shop, ana).form(STEP3)
    assert form["col_dest_type[]"][2] == "decimal(10,2)"
    page = ana.post("/wizard/create", form | {"dest_id": str(there.id)})
    assert (page.status, "mapped anew" in page.text) == (200, True)
    form = page.form(STEP3)
    assert (form["dest_schema"], form["col_dest_type[]"][2]) == ("", "numeric(10,2)")
    failed = ana.post("/wizard/create", form)
    assert failed.status == 422
    assert failed.has(".problem")


def test_a_source_that_cannot_be_reached_is_told_on_the_page(shop: Site, ana: Visitor) -> None:
    there = shop.add_connection("pg", "jdbc:postgresql://127.0.0.1:1/x", username="u")
    page = ana.get("/wizard/tables", params={"source_id": str(there.id)})
    assert (page.status, page.has(".problem")) == (502, True)


# -- adding a column ---------------------------------------------------------------------------------------------------


def make_lines(site: Site, ana: Visitor) -> Module:
    page = ana.get("/wizard/columns", params={"source_id": source_id(site), "schema": "main", "table": "Order Lines"})
    form = page.form("form[action='/wizard/columns']") | {"pick[]": ["Line No", "price"]}
    return get_module(ana.post("/wizard/create", ana.post("/wizard/columns", form).form(STEP3)), site)


def test_a_column_is_added_to_the_dest_table_and_the_module(shop: Site, ana: Visitor) -> None:
    module = make_lines(shop, ana)
    repo.update_module(
        shop.db, module.id, source_query='select "Line No", price, note as "The Note" from "Order Lines"'
    )
    page = ana.get(f"/modules/{module.id}/columns/new")
    form = page.form("form.stack")
    assert (form["source_name"], form["dest_name"]) == ("The Note", "the_note")
    answer = ana.post(f"/modules/{module.id}/columns", form)
    assert answer.answer.headers["location"] == f"/modules/{module.id}"
    changed = repo.get_module(shop.db, module.id)
    added = changed.columns[-1]
    assert (added.id, added.source_name, added.dest_name, added.dest_type) == ("c3", "The Note", "the_note", "TEXT")
    shop.succeed(changed)
    assert ask_dest(shop, "select the_note from order_lines order by line_no") == [("first",), (None,)]
    assert repo.list_audit(shop.db, kind="table")[0].action == "change"


def test_a_column_whose_name_exists_is_refused(shop: Site, ana: Visitor, otto: Visitor) -> None:
    module = make_lines(shop, ana)
    typed = {"source_name": "x", "dest_name": "PRICE", "dest_type": "text", "source_type": ""}
    for visitor, status in ((ana, 422), (otto, 403)):
        assert visitor.post(f"/modules/{module.id}/columns", typed).status == status
    ask_dest(shop, "alter table order_lines add column unknown text")
    page = ana.post(f"/modules/{module.id}/columns", typed | {"dest_name": "unknown"})
    assert "has a column 'unknown' already" in page.text
    assert len(repo.get_module(shop.db, module.id).columns) == 2
    fragment = ana.post(f"/modules/{module.id}/columns", typed, headers={"HX-Request": "true"})
    assert (fragment.status, fragment.has("main"), fragment.has(".field-problem")) == (200, False, True)


def test_a_type_that_is_more_than_one_type_is_refused_wherever_it_is_given(shop: Site, ana: Visitor) -> None:
    two = "integer); drop table order_lines; create table x (a integer"
    form = browse(shop, ana).form(STEP3)
    forged = form | {"col_dest_type[]": [two, *form["col_dest_type[]"][1:]]}
    refused = ana.post("/wizard/create", forged)
    assert (refused.status, "is not one type of SQLite" in refused.text) == (422, True)
    # What stands for a type that is left blank comes from a field too.
    hidden = {"col_source_type[]": [two, *form["col_source_type[]"][1:]], "col_dest_type[]": [""] * 4}
    assert ana.post("/wizard/create", form | hidden).status == 422
    assert ask_dest(shop, "select count(*) from sqlite_master") == [(0,)]
    module = get_module(ana.post("/wizard/create", form), shop)
    address = f"/modules/{module.id}/columns"
    fields = ana.get(f"{address}/new").form("form.stack")
    for given in ({"dest_type": two}, {"dest_type": "", "source_type": two}, {"dest_type": "integer default 5"}):
        answer = ana.post(address, fields | {"source_name": "more", "dest_name": "more"} | given)
        assert (answer.status, "is not one type of SQLite" in answer.text) == (422, True)
    assert ask_dest(shop, "select name from sqlite_master where type = 'table'") == [("order_lines",)]
    # A module that an older version kept is refused when its run would make the table.
    kept = tuple(replace(column, dest_type=two) for column in module.columns)
    repo.update_module(shop.db, module.id, dest_table="made", columns=kept, create_table=True)
    run = shop.run(repo.get_module(shop.db, module.id))
    assert (run.status, run.error_stage) == ("error", "plan")
    assert "is not one type of SQLite" in (run.error or "")
