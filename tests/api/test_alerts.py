# Alerts and figures over HTTP.
"""`/api/alert-channels`, `/api/alert-rules`, `/api/alerts`, `/metrics`."""

from tests.api.caller import Caller, Home

MAIL = {"server": "mail.example.com", "sender": "p@example.com", "recipients": "ana@example.com", "password": "$MAIL"}


def test_channels_and_rules_are_made_changed_and_deleted(ana: Caller, vera: Caller) -> None:
    made = ana.post(
        "/alert-channels", {"name": "team", "kind": "mail", "settings": {**MAIL, "user": "etl"}}, expect=201
    )
    assert made["settings"]["password"] == "$MAIL"
    assert made["settings"]["port"] == "587"
    refused = ana.fail("POST", "/alert-channels", 422, {"name": "two", "kind": "mail", "settings": MAIL})
    assert refused["field"] == "user"
    rule = ana.post("/alert-rules", {"channel_id": made["id"], "events": ["failed"]}, expect=201)
    changed = ana.patch(f"/alert-rules/{rule['id']}", {"after_failures": 2})
    assert (changed["events"], changed["after_failures"]) == (["failed"], 2)
    ana.fail("POST", "/alert-rules", 404, {"channel_id": 99, "events": ["failed"]})
    assert vera.get("/alert-rules") == [changed]
    assert vera.get("/alert-channels/team")["error"] is None
    assert vera.get("/alerts") == []
    vera.fail("POST", "/alert-rules", 403, {"channel_id": made["id"], "events": ["failed"]})
    hook = {"name": "hook", "kind": "webhook", "settings": {"url": "https://hooks.example.com/T1/key"}}
    assert ana.post("/alert-channels", hook, expect=201)["settings"]["url"].endswith("/T1/key")
    assert vera.get("/alert-channels/hook")["settings"]["url"] == "https://hooks.example.com/..."
    ana.delete("/alert-channels/team", expect=204)
    assert vera.get("/alert-rules") == []


def test_figures_are_for_whoever_has_a_login_in_the_form_of_prometheus(home: Home, vera: Caller) -> None:
    answer = vera.client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert "\npipekit_runs_running 0.0\n" in answer.text
    assert home.call(None).client.get("/metrics").status_code == 401
