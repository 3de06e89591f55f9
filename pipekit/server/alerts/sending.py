# When alerts are sent, and when again. Knows what waits and how a message gets out, not what is worth telling.
"""`Sending`: one message for all that is due, tried again until it is out; and heartbeats of groups."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from pipekit import repo
from pipekit.config import Config
from pipekit.errors import NotFound
from pipekit.logs import get_logger
from pipekit.models.alerts import Alert, Channel
from pipekit.repo import alert_channels, alerts
from pipekit.secrets import Secrets
from pipekit.server.alerts.channels import NotSent, call, deliver
from pipekit.server.alerts.words import Message, build_json, build_message

# Whoever waits for more of the same has waited long enough: while nothing, or a group of it, still runs.
LONGEST_GATHER = timedelta(minutes=5)
LONGEST_FOR_GROUP = timedelta(minutes=15)
FIRST_PAUSE_S = 30.0
LONGEST_PAUSE_S = 900.0
HEARTBEAT_EVERY = timedelta(seconds=30)
HEARTBEAT_FOR = timedelta(minutes=30)
MOST_ALERTS = 500

_LOG = get_logger("alerts")


class Sending:
    """Sends what is due by each channel. A channel that fails is tried ever less often, at last four times an hour."""

    def __init__(self, config: Config, secrets: Secrets, clock: Callable[[], datetime] = repo.wall_clock) -> None:
        self._config = config
        self._secrets = secrets
        self._clock = clock
        self._called: dict[int, datetime] = {}

    def look(self, db: repo.State) -> None:
        """Sends what is due."""
        for channel in alert_channels.list_channels(db):
            if channel.enabled and (channel.next_try_at or "") <= repo.format_moment(self._clock()):
                self._send_due(db, channel)
        for ended in alerts.list_ended(db, MOST_ALERTS):
            if ended.group_run_id is not None:
                self._beat(db, ended.id, ended.group_run_id)

    def _send_due(self, db: repo.State, channel: Channel) -> None:
        due = alerts.list_due(db, channel.id, self._clock())[:MOST_ALERTS]
        messages = [[item] for item in due if item.event == "ended"]
        others = [item for item in due if item.event != "ended"]
        if others and self._is_time(db, others):
            messages.append(others)
        for items in messages:
            if not self._send(db, channel, items):
                return

    def _is_time(self, db: repo.State, items: Sequence[Alert]) -> bool:
        """Whether no more of the same is to be expected soon."""
        now = self._clock()
        waited = now - datetime.fromisoformat(min(max(item.made_at, item.due_at) for item in items))
        quiet = now - datetime.fromisoformat(max(max(item.made_at, item.due_at) for item in items))
        if any(_is_alive(db, item.facts.get("group_run_id")) for item in items):
            return waited >= LONGEST_FOR_GROUP
        return quiet >= timedelta(seconds=self._config.alert_gather_s) or waited >= LONGEST_GATHER

    def _send(self, db: repo.State, channel: Channel, items: Sequence[Alert]) -> bool:
        base = self._config.base_url
        message = build_message(items, base)
        data = build_json(items, message, base)
        if not try_to_send(db, channel, self._secrets, message, data, self._clock()):
            return False
        alerts.note_told(db, [item.id for item in items])
        return True

    # -- heartbeats ----------------------------------------------------------------------------------------------------

    def _beat(self, db: repo.State, ended_id: int, group_run_id: int) -> None:
        """Calls the address of a group that ran well; one that does not answer is called for half an hour."""
        now = self._clock()
        if now - self._called.get(ended_id, now - HEARTBEAT_EVERY) < HEARTBEAT_EVERY:
            return
        self._called[ended_id] = now
        try:
            group_run = repo.get_group_run(db, group_run_id)
            group = repo.get_group(db, group_run.group_id or 0)
        except NotFound:
            self._forget(db, ended_id)
            return
        try:
            if group.heartbeat:
                call(group.heartbeat, self._secrets)
        except NotSent as error:
            _LOG.warning("heartbeat of the group %s: %s", group.name, error.message)
            if group_run.finished_at and now - datetime.fromisoformat(group_run.finished_at) < HEARTBEAT_FOR:
                return
        self._forget(db, ended_id)

    def _forget(self, db: repo.State, ended_id: int) -> None:
        alerts.forget_ended(db, ended_id)
        self._called.pop(ended_id, None)


def try_to_send(
    db: repo.State, channel: Channel, secrets: Secrets, message: Message, data: dict[str, object], now: datetime
) -> bool:
    """Sends one message and notes at the channel whether that went well."""
    try:
        deliver(channel, secrets, subject=message.subject, text=message.text, data=data)
    except NotSent as error:
        pause_s = min(FIRST_PAUSE_S * 2**channel.attempts, LONGEST_PAUSE_S)
        reason = f"{error.message} {error.hint}".strip()
        alert_channels.note_unsent(db, channel.id, reason, now + timedelta(seconds=pause_s))
        _LOG.error("alerts cannot be sent by %s: %s (it is tried again in %g s)", channel.name, reason, pause_s)
        return False
    alert_channels.note_sent(db, channel.id)
    return True


def send_test(db: repo.State, channel: Channel, secrets: Secrets, base: str) -> str:
    """Sends a test message; why it could not be sent, or `""`."""
    text = f"This is a test of the channel {channel.name}. Alerts of Pipekit will look like this.\n{base}/alerts\n"
    message = Message(subject=f"Pipekit: a test of {channel.name}", text=text, about=())
    data: dict[str, object] = {"event": "test", "title": message.subject, "text": text, "alerts": []}
    try_to_send(db, channel, secrets, message, data, repo.wall_clock())
    return alert_channels.get_channel(db, channel.id).error or ""


def _is_alive(db: repo.State, group_run_id: int | None) -> bool:
    if group_run_id is None:
        return False
    try:
        return repo.get_group_run(db, group_run_id).finished_at is None
    except NotFound:
        return False
