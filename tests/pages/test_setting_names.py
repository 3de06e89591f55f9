# What messages call settings, and what a page makes of it.
"""`name_settings`, and the messages of the whole package against the module's form."""

import re
from pathlib import Path

import pytest

import pipekit
from pipekit.web.kit.settings import name_settings
from tests.pages.records import make_run
from tests.pages.site import Site, Visitor

SOURCES = sorted(Path(pipekit.__file__).parent.glob("[edr]*/**/*.py"))
HINT = "See why; with `guards: {empty_source: false}` the dest would be emptied."


@pytest.mark.parametrize(
    ("text", "field", "words"),
    [
        ("with `guards: {empty_source: false}`", "empty_source", "Refuse to empty a dest that has rows: off"),
        ("a lower share in `guards: {shrink: ...}`", "shrink", "Least share that a full load must leave"),
        ("Use `load: staged`", "load", "How rows come into the dest: staged"),
        ("set `create_table: true`", "create_table", "Make the table when it is missing: on"),
        ("Raise `timeouts: {run_s: ...}`", "run_timeout_s", "Longest run, in seconds"),
        ("`dest_type: text` holds it", "columns", "Dest type: text"),
        ("the module's `expect`", "expect_not_null", "What is expected of rows"),
        ("`undo: {runs: 3}` keeps it", "undo_runs", "Runs that can be taken back: 3"),
    ],
)
def test_a_setting_is_named_as_its_form_has_it_and_leads_there(text: str, field: str, words: str) -> None:
    assert f'<a class="setting" href="/modules/5/edit#f-{field}">{words}</a>' in name_settings(text, 5)
    assert f'<strong class="setting">{words}</strong>' in name_settings(text)


def test_what_is_no_setting_stays_as_it_is_and_nothing_of_it_is_html() -> None:
    assert name_settings("`no such` <b>x</b>") == "<code>no such</code> &lt;b&gt;x&lt;/b&gt;"
    told = "Unknown column `load` in `columns`"
    assert "setting" not in name_settings(told, 5, ours=False)
    assert "setting" in name_settings("no `load: swap` here", 5, ours=False)


def test_every_setting_that_a_message_names_is_in_the_modules_form(site: Site, ana: Visitor) -> None:
    page = ana.get(f"/modules/{site.make_module('orders').id}/edit")
    messages = [text for path in SOURCES for text in re.findall(r"`\w+: [^`\n]+`", path.read_text())]
    hrefs = {href for text in messages for href in re.findall(r"#(f-\w+)", name_settings(text, 1))}
    assert len(hrefs) > 15
    assert [href for href in sorted(hrefs) if not page.has(f"#{href}")] == []


def test_a_failed_run_leads_an_admin_to_the_field_and_only_names_it_for_others(
    site: Site, ana: Visitor, vera: Visitor
) -> None:
    module = site.make_module("orders")
    run = make_run(site, module, "error", error_stage="check", error="The source gave no rows.", hint=HINT)
    link = ana.get(f"/runs/{run.id}").one(".mends a.setting")
    assert link.attributes["href"] == f"/modules/{module.id}/edit#f-empty_source"
    assert not vera.get(f"/runs/{run.id}").has(".mends a.setting")
    assert "Refuse to empty a dest that has rows: off" in vera.get(f"/runs/{run.id}").text
