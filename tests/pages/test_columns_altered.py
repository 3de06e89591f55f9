# A column of a dest that is changed from a module's page: the form, the run that looks, and the run that does it.
"""`/modules/{id}/columns/change`. Runs no runner but that of the look."""

import sqlite3
from contextlib import closing

from pipekit import repo
from tests.pages.site import Site, Visitor


def test_a_column_is_chosen_looked_at_and_then_changed(site: Site, ana: Visitor, otto: Visitor) -> None:
    with closing(sqlite3.connect(site.config.base_dir / "dest.db")) as db:
        db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)")
    lite = site.add_connection("lite", "jdbc:sqlite:dest.db")
    module = site.add_module("orders", source=lite, query="select id, v from t", dest=lite, table="t")
    place = f"/modules/{module.id}/columns/change"
    assert ana.get(f"/modules/{module.id}").has(f'a[href="{place}"]')
    assert not otto.get(f"/modules/{module.id}").has(f'a[href="{place}"]')
    page = ana.get(f"{place}?column=v")
    assert page.has('option[value="v"][selected]')
    assert page.has(f'a[href="{place}?column=id#change"]')
    bad = ana.post(place, {"column": "v", "what": "retype", "to": "no ( type"})
    assert (bad.status, bad.has("#p-to")) == (422, True)
    sent = ana.post(place, {"column": "v", "what": "rename", "to": "label"})
    looks = repo.list_runs(site.db)[0]
    assert (sent.answer.headers["location"], looks.dry_run) == (f"/runs/{looks.id}", True)
    early = ana.post(place, {"run": str(looks.id)})
    assert (early.status, "is no preview" in early.text) == (422, True)
    taken = repo.claim_next_run(site.db, owner="tests:1", lease_s=3600, max_runs=4)
    assert taken is not None
    repo.finish_run(site.db, taken.id, owner="tests:1", status="dry_run", merge_sql="ALTER TABLE t")
    shown = ana.get(f"/runs/{looks.id}")
    assert ("rename v to label" in shown.text, shown.has(f'form[action="{place}"]')) == (True, True)
    assert not otto.get(f"/runs/{looks.id}").has(f'form[action="{place}"]')
    ana.post(place, {"run": str(looks.id)})
    does = repo.list_runs(site.db)[0]
    assert (does.dry_run, str(does.alteration), does.triggered_by) == (False, "rename v to label", "user:ana")
    assert [entry.detail["column"] for entry in repo.list_audit(site.db)[:2]] == ["rename v to label"] * 2
