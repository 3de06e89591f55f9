# Alerts in words: a subject, a text, and JSON for programs. Knows no channel; nothing a row holds goes in.
"""`build_message` and `build_json`."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from pipekit.cron import get_zone
from pipekit.models.alerts import Alert

# Names listed of one cause; more are counted.
MOST_NAMED = 20
NO_MEND = "What the database said stands on the page of the run."
_HAPPENED = {
    "failed": "failed",
    "guard": "was refused by a check",
    "drift": "has other columns than before",
    "recovered": "works again",
    "late": "is late",
    "ended": "ended",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """What is sent; `about` are the ids of the alerts it tells of."""

    subject: str
    text: str
    about: tuple[int, ...]


def build_message(items: Sequence[Alert], base: str) -> Message:
    """One message of some alerts; `base` is where the pages are. What has one cause stands together."""
    parts = [_tell_gathered(group, base) for group in _gather(items)]
    return Message(subject=_build_subject(items), text="\n\n".join(parts) + "\n", about=tuple(a.id for a in items))


def _gather(items: Sequence[Alert]) -> list[list[Alert]]:
    """Failures first, each with those of its cause; in the order they came."""
    groups: dict[tuple[str, str], list[Alert]] = {}
    for item in sorted(items, key=lambda item: item.event in ("recovered", "ended")):
        groups.setdefault((item.event, item.cause or str(item.id)), []).append(item)
    return list(groups.values())


def _build_subject(items: Sequence[Alert]) -> str:
    if len(items) == 1:
        return f"Pipekit: {name_subject(items[0])} {_HAPPENED[items[0].event]}"
    counts = Counter(item.event for item in items)
    told = [f"{count} {_name_many(event, count)}" for event, count in counts.items()]
    return f"Pipekit: {', '.join(told)}"


def _name_many(event: str, count: int) -> str:
    return (
        {
            "failed": "modules failed",
            "guard": "loads were refused by a check",
            "drift": "modules have other columns",
            "recovered": "work again",
            "late": "are late",
            "ended": "runs ended",
        }[event]
        if count > 1
        else f"module {_HAPPENED[event]}"
    )


def name_subject(alert: Alert) -> str:
    """The module or the group that an alert is about."""
    facts = alert.facts
    if not facts.get("module"):
        return f"group {facts['group']}"
    return f"{facts['doing']} of {facts['module']}" if facts.get("doing") else str(facts["module"])


def _tell_gathered(group: Sequence[Alert], base: str) -> str:
    if len(group) == 1:
        return "\n".join(_tell(group[0], base))
    first = group[0]
    names = [name_subject(item) for item in group]
    more = len(names) - MOST_NAMED
    listed = ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
    lines = [f"{len(group)} modules {_HAPPENED[first.event].replace('was', 'were').replace('has', 'have')}: {listed}."]
    lines += ["They have one cause.", *_tell_cause(first), f"The first: {build_link(first, base)}"]
    return "\n".join(lines)


def _tell(alert: Alert, base: str) -> list[str]:
    told = {"late": _tell_late, "recovered": _tell_recovered, "ended": _tell_ended}.get(alert.event, _tell_failure)
    return [*told(alert), build_link(alert, base)]


def _tell_failure(alert: Alert) -> list[str]:
    facts = alert.facts
    of_group = f" in the group {facts['group']}" if facts.get("group") else ""
    line = f"{name_subject(alert)} {_HAPPENED[alert.event]}{of_group} at {show_time(facts['finished_at'])}"
    if facts.get("doing"):
        return [f"{line}.", *_tell_cause(alert)]
    if facts["failures"] > 1:
        line += f", {facts['failures']} times in a row since {show_time(facts['since'])}"
    good = f"It was last good at {show_time(facts['good_at'])}." if facts["good_at"] else "It has never been good."
    return [f"{line}. {good}", *_tell_cause(alert)]


def _tell_cause(alert: Alert) -> list[str]:
    facts = alert.facts
    checks = f" ({', '.join(facts['checks'])})" if facts.get("checks") else ""
    stage = f"Stage: {facts['stage'] or 'claim'}{checks}. " if "stage" in facts else ""
    return [f"{stage}{facts.get('mend') or NO_MEND}"]


def _tell_late(alert: Alert) -> list[str]:
    facts, due = alert.facts, show_time(alert.facts["due_at"])
    good = f"last good at {show_time(facts['good_at'])}" if facts["good_at"] else "never good yet"
    if "within_s" in facts:
        return [f"The rows of {facts['module']} are older than promised: new ones were due by {due}; {good}."]
    return [f"The group {facts['group']} should have run by {due} ({facts['why']}); {good}."]


def _tell_recovered(alert: Alert) -> list[str]:
    facts = alert.facts
    if facts.get("was_late"):
        return [f"{name_subject(alert)} is no longer late; it was due by {show_time(facts['due_at'])}."]
    times = "once" if facts["failures"] == 1 else f"{facts['failures']} times"
    since = f" since {show_time(facts['since'])}" if facts["since"] else ""
    return [f"{facts['module']} works again at {show_time(facts['finished_at'])}; it had failed {times}{since}."]


def _tell_ended(alert: Alert) -> list[str]:
    facts = alert.facts
    return [f"{facts['module']} ended at {show_time(facts['finished_at'])}: {facts['status']}."]


def build_link(alert: Alert, base: str) -> str:
    """The page that shows more."""
    facts = alert.facts
    if facts.get("run_id"):
        return f"{base}/runs/{facts['run_id']}"
    if facts.get("module_id"):
        return f"{base}/modules/{facts['module_id']}"
    return f"{base}/groups/{quote(alert.subject.partition(':')[2])}"


def show_time(text: str | None) -> str:
    """A moment of a record on the wall clock of this machine."""
    return datetime.fromisoformat(text).astimezone(get_zone()).strftime("%Y-%m-%d %H:%M") if text else "an unknown time"


def build_json(items: Sequence[Alert], message: Message, base: str) -> dict[str, Any]:
    """The same for programs: `event` is that of all, or `summary`; `alerts` has each with its facts and its link."""
    events = {item.event for item in items}
    listed = [
        {"event": item.event, "at": item.made_at, "link": build_link(item, base), **_drop_empty(item)} for item in items
    ]
    event = events.pop() if len(events) == 1 else "summary"
    return {"event": event, "title": message.subject, "text": message.text, "alerts": listed}


def _drop_empty(item: Alert) -> dict[str, Any]:
    return {name: value for name, value in item.facts.items() if value not in (None, "", [])}
