# Alert channels and rules in the state database. Knows what a channel needs, not how anything is sent.
"""Create, find, change and delete channels and rules."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from pipekit.errors import Conflict, Invalid
from pipekit.models import PASSWORD_PATTERN
from pipekit.models.alerts import ALERT_EVENTS, CHANNEL_KINDS, Channel, Rule
from pipekit.repo.addresses import check_web_address
from pipekit.repo.groups import get_group
from pipekit.repo.modules import get_module
from pipekit.repo.names import check_fields, check_path_name, get_row, get_row_by_name, unique
from pipekit.repo.state import State, format_moment, now, transaction

# What a kind of channel needs, and what it may have. A `$NAME` stands for a secret.
NEEDED: Mapping[str, tuple[str, ...]] = {
    "mail": ("server", "sender", "recipients"),
    "webhook": ("url",),
    "apprise": ("url",),
}
OPTIONAL: Mapping[str, tuple[str, ...]] = {
    "mail": ("port", "security", "user", "password"),
    "webhook": ("signing_key",),
    "apprise": (),
}
SECURITY = ("starttls", "tls", "none")
LONGEST_SETTING = 2_000
MOST_FAILURES = 100
_SECRET = re.compile(PASSWORD_PATTERN)
_ADDRESS = re.compile(r"[^\s@<>,;]+@[^\s@<>,;]+")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_RULE_FIELDS = ("events", "group_id", "module_id", "after_failures", "quiet_from", "quiet_until", "enabled")


# -- channels ----------------------------------------------------------------------------------------------------------


def create_channel(
    db: State, *, name: str, kind: str, settings: Mapping[str, str] | None = None, enabled: bool = True
) -> Channel:
    """Makes a channel. Raises Invalid naming the setting at fault, NameTaken."""
    if kind not in CHANNEL_KINDS:
        raise Invalid(f"A channel is one of {', '.join(CHANNEL_KINDS)}.", field="kind")
    values = {"name": check_path_name(name), "kind": kind, "enabled": enabled}
    values["settings_json"] = json.dumps(check_settings(kind, settings or {}))
    with transaction(db), unique(f"There is a channel named {values['name']!r} already."):
        return get_channel(db, db.insert("alert_channel", values))


def update_channel(db: State, channel_id: int, **changes: Any) -> Channel:
    """Changes `name`, `settings` (as a whole) or `enabled`; what waits is tried at once. Raises as `create_channel`."""
    check_fields(changes, ("name", "settings", "enabled"))
    with transaction(db), unique(f"There is a channel named {changes.get('name')!r} already."):
        before = get_channel(db, channel_id)
        values: dict[str, Any] = {name: changes[name] for name in changes if name == "enabled"}
        if "name" in changes:
            values["name"] = check_path_name(changes["name"], before=before.name)
        if "settings" in changes:
            values["settings_json"] = json.dumps(check_settings(before.kind, changes["settings"]))
        db.update("alert_channel", channel_id, {**values, "next_try_at": None})
        return get_channel(db, channel_id)


def delete_channel(db: State, channel_id: int) -> None:
    """Deletes a channel with its rules and alerts. Raises NotFound."""
    with transaction(db):
        get_channel(db, channel_id)
        db.change("DELETE FROM alert_channel WHERE id = ?", (channel_id,))


def get_channel(db: State, channel_id: int) -> Channel:
    """The channel of this id; raises NotFound."""
    return Channel.from_row(get_row(db, "alert_channel", "alert channel", channel_id))


def get_channel_by_name(db: State, name: str) -> Channel:
    """The channel of this name, letter case aside; raises NotFound."""
    return Channel.from_row(get_row_by_name(db, "alert_channel", "alert channel", name))


def list_channels(db: State) -> list[Channel]:
    """Every channel by name."""
    return [Channel.from_row(row) for row in db.rows("SELECT * FROM alert_channel ORDER BY name")]


def note_sent(db: State, channel_id: int) -> None:
    """Notes that a channel works."""
    works = {"worked_at": now(), "failing_since": None, "error": None, "attempts": 0, "next_try_at": None}
    db.update("alert_channel", channel_id, works)


def note_unsent(db: State, channel_id: int, error: str, next_try_at: datetime) -> None:
    """Notes that nothing could be sent, and when it is tried again."""
    sql = """
        UPDATE alert_channel SET failing_since = coalesce(failing_since, :now), error = :error,
               attempts = attempts + 1, next_try_at = :next WHERE id = :id
    """
    db.change(sql, {"id": channel_id, "now": now(), "error": error, "next": format_moment(next_try_at)})


def check_settings(kind: str, settings: Mapping[str, str]) -> dict[str, str]:
    """The settings a kind of channel keeps, blanks around them gone. Raises Invalid naming the one at fault."""
    given = {name: value.strip() for name, value in settings.items() if value.strip()}
    known = (*NEEDED[kind], *OPTIONAL[kind])
    for name, value in given.items():
        if name not in known:
            raise Invalid(f"A channel of the kind {kind} has no {name!r}.", field=name, hint=f"It has {known}.")
        if len(value) > LONGEST_SETTING or not value.isprintable():
            raise Invalid(f"This has at most {LONGEST_SETTING:,} characters, all of them printable.", field=name)
    for name in NEEDED[kind]:
        if name not in given:
            raise Invalid(f"A channel of the kind {kind} needs this.", field=name)
    {"mail": _check_mail, "webhook": _check_webhook, "apprise": _check_apprise}[kind](given)
    return given


def _check_mail(given: dict[str, str]) -> None:
    given.setdefault("security", "starttls")
    given.setdefault("port", {"starttls": "587", "tls": "465"}.get(given["security"], "25"))
    if given["security"] not in SECURITY:
        raise Invalid(f"This is one of {', '.join(SECURITY)}.", field="security")
    if not (given["port"].isascii() and given["port"].isdecimal() and 1 <= int(given["port"][:6]) <= 65_535):
        raise Invalid("A port is a number from 1 to 65535.", field="port")
    for name in ("sender", "recipients"):
        for address in split_addresses(given[name]):
            if not _ADDRESS.fullmatch(address):
                raise Invalid(f"{address!r} is no mail address.", field=name, hint="Several have commas between them.")
    if len(split_addresses(given["sender"])) != 1:
        raise Invalid("There is one sender.", field="sender")
    _check_secret(given, "password")
    if "password" in given and "user" not in given:
        raise Invalid("A password goes with a user.", field="user")
    if "password" in given and given["security"] == "none":
        raise Invalid("A password is not sent over a line that anybody can read.", field="security")


def hide_paths(settings: Mapping[str, str]) -> dict[str, str]:
    """Settings for who may not define: of a web address its server only, as the rest often is a key."""
    shown = dict(settings)
    parts = urlsplit(shown.get("url", ""))
    if parts.scheme in ("http", "https"):
        shown["url"] = f"{parts.scheme}://{parts.netloc}/..."
    return shown


def split_addresses(text: str) -> list[str]:
    """Mail addresses out of a list with commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


