# The query in the wizard's third step, by its forms as a browser without scripts sends them. Starts no server.
"""Editing the query that was written, comparing a column with a watermark, and braces that are text."""

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from pipekit import repo
from pipekit.models import Module
from tests.pages.shop import STEP3, ask_dest, browse, make_shop, source_id, write_sql
from tests.pages.site import Page, Site, Visitor

MOVED = """
create table moved (id integer primary key, at timestamp not null, name text);
insert into moved values (1, '2026-01-01 10:00:00', 'a'), (2, '2026-01-02 10:00:00', 'b');
"""


@pytest.fixture
def shop(site: Site) -> Site:
    """A site with a shop to read from and an empty `dw` to write to."""
    make_shop(site)
    with closing(sqlite3.connect(site.config.base_dir / "shop.db")) as db:
        db.executescript(MOVED)
    return site


def get_module(answer: Page, site: Site) -> Module:
    assert answer.status == 303, answer.text
    return repo.get_module(site.db, int(answer.answer.headers["location"].rsplit("/", 1)[1]))


def compare(shop: Site, ana: Visitor, table: str, column: str, **more: Any) -> Page:
    form = browse(shop, ana, table).form(STEP3)
    place = form["col_source_name[]"].index(column)
    return ana.post("/wizard/compare", form | {"compare_column": form["col_id[]"][place], **more})


@pytest.mark.parametrize(
    ("table", "column", "strategy", "comparison", "default"),
    [
        ("moved", "at", "upsert", "\"at\" >= '{since}'", "1900-01-01"),
        ("moved", "id", "append", '"id" > {since}', "0"),
        ("Order Lines", "Line No", "incremental", '"Line No" >= {since}', "0"),
    ],
)
def test_a_browsed_table_with_a_watermark_reads_only_what_is_new(
    shop: Site, ana: Visitor, table: str, column: str, strategy: str, comparison: str, default: str
) -> None:
    page = compare(shop, ana, table, column, merge_strategy=strategy)
    form = page.form(STEP3)
    assert form["query"].endswith(f"\nWHERE {comparison}")
    assert (form["wm_name[]"], form["wm_default_value[]"]) == ("since", default)
    assert not [text for text in page.texts(".notice.warn") if "watermark of that name" in text]
    rows = ana.post("/wizard/preview", form | {"part": "rows"})
    assert len(rows.all("#preview tbody tr")) == 2
    module = get_module(ana.post("/wizard/create", form), shop)
    assert comparison in module.source_query
    assert shop.succeed(module).rows_read == 2
    again = shop.succeed(module)
    assert again.rows_read == (0 if strategy == "append" else 1)
    assert len(ask_dest(shop, f"select * from {module.dest_table}")) == 2


def test_the_comparison_goes_behind_conditions_and_where_it_cannot_go_it_is_only_told(shop: Site, ana: Visitor) -> None:
    form = browse(shop, ana, "moved").form(STEP3) | {"compare_column": "c1", "merge_strategy": "append"}
    written = form["query"]
    page = ana.post("/wizard/compare", form | {"query": f"{written}\nwhere name <> 'x'"})
    assert page.form(STEP3)["query"] == f"{written}\nwhere name <> 'x'\n  AND \"id\" > {{since}}"
    again = ana.post("/wizard/compare", page.form(STEP3) | {"compare_column": "c2"})
    assert again.form(STEP3)["query"] == page.form(STEP3)["query"]
    assert again.form(STEP3)["wm_name[]"] == "since"
    told = ana.post("/wizard/compare", form | {"query": f"{written} order by 1"})
    assert told.form(STEP3)["query"] == f"{written} order by 1"
    assert 'Write "id" > {since} where it belongs' in told.text
    full = ana.post("/wizard/compare", form | {"merge_strategy": "full"})
    assert "full empties the dest first" in full.text
    refused = ana.post("/wizard/compare", form | {"compare_column": "", "compare_name": "1 x"})
    assert (refused.status, len(refused.texts(".field-problem"))) == (422, 2)


