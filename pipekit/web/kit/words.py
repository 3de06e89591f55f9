# Times, ages and statuses as people read them. Knows no template.
"""Words for pages: local times, relative ages, the word of a status."""

from datetime import UTC, datetime

from pipekit.cron import describe
from pipekit.models.runs import ENDING, INTERRUPTED

STATUS_WORDS = {
    "queued": "queued",
    "running": "running",
    "success": "success",
    "dry_run": "dry run",
    "preview": "preview",
    "error": "error",
    "cancelled": "cancelled",
}


def status_word(status: str) -> str:
    """`dry_run` -> `dry run`."""
    return STATUS_WORDS.get(status, status)


def format_local(moment: str | None) -> str:
    """A stored UTC time in the server's zone: `2026-11-24 04:00:03`; `-` for none."""
    return "-" if not moment else datetime.fromisoformat(moment).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def format_stamp(moment: str | None, now: datetime | None = None) -> str:
    """When something was, as short as it is plain: `04:00` of the last day, `Mon 04:00` of six, else `24 Nov 04:00`."""
    if not moment:
        return "-"
    at = datetime.fromisoformat(moment).astimezone()
    days = ((now or datetime.now(UTC)) - at).total_seconds() / 86_400
    if days < 0.9:
        return at.strftime("%H:%M")
    if days < 6:
        return at.strftime("%a %H:%M")
    return at.strftime("%-d %b %H:%M") if days < 300 else at.strftime("%Y-%m-%d")


def describe_age(moment: str | None, now: datetime | None = None) -> str:
    """`3 min ago`, `in 2 h`; `-` for none."""
    if not moment:
        return "-"
    seconds = ((now or datetime.now(UTC)) - datetime.fromisoformat(moment)).total_seconds()
    span = _describe_span(abs(seconds))
    if span == "now":
        return "just now"
    return f"{span} ago" if seconds >= 0 else f"in {span}"


def _describe_span(seconds: float) -> str:
    for limit, size, unit in ((60, 1, "s"), (3600, 60, "min"), (86_400, 3600, "h")):
        if seconds < limit:
            number = int(seconds // size)
            return "now" if unit == "s" and number < 5 else f"{number} {unit}"
    days = int(seconds // 86_400)
    return f"{days} day" if days == 1 else f"{days} days"


_TOLD = {
    "cli": "the command line",
    "manual": "hand",
    INTERRUPTED: "Ctrl-C or a signal",
    ENDING: "the server as it ended",
}


def tell_trigger(triggered_by: str, cron: str | None = None) -> str:
    """`user:ana` -> `ana`; `cli` -> `the command line`; `schedule:3` -> its `cron` in words, its number without one."""
    kind, _, name = triggered_by.partition(":")
    if kind == "schedule" and cron:
        return f"schedule, {lower_first(describe(cron))}"
    if kind == "user" and name:
        return name
    if kind == "shell" and name:
        return f"{name} at the shell"
    if kind == "api":
        return f"{name} by the API" if name else "the API"
    return _TOLD.get(triggered_by, triggered_by.replace(":", " "))


def lower_first(text: str) -> str:
    """`At 04:00 every day` -> `at 04:00 every day`."""
    return text[:1].lower() + text[1:]


def format_clock(moment: str) -> str:
    """A stored time as the server's wall clock shows it: `06:00`."""
    return datetime.fromisoformat(moment).astimezone().strftime("%H:%M")
