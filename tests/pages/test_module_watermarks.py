# Watermarks and hooks as rows of a module's form. Knows the parallel arrays.
"""Inline watermarks: added, changed and deleted in one post."""

from typing import Any

import pytest

from pipekit import repo
from pipekit.models import Module
from pipekit.web.app import _save_inline_watermarks
from tests.pages.site import Page, Site, Visitor

FORM = "form.module-form"


@pytest.fixture
def module(site: Site) -> Module:
    """A module with the watermarks `since` and `upto`."""
    module = site.make_module(source_query="select * from orders where at > '{since}'")
    for name in ("since", "upto"):
        repo.create_watermark(
            site.db, module_id=module.id, name=name, connection_id=module.dest_id, resolver_sql="select 1"
        )
    return module


def post_rows(ana: Visitor, module: Module, **rows: list[str]) -> Any:
    sent = {name: value for name, value in ana.get(f"/modules/{module.id}/edit").form(FORM).items() if "[]" not in name}
    return ana.post(f"/modules/{module.id}", {**sent, **{f"wm_{name}[]": values for name, values in rows.items()}})


def post_twice(ana: Visitor, path: str, sent: dict[str, Any]) -> tuple[Page, Page]:
    """What a form that is to be warned of answers at first, and when it is saved as it stands."""
    warned = ana.post(path, sent)
    return warned, ana.post(path, {**sent, "told": warned.form(FORM)["told"]})


def names(site: Site, module: Module) -> list[str]:
    return [mark.name for mark in repo.list_watermarks(site.db, module.id)]


def test_rows_are_added_changed_and_deleted_in_one_post(site: Site, ana: Visitor, module: Module) -> None:
    since, upto = repo.list_watermarks(site.db, module.id)
    before = ana.get(f"/modules/{module.id}/edit").form(FORM)
    query = "select * from orders where at > '{since}' and day = '{day}'"
    sent = {name: value for name, value in before.items() if "[]" not in name} | {"source_query": query}
    rows = {
        "id": [str(since.id), str(upto.id), "", ""],
        "name": ["since", "upto", "day", ""],
        "connection_id": [str(module.source_id), str(module.dest_id), str(module.dest_id), ""],
        "resolver_sql": ["select\r\n2", "select 1", "select 3", ""],
        "default_value": ["1900-01-01", "", "", ""],
        "deleted_id": [str(upto.id)],
    }
    page = ana.post(f"/modules/{module.id}", sent | {f"wm_{name}[]": values for name, values in rows.items()})
    assert page.status == 303
    marks = repo.list_watermarks(site.db, module.id)
    assert marks[0].id == since.id
    assert [m.name for m in marks] == ["since", "day"]
    assert (marks[0].resolver_sql, marks[0].default_value) == ("select\n2", "1900-01-01")
    assert marks[1].default_value is None
    noted = [(e.action, e.kind, e.name) for e in repo.list_audit(site.db)]
    assert ("delete", "watermark", "orders: upto") in noted
    assert ("create", "watermark", "orders: day") in noted


def test_one_bad_row_undoes_the_whole_post(site: Site, ana: Visitor, module: Module) -> None:
    since, upto = repo.list_watermarks(site.db, module.id)
    page = post_rows(
        ana,
        module,
        id=["", str(upto.id)],
        name=["bad name", "upto"],
        connection_id=[str(module.dest_id)] * 2,
        resolver_sql=["select 1", "select 9"],
        default_value=["", ""],
        deleted_id=[str(since.id)],
    )
    assert page.status == 422
    assert "Use letters, digits and _" in page.text
    assert [m.resolver_sql for m in repo.list_watermarks(site.db, module.id)] == ["select 1", "select 1"]
    assert names(site, module) == ["since", "upto"]
    assert repo.list_audit(site.db) == []


def test_watermarks_of_rows_that_were_not_sent_stay(site: Site, ana: Visitor, module: Module) -> None:
    assert post_rows(ana, module).status == 303
    assert names(site, module) == ["since", "upto"]


def test_two_rows_of_one_name_are_refused_beside_the_second(site: Site, ana: Visitor, module: Module) -> None:
    page = post_rows(
        ana, module, id=["", ""], name=["a", "a"], connection_id=[str(module.dest_id)] * 2, resolver_sql=["x", "y"]
    )
    assert page.texts(".field-problem") == ["Another watermark of this module has this name."]


def test_names_that_do_not_meet_are_told_before_anything_is_saved(site: Site, ana: Visitor, module: Module) -> None:
    sent = {**ana.get(f"/modules/{module.id}/edit").form(FORM), "source_query": "select {day}, '{since}'"}
    warned, saved = post_twice(ana, f"/modules/{module.id}", sent)
    assert warned.status == 422
    day, upto, nothing = warned.texts("div[role=alert] p")
    assert "{day}" in day
    assert "does not use upto" in upto
    assert "Nothing was saved yet" in nothing
    assert saved.answer.headers["location"].startswith(f"/modules/{module.id}?saved=")
    assert repo.get_module(site.db, module.id).source_query == "select {day}, '{since}'"
    shown = ana.get(saved.answer.headers["location"])
    assert "Saved." in shown.one(".notice.good").text()
    on_page = [text.removesuffix(" Edit") for text in shown.texts(".notice.warn")]
    assert on_page == [day, upto]


def test_hooks_are_added_changed_and_deleted_in_one_post(site: Site, ana: Visitor, module: Module) -> None:
    first = repo.create_hook(site.db, module_id=module.id, sql="analyze")
    second = repo.create_hook(site.db, module_id=module.id, sql="vacuum")
    sent = ana.get(f"/modules/{module.id}/edit").form(FORM)
    sent["hook_sql[]"] = ["analyze orders", "vacuum", "select 1"]
    sent["hook_run_on[]"] = ["always", "success", "failure"]
    sent["hook_run_order[]"] = ["2", "1", "-1"]
    sent["hook_deleted_id[]"] = [str(second.id)]
    ana.post(f"/modules/{module.id}", sent)
    hooks = repo.list_hooks(site.db, module.id)
    assert [(h.sql, h.run_on, h.run_order) for h in hooks] == [
        ("select 1", "failure", -1),
        ("analyze orders", "always", 2),
    ]
    assert hooks[1].id == first.id


def test_the_name_other_programs_know_is_there() -> None:
    assert callable(_save_inline_watermarks)