def _check_webhook(given: dict[str, str]) -> None:
    check_web_address(given["url"], field="url", or_secret=True)
    _check_secret(given, "signing_key")


def _check_apprise(given: dict[str, str]) -> None:
    # Apprise's addresses are made of tokens and passwords.
    _check_secret(given, "url")


def _check_secret(given: Mapping[str, str], name: str) -> None:
    if name in given and not _SECRET.fullmatch(given[name]):
        raise Invalid("This names a secret: $NAME.", field=name, hint="Set its value on the page Secrets.")


def require_enabled(channel: Channel) -> None:
    """Raises Conflict for a channel that is off."""
    if not channel.enabled:
        raise Conflict(f"The channel {channel.name!r} is off.", hint="Switch it on first.")


# -- rules -------------------------------------------------------------------------------------------------------------


def create_rule(db: State, *, channel_id: int, events: Sequence[str], **options: Any) -> Rule:
    """Makes a rule; options are the other fields of `Rule`. Raises Invalid, NotFound."""
    check_fields(options, _RULE_FIELDS)
    with transaction(db):
        get_channel(db, channel_id)
        values = _checked_rule(db, {"events": events, **options})
        return get_rule(db, db.insert("alert_rule", {"channel_id": channel_id, **values}))


def update_rule(db: State, rule_id: int, **changes: Any) -> Rule:
    """Changes some fields of a rule. Raises Invalid, NotFound."""
    check_fields(changes, _RULE_FIELDS)
    with transaction(db):
        before = get_rule(db, rule_id)
        kept = {name: getattr(before, name) for name in _RULE_FIELDS}
        db.update("alert_rule", rule_id, _checked_rule(db, {**kept, **changes}))
        return get_rule(db, rule_id)


def delete_rule(db: State, rule_id: int) -> None:
    """Deletes a rule; what it had to tell is dropped. Raises NotFound."""
    with transaction(db):
        get_rule(db, rule_id)
        db.change("UPDATE alert SET dropped = 1 WHERE rule_id = ? AND told_at IS NULL", (rule_id,))
        db.change("DELETE FROM alert_rule WHERE id = ?", (rule_id,))


def get_rule(db: State, rule_id: int) -> Rule:
    """The rule of this id; raises NotFound."""
    return Rule.from_row(get_row(db, "alert_rule", "alert rule", rule_id))


def list_rules(db: State, *, in_force: bool = False) -> list[Rule]:
    """Every rule in the order they were made, or those that are on and whose channel is."""
    where = "enabled AND channel_id IN (SELECT id FROM alert_channel WHERE enabled)" if in_force else "TRUE"
    return [Rule.from_row(row) for row in db.rows(f"SELECT * FROM alert_rule WHERE {where} ORDER BY id")]


def _checked_rule(db: State, values: Mapping[str, Any]) -> dict[str, Any]:
    events = [event for event in ALERT_EVENTS if event in values["events"]]
    unknown = set(values["events"]) - set(ALERT_EVENTS)
    if unknown or not events:
        raise Invalid(f"A rule is for at least one of {', '.join(ALERT_EVENTS)}.", field="events")
    if values.get("group_id") and values.get("module_id"):
        raise Invalid("A rule is for a group or for a module, not both.", field="module_id")
    if values.get("group_id"):
        get_group(db, values["group_id"])
    if values.get("module_id"):
        get_module(db, values["module_id"])
    if not 1 <= values.get("after_failures", 1) <= MOST_FAILURES:
        raise Invalid(f"This is a whole number from 1 to {MOST_FAILURES}.", field="after_failures")
    _check_quiet(values)
    checked = {name: values[name] for name in _RULE_FIELDS if name in values and name != "events"}
    return {**checked, "events_json": json.dumps(events)}


def _check_quiet(values: Mapping[str, Any]) -> None:
    times = {name: values.get(name) or None for name in ("quiet_from", "quiet_until")}
    for name, text in times.items():
        if text is not None and not _CLOCK.fullmatch(text):
            raise Invalid("A time is HH:MM, from 00:00 to 23:59.", field=name)
    if (times["quiet_from"] is None) != (times["quiet_until"] is None):
        raise Invalid("Quiet hours have a beginning and an end.", field="quiet_until")
    if times["quiet_from"] is not None and times["quiet_from"] == times["quiet_until"]:
        raise Invalid("Quiet hours that end where they begin would never end.", field="quiet_until")