def test_a_watermark_and_its_place_are_asked_for_before_anything_is_made(shop: Site, ana: Visitor) -> None:
    form = browse(shop, ana, "moved").form(STEP3)
    mark = {"wm_name[]": "since", "wm_connection_id[]": source_id(shop), "wm_resolver_sql[]": "select 1"}
    for given, words in (
        (mark, "The query does not use since"),
        ({"query": f"{form['query']} where id > {{since}}"}, "no watermark of that name"),
        (mark | {"query": f"{form['query']} -- {{since}}"}, "The query does not use since"),
    ):
        page = ana.post("/wizard/create", form | given)
        assert page.status == 422
        assert words in page.text
        assert "Nothing was made yet" in page.text
        assert ask_dest(shop, "select count(*) from sqlite_schema") == [(0,)]
    module = get_module(ana.post("/wizard/create", ana.post("/wizard/create", form | mark).form(STEP3)), shop)
    assert [item.name for item in repo.list_watermarks(shop.db, module.id)] == ["since"]


def test_an_edited_query_must_give_the_columns_that_the_dest_gets(shop: Site, ana: Visitor) -> None:
    form = browse(shop, ana, "moved").form(STEP3)
    for query, words in (
        ("select id, at from moved", "no longer gives name"),
        ("select id, at, name, 1 as more from moved", "also gives more"),
        ("select nonsense from moved", "nonsense"),
        ("select 1; select 2", "single statement"),
    ):
        page = ana.post("/wizard/create", form | {"query": query})
        assert (page.status, words in page.text) == (422, True), query
        assert page.form(STEP3)["query"] == query
    assert ask_dest(shop, "select count(*) from sqlite_schema") == [(0,)]
    get_module(ana.post("/wizard/create", form | {"query": "select name, at, id from moved where id < 2"}), shop)


def test_an_edit_stays_when_columns_are_chosen_anew_and_goes_with_its_table(shop: Site, ana: Visitor) -> None:
    form = browse(shop, ana, "moved").form(STEP3)
    columns = ana.post("/wizard/back", form | {"query": form["query"] + "\nwhere id > 0"})
    chosen = columns.form("form[action='/wizard/columns']") | {"pick[]": ["id", "at"]}
    page = ana.post("/wizard/columns", chosen)
    assert page.form(STEP3)["query"].endswith('"at"\nFROM "moved"\nwhere id > 0')
    assert '"name"' not in page.form(STEP3)["query"]
    own = ana.post("/wizard/back", form | {"query": "select * from moved"}).form("form[action='/wizard/columns']")
    page = ana.post("/wizard/columns", own | {"pick[]": ["id", "at"]})
    assert page.form(STEP3)["query"] == "select * from moved"
    assert "it stays as it is" in page.text
    assert ana.post("/wizard/dest", page.form(STEP3) | {"query": " "}).form(STEP3)["query"].startswith("SELECT\n")
    tables = ana.post("/wizard/tables", own)
    other = ana.post("/wizard/table", tables.form("form[action='/wizard/table']") | {"table": "Order Lines"})
    page = ana.post("/wizard/columns", other.form("form[action='/wizard/columns']"))
    assert page.form(STEP3)["query"].endswith('FROM "Order Lines"')
    assert "written anew for another table" in page.text


def test_braces_in_text_and_comments_of_a_written_query_are_no_watermarks(shop: Site, ana: Visitor) -> None:
    query = "select id, '{draft} of {today}' as note /* {later} */ from moved where at > '{since}' -- {never}"
    page = write_sql(shop, ana, query)
    form = page.form(STEP3)
    assert form["wm_name[]"] == "since"
    mark = {"wm_resolver_sql[]": "select '2026-01-01 12'"}
    module = get_module(ana.post("/wizard/create", form | mark | {"dest_table": "n", "name": "n"}), shop)
    assert module.source_query == query
    shop.succeed(module)
    assert ask_dest(shop, "select * from n") == [(2, "{draft} of {today}")]


def test_braces_in_a_text_that_the_database_refuses_may_be_given_a_value(shop: Site, ana: Visitor) -> None:
    query = "select nothing('{day}') as day from moved"
    page = write_sql(shop, ana, query)
    assert page.form("form[action='/wizard/sql/columns']")["wm_name[]"] == "day"
    # Left blank, it is text again once the query is well.
    again = page.form("form[action='/wizard/sql/columns']") | {"query": "select lower('{day}') as day from moved"}
    assert ana.post("/wizard/sql/columns", again).form(STEP3)["wm_name[]"] == ""
