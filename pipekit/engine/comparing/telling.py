# What a comparison found, in words. Knows the record of it only.
"""`describe` and `tell_confidence`."""

from dataclasses import replace

from pipekit.models import Verified

VERIFY = "verify"


def describe(found: Verified) -> str:
    """`equal: 1000 rows`, or `2 rows are missing, 1 differs of 1000 in the source and 999 in the dest`."""
    kept = f"; the dest has {_count(found.extra_kept, 'row')} more, which stay there" if found.extra_kept else ""
    left_out = f"; not compared: {', '.join(found.left_out)}" if found.left_out else ""
    if found.equal:
        return f"{_tell_repaired(found)}, {_count(found.rows_source, 'row')}{kept}{left_out}"
    parts = [
        f"{_count(number, 'row')} {one if number == 1 else many}"
        for number, one, many in (
            (found.missing, "is missing", "are missing"),
            (found.extra - found.extra_kept, "is extra", "are extra"),
            (found.differing, "differs", "differ"),
        )
        if number
    ]
    sides = f"{_count(found.rows_source, 'row')} in the source, {found.rows_dest} in the dest"
    return f"{', '.join(parts)} ({sides}{kept}{left_out})"


def tell_confidence(found: Verified, sampled: float | None) -> Verified:
    """Of n sampled rows without a difference: fewer than 3/n of all rows differ, with 95 % confidence."""
    if sampled is None or not found.equal or not found.rows_source:
        return found
    share = min(100.0, 300 / found.rows_source)
    return replace(
        found, compared=f"{found.compared}; with 95 % confidence fewer than {share:.2g} % of all rows differ"
    )


def _tell_repaired(found: Verified) -> str:
    if not found.repaired:
        return "equal"
    counts = ", ".join(f"{number} {name}" for name, number in found.repaired.items() if number)
    return f"repaired ({counts}) and equal now"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
