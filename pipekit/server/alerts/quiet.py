# Quiet hours. Knows times of a day on the wall, no alert.
"""`find_end`."""

from datetime import UTC, datetime, time, timedelta, tzinfo

from pipekit.models.alerts import Rule


def find_end(rule: Rule, moment: datetime, zone: tzinfo) -> datetime:
    """The moment itself, or the end of the quiet hours it falls into (both aware)."""
    if not rule.quiet_from or not rule.quiet_until:
        return moment
    begin, end = time.fromisoformat(rule.quiet_from), time.fromisoformat(rule.quiet_until)
    local = moment.astimezone(zone)
    clock = local.time().replace(tzinfo=None)
    is_quiet = begin <= clock < end if begin < end else (clock >= begin or clock < end)
    if not is_quiet:
        return moment
    day = local.date() + timedelta(days=int(clock >= end))
    return datetime.combine(day, end, zone).astimezone(UTC)
