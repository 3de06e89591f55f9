# Names, SQL and addresses that look like script are shown as text on every page that defines things.
"""Nothing that people typed becomes an element, an attribute or a script."""

import pytest

from pipekit import repo
from tests.pages.site import Site

SCRIPT = "<script>alert(1)</script>"
BREAKOUT = "\"'><img src=x onerror=alert(1)>"


@pytest.fixture
def filled(site: Site) -> Site:
    """An installation in which everything that takes free text has script in it."""
    site.add_connection(BREAKOUT, "jdbc:sqlite:x.db", username=SCRIPT)
    source, _ = site.make_pair()
    module = site.make_module(source_query=f"select '{SCRIPT}{BREAKOUT}' </textarea>{SCRIPT}", dest_table=BREAKOUT)
    repo.create_watermark(
        site.db, module_id=module.id, name="m", connection_id=source, resolver_sql=SCRIPT, default_value=BREAKOUT
    )
    repo.create_hook(site.db, module_id=module.id, sql=f"</textarea>{SCRIPT}")
    group = repo.create_group(site.db, name=BREAKOUT)
    repo.create_member(site.db, group_id=group.id, module_id=module.id)
    repo.create_schedule(site.db, group_id=group.id, cron="0 4 * * *")
    repo.create_token(site.db, repo.get_user_by_name(site.db, "ana").id, SCRIPT)
    repo.create_user(site.db, name=BREAKOUT, password_hash="-", role="viewer")
    detail = {SCRIPT: [BREAKOUT, SCRIPT]}
    repo.note_audit(site.db, user=SCRIPT, action="change", kind="module", name=BREAKOUT, detail=detail)
    return site


@pytest.mark.parametrize(
    "path",
    [
        *("/modules/new", "/modules/new?from=1", "/modules/1/edit", "/modules/1/delete"),
        *("/connections", "/connections/new", "/connections/1", "/connections/1/edit", "/connections/1/delete"),
        *("/groups", "/groups/1", "/groups/1/edit", "/groups/1/delete", "/groups/1/schedules/1/delete"),
        *("/groups/schedule-words?cron=%3Cscript%3E", "/secrets", "/users", "/users/4/delete", "/users/4/password"),
        *("/account", "/account/tokens/1/delete", "/settings", "/drivers", "/audit", "/audit?name=%22%3E%3Cscript%3E"),
    ],
)
def test_script_is_shown_as_text(filled: Site, path: str) -> None:
    page = filled.visit("ana").get(path)
    assert page.status == 200
    assert "alert(1)</script>" not in page.html
    assert not page.has("img")
    assert all((script.attributes.get("src") or "").startswith("/static/") for script in page.all("script"))
    on_anything = [name for node in page.all("*") for name in node.attributes if name.startswith("on")]
    assert on_anything == []
    assert not page.has("[style]")


def test_script_that_is_sent_back_with_a_problem_is_text(filled: Site) -> None:
    ana = filled.visit("ana")
    posts = {
        "/modules": {"name": SCRIPT, "source_query": f"</textarea>{SCRIPT}", "wm_name[]": BREAKOUT, "hook_sql[]": "x"},
        "/connections": {"name": BREAKOUT, "driver": SCRIPT, "jdbc_url": SCRIPT},
        "/groups/1/schedules": {"cron": SCRIPT},
        "/secrets": {"name": SCRIPT, "value": "x"},
        "/users": {"name": SCRIPT, "role": SCRIPT, "password": "long enough", "again": "long enough"},
        "/account/tokens": {"token_name": SCRIPT},
    }
    for path, data in posts.items():
        page = ana.post(path, data)
        assert page.status == 422, path
        assert "<script>alert" not in page.html, path
        assert not page.has("img"), path
