# Dest rows that a module's `deletes` would take, as their key is gone from the source. Counts them, changes nothing.
"""`add_vanished` and `leave_out_marked`."""

from dataclasses import replace

from pipekit.drivers.base import MergePlan
from pipekit.drivers.facts import Gone
from pipekit.engine.comparing.bounds import Bounds
from pipekit.engine.context import RunContext
from pipekit.models import Difference, Verified
from pipekit.models.verifying import KEPT_KEYS


def find_gone(merge: MergePlan) -> Gone | None:
    """Which rows the module's `deletes` is about; None where the dest's other rows stay."""
    return merge.absent.gone if merge.absent else None


def leave_out_marked(context: RunContext, merge: MergePlan, bounds: Bounds) -> Bounds:
    """A row that is marked as gone is none of the dest's; where the source has it, it is missing."""
    gone = find_gone(merge)
    if gone is None or not gone.mark:
        return bounds
    unmarked = f"{context.dest_driver.quote_identifier(gone.mark)} IS NULL"
    return replace(bounds, dest=" AND ".join(filter(None, (bounds.dest, unmarked))))


def tell(gone: Gone | None) -> str:
    """A clause of what is compared."""
    if gone is None:
        return ""
    marked = f", and rows marked in {gone.mark} are left out" if gone.mark else ""
    within = f" and that meet {gone.scope}" if gone.scope else ""
    return f"; those whose key the source no longer has{within} are extra{marked}"


def add_vanished(context: RunContext, merge: MergePlan, within: str, found: Verified) -> Verified:
    """What was found, with these rows as extra ones: a merge leaves them nowhere."""
    gone, absent, driver = find_gone(merge), merge.absent, context.dest_driver
    if gone is None or absent is None:
        return found
    scope = " AND ".join(f"(\n{part}\n)" for part in (gone.scope, within) if part)
    rows = driver.build_gone_rows(replace(absent, gone=replace(gone, scope=scope)))
    count = int(context.ask_dest()(f"SELECT COUNT(*) {rows}").first_cell() or 0)
    if not count:
        return found
    keys = ", ".join(map(driver.quote_identifier, absent.key))
    shown = context.runner.query(context.dest, f"SELECT {keys} {rows}", limit=KEPT_KEYS)
    examples = [Difference(kind="extra", key=dict(zip(absent.key, row, strict=True))) for row in shown.rows]
    return replace(
        found,
        extra=found.extra + count,
        extra_kept=found.extra_kept - count,
        examples=(*found.examples, *examples)[:KEPT_KEYS],
    )
