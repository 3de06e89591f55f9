# Alerts over HTTP: channels, rules, and what was told. Knows no run; sends nothing but tests.
"""`/api/alerts`, `/api/alert-channels`, `/api/alert-rules`."""

from dataclasses import replace
from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends
from pydantic import Field

from pipekit import repo
from pipekit.api.bodies import ROUTER, Answer, Body, Id, Limit, Name, PathId, Ref, Short, get_given, partial
from pipekit.api.refs import find
from pipekit.definitions import edit
from pipekit.http.auth import ApiAdmin, ApiViewer
from pipekit.http.state import ContextDep, Db
from pipekit.models.alerts import AlertEvent, Channel, ChannelKind
from pipekit.models.people import User
from pipekit.repo import alert_channels, alerts
from pipekit.server.alerts.sending import send_test

router = APIRouter(prefix="/api", tags=["alerts"], **ROUTER)


class ChannelFields(Body):
    """A channel's fields that may change."""

    name: Name = Field(description="What it is called, letter case aside unique.")
    settings: dict[Name, Short] = Field(
        description="Mail: server, sender, recipients; port, security (starttls, tls, none), user, password. "
        "Webhook: url; signing_key. Apprise: url. Secrets are written $NAME."
    )
    enabled: bool = Field(default=True, description="Nothing is told by one that is off.")


class ChannelNew(ChannelFields):
    """A channel to make."""

    kind: ChannelKind = Field(description="How people are reached.")


@partial
class ChannelChange(ChannelFields):
    """Fields of a channel to change; what is left out stays, `settings` are replaced as a whole."""


class ChannelAnswer(Answer):
    """A way to people or programs."""

    id: int
    name: str
    kind: ChannelKind
    settings: dict[str, str] = Field(
        description="Secrets by name only. Of a web address only admins see more than its server."
    )
    enabled: bool
    worked_at: str | None = Field(description="When a message last went out, UTC.")
    failing_since: str | None = Field(description="Since when nothing could be sent, UTC.")
    error: str | None = Field(description="Why.")
    next_try_at: str | None = Field(description="When it is tried again, UTC.")

    @classmethod
    def to(cls, user: User, channel: Channel) -> Self:
        """A channel as somebody may see it."""
        settings = channel.settings if user.may("admin") else alert_channels.hide_paths(channel.settings)
        return cls.of(replace(channel, settings=settings))


class RuleFields(Body):
    """A rule's fields that may change."""

    events: list[AlertEvent] = Field(min_length=1, description="What is told.")
    group_id: Id | None = Field(default=None, description="Only of this group's modules; null for any.")
    module_id: Id | None = Field(default=None, description="Only of this module; null for any.")
    after_failures: int = Field(default=1, ge=1, le=100, description="Told when a module failed so often in a row.")
    quiet_from: Short | None = Field(default=None, description="HH:MM, local time.")
    quiet_until: Short | None = Field(default=None, description="HH:MM; what happens before is told then.")
    enabled: bool = Field(default=True, description="Whether it is in force.")


class RuleNew(RuleFields):
    """A rule to make."""

    channel_id: Id = Field(description="Where it goes.")


@partial
class RuleChange(RuleFields):
    """Fields of a rule to change; what is left out stays."""


class RuleAnswer(Answer):
    """Which events of which modules go to a channel."""

    id: int
    channel_id: int
    events: list[AlertEvent]
    group_id: int | None
    module_id: int | None
    after_failures: int
    quiet_from: str | None
    quiet_until: str | None
    enabled: bool


class AlertAnswer(Answer):
    """One thing that was told, or waits to be."""

    id: int
    rule_id: int | None
    channel_id: int
    event: AlertEvent
    subject: str = Field(description="module:ID or group:ID.")
    facts: dict[str, Any] = Field(description="What a message says of it.")
    made_at: str
    due_at: str
    told_at: str | None


