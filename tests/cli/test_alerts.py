# `pipekit alerts` as a command.
"""Tests of `alerts list`, `alerts told` and `alerts test`."""

from pipekit import repo
from pipekit.repo import alert_channels
from tests.cli.conftest import Home
from tests.receivers import Webhook


def test_a_channel_is_listed_and_tried(shop: Home) -> None:
    assert "There are no channels" in shop.run("alerts", "list").stderr
    with Webhook() as hook:
        db = repo.open_state(shop.state / "pipekit.db")
        alert_channels.create_channel(db, name="hook", kind="webhook", settings={"url": hook.url})
        db.close()
        assert "hook took the test message" in shop.ok("alerts", "test", "hook")
        hook.status = 404
        failed = shop.run("alerts", "test", "hook")
        assert failed.code == 1
        assert "The address answers 404" in failed.stderr
    assert shop.ok_json("alerts", "list")[0]["failing_since"]
    assert "Nothing was told yet" in shop.run("alerts", "told").stderr
