# Versions of a module: each change kept whole, shown line by line, brought back; and the audit trail beside them.
"""`/modules/{id}/versions`, and what `/audit` leaves out unless it is asked for."""

from typing import Any

import pytest

from pipekit import repo
from pipekit.definitions import edit
from pipekit.definitions.apply import apply_text
from pipekit.errors import Invalid
from pipekit.models import Module
from pipekit.repo.purge import VERSIONS, list_old
from pipekit.repo.versions import get_version, list_versions
from tests.pages.site import Site, Visitor

FILE = """
modules:
  orders:
    source: shop
    dest: dw
    table: orders
    query: |
      select *
      from orders
      where id > {last}
    watermarks:
      last: {connection: dw, sql: select max(id) from orders}
    hooks:
    - {sql: analyze, run_on: success}
"""


@pytest.fixture
def orders(site: Site) -> Module:
    """A module that is older than versions are."""
    return site.make_module(source_query="select *\nfrom orders\nwhere id > 5")


def change(site: Site, module: Module, user: str = "ana", **values: Any) -> None:
    edit.update(site.db, edit.MODULE, user, module.id, **values)


def numbers(site: Site, module: Module) -> list[tuple[int, str | None]]:
    return [(item.number, item.user) for item in list_versions(site.db, module.id)]


def test_each_change_is_a_version_and_the_first_keeps_what_was_there_before(site: Site, orders: Module) -> None:
    change(site, orders, retries=5)
    change(site, orders, "shell:otto", retries=5)  # nothing is other
    mark = {"name": "last", "connection_id": orders.dest_id, "resolver_sql": "select 5"}
    made = edit.create(site.db, edit.WATERMARK, "otto", module_id=orders.id, **mark)
    edit.delete(site.db, edit.WATERMARK, "ana", made.id)
    assert numbers(site, orders) == [(4, "ana"), (3, "otto"), (2, "ana"), (1, None)]
    texts = [get_version(site.db, orders.id, number).definition or "" for number in (1, 2, 3, 4)]
    assert ["retries: 5" in text for text in texts] == [False, True, True, True]
    assert ["select 5" in text for text in texts] == [False, False, True, False]


def test_what_a_file_changes_at_once_is_one_version_and_what_it_leaves_is_none(site: Site, orders: Module) -> None:
    apply_text(site.db, FILE, user="shell:ana")
    apply_text(site.db, FILE, user="shell:ana")
    assert numbers(site, orders) == [(2, "shell:ana"), (1, None)]
    text = get_version(site.db, orders.id, 2).definition or ""
    assert ("max(id)" in text, "analyze" in text) == (True, True)


def change_twice(site: Site, module: Module) -> None:
    """Both or none: the second one is refused."""
    with repo.transaction(site.db):
        change(site, module, retries=3)
        change(site, module, retries=-1)


def test_a_change_that_is_refused_leaves_no_version(site: Site, orders: Module) -> None:
    with pytest.raises(Invalid):
        change_twice(site, orders)
    assert numbers(site, orders) == []
    change(site, orders, notes="again")
    assert numbers(site, orders) == [(2, "ana"), (1, None)]


def test_a_module_made_on_a_page_begins_with_its_own_version(site: Site, ana: Visitor) -> None:
    source, dest = site.make_pair()
    made = edit.create(
        site.db, edit.MODULE, "ana", name="m", source_id=source, dest_id=dest, source_query="select 1", dest_table="t"
    )
    assert numbers(site, made) == [(1, "ana")]
    page = ana.get(f"/modules/{made.id}/versions/1")
    assert "The module says this now." in page.text
    assert not page.has("form[action$='/restore']")


def test_a_version_shows_line_by_line_what_differs(site: Site, vera: Visitor, orders: Module) -> None:
    change(site, orders, source_query="select *\nfrom orders\nwhere id > 7")
    listed = vera.get(f"/modules/{orders.id}/versions")
    assert [row.split()[0] for row in listed.texts("table.list tbody tr")][:1] == ["2"] or listed.has("a[href$='/2']")
    page = vera.get(f"/modules/{orders.id}/versions/2")
    assert page.texts(".diff-gone") == ["- where id > 5"]
    assert page.texts(".diff-new") == ["+ where id > 7"]
    assert not page.has("form[action$='/restore']")  # a viewer restores nothing
    assert vera.get(f"/modules/{orders.id}/versions/9").status == 404


def test_an_admin_restores_a_version_which_is_a_new_one_with_its_audit_entry(
    site: Site, ana: Visitor, otto: Visitor, orders: Module
) -> None:
    apply_text(site.db, FILE, user="shell:ana")
    change(site, orders, name="orders2")
    address = f"/modules/{orders.id}/versions/1"
    assert otto.post(f"{address}/restore").status == 403
    told = ana.get(address)
    assert "+ where id > 5" in told.texts(".diff-new")
    assert not any("orders" in line for line in told.texts(".diff-new"))  # its name stays
    assert ana.post(f"{address}/restore").status == 303
    now = repo.get_module(site.db, orders.id)
    assert (now.name, now.source_query.split()[-1]) == ("orders2", "5")
    assert (repo.list_watermarks(site.db, orders.id), repo.list_hooks(site.db, orders.id)) == ([], [])
    assert numbers(site, orders)[0] == (4, "ana")
    assert list_versions(site.db, orders.id)[0].restores == 1
    assert "version 1 again" in ana.get(f"/modules/{orders.id}/versions").text
    entry = next(item for item in repo.list_audit(site.db) if item.kind == "module")
    assert (entry.user, entry.action, entry.name) == ("ana", "change", "orders2")


def test_a_version_whose_connection_is_gone_says_so_and_changes_nothing(
    site: Site, ana: Visitor, orders: Module
) -> None:
    other = site.add_connection("mart", "jdbc:sqlite:mart.db")
    old = orders.dest_id
    change(site, orders, dest_id=other.id)
    repo.delete_connection(site.db, old)
    page = ana.post(f"/modules/{orders.id}/versions/1/restore")
    assert page.status == 409
    assert "There is no connection 'dw'" in page.text
    assert repo.get_module(site.db, orders.id).dest_id == other.id


def test_old_versions_go_with_old_records_but_for_the_newest(site: Site, orders: Module) -> None:
    change(site, orders, retries=5)
    change(site, orders, retries=3)
    assert len(list(list_old(site.db, VERSIONS, "2999-01-01"))) == 2


def test_the_audit_trail_shows_runs_only_when_asked_and_leads_to_versions(
    site: Site, ana: Visitor, orders: Module
) -> None:
    change(site, orders, retries=5)
    ana.post(f"/modules/{orders.id}/run")
    page = ana.get("/audit")
    assert page.texts("table.audit tbody td:nth-child(3)") == ["change module orders versions"]
    assert page.one("table.audit a").attributes["href"] == f"/modules/{orders.id}/versions"
    assert "run module orders" in ana.get("/audit?runs=1").text
    plan = site.db.rows("EXPLAIN QUERY PLAN SELECT * FROM audit WHERE action NOT IN ('run', 'cancel') ORDER BY id DESC")
    assert "audit_of_changes" in plan[0]["detail"]
