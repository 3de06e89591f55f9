# Pages of the largest records that can be written, and of what earlier versions took. Counts bytes, measures no time.
"""What is too large is refused where it enters, so that every page and every answer stays small enough to be drawn."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.datastructures import FormData

from pipekit import repo
from pipekit.errors import Invalid
from pipekit.models import Column
from pipekit.repo.modules import LONGEST_KEY, LONGEST_SQL_IN_ALL, MOST_COLUMNS, MOST_PARTS
from pipekit.web.kit.forms import MAX_FIELDS, MOST_ROWS, Form
from tests.pages.site import Site, Visitor
from tests.pages.test_access import list_routes

# So much is drawn, or put into a document, in a tenth of a second.
PAGE_BYTES = 5_000_000
MODULE = "m" * 60


def fill(length: int, unit: str = "select 'a' /*x*/ as b, ") -> str:
    """SQL of many small words: the most that can be drawn of so many characters."""
    return (unit * (length // len(unit) + 1))[:length]


def make_columns(count: int, width: int = 20) -> tuple[Column, ...]:
    types = {"source_type": "varchar(20)", "dest_type": "varchar(20)"}
    names = ((f"c{n}", f"s{n:0{width}}", f"d{n:020}") for n in range(count))
    return tuple(Column(id=one, source_name=source, dest_name=dest, **types) for one, source, dest in names)


def make_largest(site: Site) -> None:
    """One of everything, as large as it may be, and runs and changes by the page."""
    db = site.db
    source, dest = site.make_pair()
    given = {"notes": fill(20_000), "merge_strategy": "upsert", "merge_key": [f"k{n:06}" for n in range(2_000)]}
    module = repo.create_module(
        db,
        name=MODULE,
        source_id=source,
        dest_id=dest,
        source_query=fill(200_000),
        dest_table="t" * 2000,
        columns=make_columns(MOST_COLUMNS),
        **given,
    )
    for n in range(MOST_PARTS):
        repo.create_watermark(db, module_id=module.id, connection_id=source, name=f"w{n}", resolver_sql=fill(3_000))
        repo.create_hook(db, module_id=module.id, sql=fill(2_999))
    group = repo.create_group(db, name="g" * 200)
    repo.create_member(db, group_id=group.id, module_id=module.id)
    repo.create_schedule(db, group_id=group.id, cron="* * * * *")
    huge = fill(600_000)
    for _ in range(60):
        detail = {f"f{n}": [huge, None] for n in range(4)}
        repo.note_audit(db, user="ana", action="change", kind="module", name=MODULE, detail=detail)
    for _ in range(12):
        run = repo.claim_module(
            db, module.id, owner="me", lease_s=20, triggered_by="user:x", dry_run=False, staging_table="s" * 200
        )
        repo.append_live_log(db, run.id, (fill(3_999) + "\n") * 10)
        texts = dict.fromkeys(("error", "hint", "resolved_sql", "staging_sql", "merge_sql", "stdout"), huge)
        values = {f"w{n}": "v" * (100_000 // MOST_PARTS) for n in range(MOST_PARTS)}
        more: dict[str, Any] = {"watermark_values": values, "error_stage": "merge", "error_position": 100_000}
        repo.finish_run(db, run.id, owner="me", status="error", finished_at=repo.now(), **texts, **more)


def test_no_page_of_the_largest_records_is_long(site: Site, ana: Visitor) -> None:
    make_largest(site)
    token = repo.create_token(site.db, repo.get_user_by_name(site.db, "ana").id, "t")
    headers = {"Authorization": f"Bearer {token}"}
    api = TestClient(site.app, base_url="http://localhost", headers=headers, follow_redirects=False)
    tabs = ("sql", "staging", "merge", "output", "checks", "watermarks", "log")
    paths = [path for path in list_routes("GET") if "introspect" not in path and "/columns" not in path]
    paths += [*(f"/runs/12?tab={tab}" for tab in tabs), "/api/runs?limit=200", "/audit?kind=module"]
    sizes = {path: len((api if path.startswith("/api/") else ana.client).get(path).content) for path in set(paths)}
    assert {path: size for path, size in sizes.items() if size > PAGE_BYTES} == {}
    assert sizes["/modules/1"] > 200_000
    assert sizes["/audit?kind=module"] > 100_000


def test_what_is_larger_is_refused_with_its_size(site: Site) -> None:
    module = site.make_module()
    db, refused = site.db, []
    site.make_module("other", source_query="select 1")

    def refuse(change: Callable[[], object]) -> None:
        with pytest.raises(Invalid) as caught:
            change()
        refused.append(caught.value.message)

    refuse(lambda: repo.update_module(db, module.id, source_query=fill(200_001)))
    refuse(lambda: repo.update_module(db, module.id, notes=fill(20_001)))
    refuse(lambda: repo.update_module(db, module.id, columns=make_columns(MOST_COLUMNS + 1)))
    refuse(lambda: repo.update_module(db, module.id, columns=make_columns(600, width=1990)))
    refuse(lambda: repo.update_module(db, module.id, merge_key=["k" * 1000] * (LONGEST_KEY // 1000)))
    refuse(lambda: repo.create_hook(db, module_id=module.id, sql=fill(200_001)))
    for _ in range(LONGEST_SQL_IN_ALL // 200_000):
        repo.create_hook(db, module_id=module.id, sql=fill(199_000))
    refuse(lambda: repo.create_hook(db, module_id=module.id, sql=fill(199_000)))
    told = ("200,001", "20,001", "2,001", "600 columns", "20,000", "200,001", "at most 500,000")
    assert [part for part, message in zip(told, refused, strict=True) if part not in message] == []


def test_what_an_earlier_version_took_is_changed_in_everything_else(site: Site) -> None:
    module = site.make_module()
    site.db.execute("UPDATE module SET source_query = ?", (fill(300_000),))
    assert not repo.update_module(site.db, module.id, enabled=False).enabled
    with pytest.raises(Invalid, match="300,001"):
        repo.update_module(site.db, module.id, source_query=fill(300_001))


def test_a_change_is_noted_with_the_ends_of_long_values(site: Site) -> None:
    repo.note_audit(site.db, user="ana", action="change", kind="module", name="m", detail={"q": ["a" * 20_000, None]})
    old, new = repo.list_audit(site.db)[0].detail["q"]
    assert (old[:3], old[-3:], new) == ("aaa", "aaa", None)
    assert "characters left out" in old
    assert 9_900 < len(old) <= 10_000


def test_a_form_of_many_fields_is_read_once_through(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    real = FormData.getlist

    def getlist(self: FormData, key: str) -> list[Any]:
        calls.append(key)
        return real(self, key)

    monkeypatch.setattr(FormData, "getlist", getlist)
    form = Form()
    form.take(FormData([(f"f{n}", "a\r\nb") for n in range(19_000)]))
    assert (len(form.values), form.value("f7"), len(calls)) == (19_000, "a\nb", 0)


def test_a_form_of_more_fields_or_rows_than_anything_has_is_refused(site: Site, ana: Visitor) -> None:
    module = site.make_module()
    assert ana.post(f"/modules/{module.id}", {f"f{n}": "x" for n in range(MAX_FIELDS)}).status == 400
    page = ana.post(f"/modules/{module.id}", {"wm_name[]": ["x"] * (MOST_ROWS + 1)})
    assert (page.status, f"{MOST_ROWS + 1:,}" in page.text) == (422, True)


def test_a_definition_file_says_where_a_text_is_too_long(site: Site) -> None:
    text = f"modules:\n  m:\n    query: {json.dumps(fill(200_001))}\n    table: t\n"
    finished = site.cli("apply", "-", input_text=text)
    assert finished.code == 2
    assert "stdin:3: modules.m.query: This may have 200,000 characters; it has 200,001." in finished.stderr
