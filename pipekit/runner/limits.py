# What is said when a limit of time is reached. Knows no process and no clock.
"""`tell_too_long`, `tell_silent`."""

from pipekit.errors import TimedOut


def tell_too_long(limit_s: float | None) -> TimedOut:
    """A run that went on past its limit, which is left out where it is not known."""
    limit = "" if limit_s is None else f" of {round(limit_s, 1):g} s"
    return TimedOut(f"The run took longer than its limit{limit}.", hint="Raise `timeouts: {run_s: ...}` of the module.")


def tell_silent(who: str, silence_s: float) -> TimedOut:
    """Nothing came of `who` for that long."""
    hint = "Raise `timeouts: {silence_s: ...}` of the module if its query needs that long before its first row."
    return TimedOut(f"Nothing was heard of {who} for {silence_s:g} s.", hint=hint)
