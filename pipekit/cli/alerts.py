# Commands that look at alerts and try a channel. Starts nothing.
"""`pipekit alerts`."""

import click

from pipekit.cli.options import json_option
from pipekit.cli.session import Session
from pipekit.cli.text import format_time
from pipekit.errors import PipekitError


@click.group(short_help="Who is told of failures: list channels, what was told, send a test.")
def alerts() -> None:
    """List alert channels and what was told, and send a test. Channels and rules are made on the page Alerts."""


@alerts.command("list", short_help="Every channel and whether it works.")
@json_option
@click.pass_obj
def list_(session: Session, as_json: bool) -> None:
    """List channels: how people are reached, and when that last worked."""
    from pipekit.repo.alert_channels import list_channels

    channels = list_channels(session.db())
    if as_json:
        names = ("id", "name", "kind", "settings", "enabled", "worked_at", "failing_since", "error", "next_try_at")
        session.say_json([{name: getattr(item, name) for name in names} for item in channels])
        return
    session.say_table(
        ["NAME", "KIND", "ON", "LAST SENT", "TROUBLE"],
        [
            [item.name, item.kind, "yes" if item.enabled else "no", format_time(item.worked_at), item.error or "-"]
            for item in channels
        ],
        empty="There are no channels. Make one on the page Alerts.",
    )


@alerts.command(short_help="What was told, and what waits.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many at most.")
@json_option
@click.pass_obj
def told(session: Session, limit: int, as_json: bool) -> None:
    """List what was told lately, the latest first."""
    from pipekit.repo.alerts import list_alerts

    found = list_alerts(session.db(), limit)
    if as_json:
        names = ("id", "event", "subject", "facts", "made_at", "due_at", "told_at")
        session.say_json([{name: getattr(item, name) for name in names} for item in found])
        return
    session.say_table(
        ["NOTICED", "EVENT", "OF", "TOLD"],
        [
            [
                format_time(item.made_at),
                item.event,
                str(item.facts.get("module") or item.facts.get("group")),
                format_time(item.told_at) if item.told_at else "waits",
            ]
            for item in found
        ],
        empty="Nothing was told yet.",
    )


@alerts.command(short_help="Send a test message by a channel.")
@click.argument("channel")
@click.pass_obj
def test(session: Session, channel: str) -> None:
    """Send a test message by CHANNEL. Exit status 1 when it could not be sent."""
    from pipekit.repo.alert_channels import get_channel_by_name
    from pipekit.server.alerts.sending import send_test

    db = session.db()
    problem = send_test(db, get_channel_by_name(db, channel), session.secrets(), session.config().base_url)
    if problem:
        raise PipekitError(f"The test message could not be sent: {problem}")
    session.say(f"{channel} took the test message. See whether it arrived.")
