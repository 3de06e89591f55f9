# Names, SQL and addresses that look like script are shown as text on every page that defines things.
"""Nothing that people typed becomes an element, an attribute or a script."""

from typing import Any

import pytest

from pipekit import repo
from tests.pages.records import OWNER, end_run
from tests.pages.site import Page, Site
from tests.pages.test_access import FOR_PROGRAMS, list_routes

SCRIPT = "<script>alert(1)</script>"
BREAKOUT = "\"'><img src=x onerror=alert(1)>"


# What a run that failed has from a database and from its runner.
SAID: dict[str, Any] = {
    "error": f"{SCRIPT} {BREAKOUT}\n{SCRIPT}",
    "hint": SCRIPT,
    "error_stage": "stage",
    "error_position": 3,
    "resolved_sql": f"select {SCRIPT}{BREAKOUT}",
    "staging_sql": SCRIPT,
    "merge_sql": BREAKOUT,
    "stderr": f"{SCRIPT}{BREAKOUT}",
    "watermark_values": {"m": SCRIPT},
}


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
    group_run = repo.create_group_run(site.db, group.id, triggered_by=f"api:{SCRIPT}")
    run = repo.claim_next_run(site.db, owner=OWNER, lease_s=3600, max_runs=9)
    assert run is not None
    repo.append_live_log(site.db, run.id, f"{SCRIPT}\n{BREAKOUT}\n")
    end_run(site, run, "error", **SAID)
    assert repo.get_run(site.db, run.id).group_run_id == group_run.id
    return site


PAGES = sorted({path for path in list_routes("GET") if not path.startswith(FOR_PROGRAMS) and path != "/runs/1/log.txt"})
MORE = (
    *(
        "/modules/new?from=1",
        "/groups/schedule-words?cron=%3Cscript%3E",
        "/audit?name=%22%3E%3Cscript%3E",
        "/users/4/delete",
    ),
    *("/users/4/password", "/runs/1?tab=sql", "/runs/1?tab=merge", "/runs/1?tab=watermarks", "/modules/1/run?from=1"),
    *(
        "/modules?q=%22%3E%3Cscript%3E",
        "/runs?module=%22%3E%3Cscript%3E",
        "/search?q=%22%3E%3Cscript%3E",
        "/search?q=select",
    ),
    *(
        "/wizard/tables?filter=%22%3E%3Cscript%3E",
        "/login?next=/%22%3E%3Cscript%3E",
        "/drivers?kind=%22%3E%3Cscript%3E",
    ),
    *("/%22%3E%3Cscript%3Ealert(1)%3C/script%3E", "/secrets/%3Cscript%3E/delete", "/drivers/%3Cscript%3E/delete"),
)
STRICT = ("default-src 'none'", "script-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'")


def check_is_harmless(page: Page, path: str) -> None:
    """No element, attribute or address of it is anybody's but ours, and the policy says so too."""
    policy = page.answer.headers["content-security-policy"]
    assert [rule for rule in STRICT if rule not in policy.split("; ")] == [], path
    assert "unsafe" not in policy, path
    assert page.answer.headers["x-content-type-options"] == "nosniff", path
    assert "alert(1)</script>" not in page.html, path
    assert not page.has("img"), path
    assert all((script.attributes.get("src") or "").startswith("/static/") for script in page.all("script")), path
    attributes = [item for node in page.all("*") for item in node.attributes.items()]
    assert [name for name, _ in attributes if name.startswith("on") or name == "style"] == [], path
    links = [
        value or ""
        for name, value in attributes
        if name in ("href", "src", "action", "formaction", "hx-get", "hx-post")
    ]
    assert [link for link in links if not link.startswith(("/", "#")) or link.startswith("//")] == [], path


@pytest.mark.parametrize("path", [*PAGES, *MORE])
def test_script_is_shown_as_text_on_every_page(filled: Site, path: str) -> None:
    page = filled.visit("ana").get(path)
    assert page.status in (200, 204, 303, 404, 409, 422), path
    check_is_harmless(page, path)
    if "<html" in page.html:
        assert len(page.all("h1")) == 1, path
        assert page.one("head title").text().endswith("Pipekit"), path


@pytest.mark.parametrize("path", ["/runs/1", "/runs/1/live", "/modules/1", "/", "/group-runs/1"])
def test_what_a_database_and_a_log_said_is_on_the_page_as_it_was_said(filled: Site, path: str) -> None:
    assert SCRIPT in filled.visit("vera").get(path).text


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
