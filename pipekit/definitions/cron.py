# Whether a cron expression can be accepted. Knows no clock and no schedule.
"""Cron expressions: five fields or one of the names."""

from datetime import UTC, datetime

CRON_NAMES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}

_START = datetime(2024, 1, 1, tzinfo=UTC)


def expand_cron(text: str) -> str:
    """A cron expression as it is kept: one space between its fields, names as the five fields they stand for."""
    expression = " ".join(text.split())
    return CRON_NAMES.get(expression.lower(), expression)


def check_cron(text: str) -> str:
    """Why a cron expression is refused, `""` when it can be accepted."""
    expression = text.strip()
    if expression.startswith("@"):
        known = ", ".join(sorted(CRON_NAMES))
        return "" if expression.lower() in CRON_NAMES else f"'{text}' is not a cron name; known are {known}."
    parts = expression.split()
    if len(parts) != 5:
        return f"'{text}' has {len(parts)} fields; a cron expression has five: minute hour day month weekday."
    from cronsim import CronSim, CronSimError

    try:
        next(CronSim(expression, _START))
    except CronSimError as error:
        return f"'{text}' is not a cron expression: {error}."
    except StopIteration:
        return f"'{text}' never comes."
    return ""
