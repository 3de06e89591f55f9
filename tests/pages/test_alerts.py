# Who is told of what, on its page: channels, rules, a test message, what was told.
"""`/alerts`, seen from outside, with a real web server that gets the messages."""

import json

import pytest

from pipekit import repo
from pipekit.repo import alert_channels, alerts
from tests.pages.site import Site, Visitor
from tests.receivers import Webhook


def add_hook(site: Site, url: str = "https://hooks.example.com/x") -> int:
    return alert_channels.create_channel(site.db, name="hook", kind="webhook", settings={"url": url}).id


def test_a_channel_and_a_rule_are_made_and_changed_on_their_forms(site: Site, ana: Visitor) -> None:
    assert "There is no channel yet" in ana.get("/alerts").text
    assert "by an SMTP server" in ana.get("/alerts/channels/new").text
    form = ana.get("/alerts/channels/new?kind=mail").form("main form")
    filled = {**form, "name": "team", "server": "mail.example.com", "sender": "p@example.com", "recipients": "ana"}
    refused = ana.post("/alerts/channels", filled)
    assert refused.status == 422
    assert "'ana' is no mail address" in refused.one(".field-problem").text()
    ana.post("/alerts/channels", {**filled, "recipients": "ana@example.com"})
    (channel,) = alert_channels.list_channels(site.db)
    assert channel.settings["port"] == "587"
    rule_form = ana.get("/alerts/rules/new").form("main form")
    ana.post("/alerts/rules", {**rule_form, "quiet_from": "22:00", "quiet_until": "06:00"})
    (rule,) = alert_channels.list_rules(site.db)
    assert (rule.events, rule.quiet_from, rule.channel_id) == (("failed", "recovered", "late"), "22:00", channel.id)
    page = ana.get("/alerts")
    assert "failed, recovered, late" in page.text
    assert "22:00 to 06:00" in page.text
    changed = {**ana.get(f"/alerts/rules/{rule.id}").form("main form"), "after_failures": "x"}
    assert "whole number" in ana.post(f"/alerts/rules/{rule.id}", changed).one(".field-problem").text()
    ana.post(f"/alerts/rules/{rule.id}", {**changed, "after_failures": "3", "event_late": "0"})
    assert alert_channels.get_rule(site.db, rule.id).after_failures == 3
    assert "late" not in alert_channels.get_rule(site.db, rule.id).events
    kinds = {entry.kind for entry in repo.list_audit(site.db)}
    assert {"alert channel", "alert rule"} <= kinds
    ana.post(f"/alerts/rules/{rule.id}/delete", {})
    assert "nothing is told" in ana.get("/alerts").text
    assert "its 0 rules" in ana.get(f"/alerts/channels/{channel.id}/delete").text
    ana.post(f"/alerts/channels/{channel.id}/delete", {})
    assert alert_channels.list_channels(site.db) == []


def test_a_rule_that_is_for_nothing_says_so(site: Site, ana: Visitor) -> None:
    add_hook(site)
    form = ana.get("/alerts/rules/new").form("main form")
    nothing = {name: "0" if name.startswith("event_") else value for name, value in form.items()}
    assert "at least one of" in ana.post("/alerts/rules", nothing).text
    half = ana.post("/alerts/rules", {**form, "quiet_from": "22:00"})
    assert "a beginning and an end" in half.one(".field-problem").text()


def test_a_test_message_says_how_it_went_and_the_bar_says_when_nothing_can_be_sent(site: Site, ana: Visitor) -> None:
    with Webhook() as hook:
        channel_id = add_hook(site, hook.url)
        assert "took the test message" in ana.post(f"/alerts/channels/{channel_id}/test", {}).text
        assert json.loads(hook.calls[0][3])["event"] == "test"
        hook.status = 500
        page = ana.post(f"/alerts/channels/{channel_id}/test", {})
    assert "The address answers 500" in page.one(".problem").text()
    assert "fails since" in page.text
    assert "alerts are not sent" in ana.get("/status").text


def test_what_was_told_is_listed_with_its_run(site: Site, vera: Visitor) -> None:
    rule = alert_channels.create_rule(site.db, channel_id=add_hook(site), events=["failed"])
    facts = {"module": "orders", "run_id": 12}
    alerts.add_alert(site.db, rule, event="failed", subject="module:1", facts=facts, due_at=repo.wall_clock())
    page = vera.get("/alerts")
    (row,) = page.texts("#told tbody tr")
    assert "orders failed" in row
    assert "waits" in row
    assert page.one("#told tbody a").attributes["href"] == "/runs/12"


@pytest.mark.parametrize("path", ["/alerts/channels/new", "/alerts/rules/new"])
def test_who_may_not_define_makes_no_channel_and_no_rule(site: Site, otto: Visitor, path: str) -> None:
    add_hook(site)
    assert not otto.get("/alerts").has(".actions a")
    assert otto.get(path).status == 403
    assert otto.post(path.removesuffix("/new"), {}).status == 403