class ChannelTestAnswer(Answer):
    """What came of a test message."""

    sent: bool
    problem: str


def find_channel(db: Db, ref: Ref) -> Channel:
    """The channel of the path."""
    return find(db, ref, alert_channels.get_channel, alert_channels.get_channel_by_name)


ChannelRef = Annotated[Channel, Depends(find_channel)]


@router.get("/alerts")
def list_alerts(user: ApiViewer, db: Db, limit: Limit = 50) -> list[AlertAnswer]:
    """What was told and what waits, the latest first."""
    return [AlertAnswer.of(item) for item in alerts.list_alerts(db, limit)]


@router.get("/alert-channels")
def list_channels(user: ApiViewer, db: Db) -> list[ChannelAnswer]:
    """Every channel by name."""
    return [ChannelAnswer.to(user, item) for item in alert_channels.list_channels(db)]


@router.post("/alert-channels", status_code=201)
def create_channel(user: ApiAdmin, db: Db, body: ChannelNew) -> ChannelAnswer:
    """Make a channel."""
    return ChannelAnswer.of(edit.create(db, edit.ALERT_CHANNEL, user.name, **body.model_dump()))


@router.get("/alert-channels/{ref}")
def get_channel(user: ApiViewer, channel: ChannelRef) -> ChannelAnswer:
    """One channel, and whether it works."""
    return ChannelAnswer.to(user, channel)


@router.put("/alert-channels/{ref}")
@router.patch("/alert-channels/{ref}")
def update_channel(user: ApiAdmin, db: Db, channel: ChannelRef, body: ChannelChange) -> ChannelAnswer:
    """Change some fields; what waits is tried at once."""
    return ChannelAnswer.of(edit.update(db, edit.ALERT_CHANNEL, user.name, channel.id, **get_given(body)))


@router.delete("/alert-channels/{ref}", status_code=204)
def delete_channel(user: ApiAdmin, db: Db, channel: ChannelRef) -> None:
    """Delete a channel with its rules and alerts."""
    edit.delete(db, edit.ALERT_CHANNEL, user.name, channel.id)


@router.post("/alert-channels/{ref}/test")
def test_channel(user: ApiAdmin, db: Db, context: ContextDep, channel: ChannelRef) -> ChannelTestAnswer:
    """Send a test message, and say how that went."""
    problem = send_test(db, channel, context.secrets, context.config.base_url)
    repo.note_audit(db, user=user.name, action="test", kind="alert channel", name=channel.name)
    return ChannelTestAnswer(sent=not problem, problem=problem)


@router.get("/alert-rules")
def list_rules(user: ApiViewer, db: Db) -> list[RuleAnswer]:
    """Every rule in the order they were made."""
    return [RuleAnswer.of(item) for item in alert_channels.list_rules(db)]


@router.post("/alert-rules", status_code=201)
def create_rule(user: ApiAdmin, db: Db, body: RuleNew) -> RuleAnswer:
    """Make a rule."""
    return RuleAnswer.of(edit.create(db, edit.ALERT_RULE, user.name, **body.model_dump()))


@router.get("/alert-rules/{id}")
def get_rule(user: ApiViewer, db: Db, id: PathId) -> RuleAnswer:
    """One rule."""
    return RuleAnswer.of(alert_channels.get_rule(db, id))


@router.put("/alert-rules/{id}")
@router.patch("/alert-rules/{id}")
def update_rule(user: ApiAdmin, db: Db, id: PathId, body: RuleChange) -> RuleAnswer:
    """Change some fields; its channel stays."""
    return RuleAnswer.of(edit.update(db, edit.ALERT_RULE, user.name, id, **get_given(body)))


@router.delete("/alert-rules/{id}", status_code=204)
def delete_rule(user: ApiAdmin, db: Db, id: PathId) -> None:
    """Delete a rule; what it had to tell is dropped."""
    edit.delete(db, edit.ALERT_RULE, user.name, id)
