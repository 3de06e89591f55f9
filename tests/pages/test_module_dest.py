# A module's page as that of its product: the dest as it is, what it is made from and who reads it, its charts.
"""`/modules/{id}/dest` on real SQLite files, and the charts' ranges."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

from pipekit import repo
from pipekit.web.modules.chart import build_runs_chart, find_top
from tests.pages.records import make_run
from tests.pages.site import Site, Visitor

HTMX = {"HX-Request": "true"}


def fill(site: Site, name: str, *statements: str) -> None:
    with closing(sqlite3.connect(site.config.base_dir / name)) as db:
        for statement in statements:
            db.execute(statement)
        db.commit()


def test_the_dest_as_it_is_and_the_tables_under_a_view_are_seen_behind_the_page_and_kept(
    site: Site, ana: Visitor, vera: Visitor
) -> None:
    fill(site, "shop.db", "create table base (id integer primary key)", "create view orders as select id from base")
    fill(site, "dw.db", "create table orders (id integer primary key, total numeric not null)")
    module = site.make_module("orders")
    dw = repo.get_connection_by_name(site.db, "dw")
    given = {"source_query": "select sum(total) from orders", "dest_table": "sales"}
    sales = repo.create_module(site.db, name="sales", source_id=dw.id, dest_id=dw.id, **given)
    page = ana.get(f"/modules/{module.id}")
    assert page.one("#dest-seen").attributes["hx-trigger"] == "load"
    assert "hx-post" not in vera.get(f"/modules/{module.id}").one("#dest-seen").attributes  # a viewer asks nobody
    seen = ana.post(f"/modules/{module.id}/dest", headers=HTMX)
    assert seen.texts("tbody td.mono") == ["id key", "INTEGER not null", "total", "numeric not null"]
    assert "Reads base" in " ".join(seen.text.split())
    assert "hx-post" not in seen.one("#dest-seen").attributes
    kept = vera.get(f"/modules/{module.id}")
    assert kept.texts("#dest-seen tbody td.mono")[0] == "id key"
    assert kept.one("#dest-seen a[href='/modules/" + str(sales.id) + "']").text() == "sales"
    assert "by the name in its query" in kept.text
    ana.post(f"/modules/{sales.id}/dest")
    assert "by the name in its query" not in vera.get(f"/modules/{module.id}").text
    assert "orders" in vera.get(f"/modules/{sales.id}").one("#dest-seen dl").text()


def test_what_was_seen_of_another_query_or_table_is_not_shown(site: Site, ana: Visitor) -> None:
    fill(site, "shop.db", "create table orders (id integer)")
    fill(site, "dw.db", "create table orders (id integer)")
    module = site.make_module("orders")
    assert ana.post(f"/modules/{module.id}/dest").status == 303
    assert "Seen" in ana.get(f"/modules/{module.id}").one("#dest-seen").text()
    repo.update_module(site.db, module.id, dest_table="other")
    assert "Nobody has looked" in ana.get(f"/modules/{module.id}").one("#dest-seen").text()
    assert "The table is not there yet." in ana.post(f"/modules/{module.id}/dest", headers=HTMX).text


def test_a_viewer_may_not_have_databases_looked_at(site: Site, vera: Visitor) -> None:
    assert vera.post(f"/modules/{site.make_module().id}/dest").status == 403


def test_a_chart_has_a_range_of_runs_or_days(site: Site, vera: Visitor) -> None:
    module = site.make_module()
    for _ in range(3):
        make_run(site, module, dest_rows_after=7)
    with repo.transaction(site.db):
        site.db.execute("DROP TRIGGER run_log_is_final")
        old = repo.format_moment(datetime.now(UTC) - timedelta(days=20))
        first = "(SELECT min(id) FROM run_log)"
        site.db.execute(f"UPDATE run_log SET started_at = ?, finished_at = ? WHERE id = {first}", (old, old))
    counts = {}
    for span in ("60", "7d", "30d", "nonsense"):
        charts = vera.get(f"/modules/{module.id}?range={span}").all("[data-chart]")
        counts[span] = [len(json.loads(chart.attributes["data-chart"] or "")["at"]) for chart in charts]
    assert counts == {"60": [3, 2], "7d": [2], "30d": [3, 2], "nonsense": [3, 2]}


def test_one_very_high_value_does_not_flatten_the_rest() -> None:
    assert find_top([1.0] * 9 + [200.0]) == 1.5
    assert find_top([1.0] * 9 + [3.0]) is None
    assert find_top([1.0, 200.0]) is None
    assert find_top([None] * 20) is None
    assert build_runs_chart([])["tops"] == [None, None]
