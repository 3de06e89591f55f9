# Where in its SQL a query failed: told on the run's page and under the wizard's editor.
"""The place of a fault: `web.excerpt`, the run's page, the wizard's query."""

import pytest

from pipekit.web.kit.drawing import highlight_sql
from pipekit.web.kit.excerpt import build_excerpt
from tests.pages.shop import make_shop, write_sql
from tests.pages.site import Site, Visitor
from tests.people import PASSWORD

QUERY = 'select "Line No",\n  prize\nfrom "Order Lines"'


def test_an_excerpt_is_the_line_with_a_pointer_under_the_place() -> None:
    found = build_excerpt(QUERY, QUERY.index("prize") + 1)
    assert found is not None
    assert (found.line, found.text, found.pointer) == (2, "  prize", "  ^")
    assert build_excerpt(QUERY, len(QUERY) + 1) is not None
    for sql, position in ((QUERY, None), (QUERY, 0), (QUERY, len(QUERY) + 2), (None, 1)):
        assert build_excerpt(sql, position) is None


def test_a_long_line_is_cut_around_the_place() -> None:
    sql = "select " + "a, " * 200 + "WRONG" + ", b" * 200
    found = build_excerpt(sql, sql.index("WRONG") + 1)
    assert found is not None
    assert len(found.text) < 130
    assert found.text[len(found.pointer) - 1 :].startswith("WRONG")
    assert (found.text[0], found.text[-1]) == ("…", "…")


@pytest.mark.parametrize(
    ("sql", "at", "marked"),
    [
        ("select prize from t", 8, "prize"),
        ("select 'it''s <b>'::int", 8, "&#39;it&#39;&#39;s &lt;b&gt;&#39;"),
        ("select from", 12, " "),
        ("a + * b", 5, "*"),
    ],
)
def test_the_word_at_the_place_is_marked_and_everything_is_text(sql: str, at: int, marked: str) -> None:
    assert f'<mark id="fault">{marked}</mark>' in highlight_sql(sql, at)
    assert "<mark" not in highlight_sql(sql)


def test_a_run_says_where_its_query_failed(site: Site, vera: Visitor) -> None:
    make_shop(site)
    run = site.run(site.make_module("lines", source_query=QUERY))
    assert (run.status, run.error_stage, run.resolved_sql) == ("error", "plan", QUERY)
    page = vera.get(f"/runs/{run.id}")
    assert page.one(".run-cause pre.where").text() == "  prize\n  ^"
    assert "Line 2 of the query" in page.text
    assert vera.get(f"/runs/{run.id}?tab=sql").texts("pre.sql mark#fault") == ["prize"]
    answer = vera.client.get(f"/api/runs/{run.id}", auth=("vera", PASSWORD))
    assert answer.json()["error_position"] == QUERY.index("prize") + 1


def test_a_run_without_a_place_shows_none(site: Site, vera: Visitor) -> None:
    make_shop(site)
    run = site.run(site.make_module("lines", source_query="select * from (select nope, nope)"))
    assert run.status == "error"
    assert not vera.get(f"/runs/{run.id}").has("pre.where")


def test_the_wizard_marks_the_place_in_the_query_as_it_was_typed(site: Site, ana: Visitor) -> None:
    make_shop(site)
    typed = 'select prize\nfrom "Order Lines" where "Line No" > {last} and prise > 1'
    values = {"wm_name[]": "last", "wm_default_value[]": "1000000", "wm_id[]": "", "wm_connection_id[]": ""}
    page = write_sql(site, ana, typed.replace("prize", "price"), **values)
    pre = page.one(".problem pre.where")
    assert pre.attributes["data-fault"] == str(typed.index("prise") + 1)
    assert pre.text().splitlines()[0] == "line 2"
    assert pre.text().splitlines()[1:] == [typed.splitlines()[1], " " * typed.splitlines()[1].index("prise") + "^"]
