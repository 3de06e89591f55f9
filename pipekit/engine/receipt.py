# The receipt of a run as plain text. Knows the run record only.
"""`build_receipt`: what a run did, in a few lines."""

from datetime import datetime

from pipekit.models import Run

# Of a check that was not made there is nothing to say but that.
_VERDICTS = {True: "ok ", False: "NO ", None: "-- "}


def build_receipt(run: Run) -> list[str]:
    """Lines without colour: status, rows, stages, checks, and for a failed run its stage, cause and mend."""
    lines = [f"{run.module}  run {run.id}  {run.status}  {format_duration(get_duration_s(run))}"]
    if run.error:
        lines.append(f"  {run.error_stage}: {run.error}")
    if run.hint:
        lines.append(f"  mend: {run.hint}")
    if run.rows_read is not None or (run.undoes and run.merge_state == "merged"):
        lines.append("  " + _rows(run))
    if run.stages:
        lines.append("  " + "  ".join(f"{name} {seconds:.2f} s" for name, seconds in run.stages.items()))
    for check in run.checks:
        lines.append(f"  {_VERDICTS[check.ok]} {check.name}: {check.detail}")
    if run.status == "dry_run":
        lines.append("  preview: nothing was merged" if run.preview else "  dry run: nothing was moved")
    return lines


def _rows(run: Run) -> str:
    parts = [] if run.undoes else [("read", run.rows_read), ("staged", run.rows_staged)]
    if run.merge_state == "merged":
        parts += [("deleted", run.rows_deleted), ("inserted", run.rows_inserted), ("updated", run.rows_updated)]
        parts += [("unchanged", run.rows_unchanged)] if run.rows_unchanged is not None else []
        parts += [("marked", run.rows_marked)] if run.rows_marked is not None else []
    text = "  ".join(f"{name} {format_count(count)}" for name, count in parts)
    moving_s = run.stages.get("stage", 0.0)
    if run.rows_staged and moving_s > 0:
        text += f"  {format_count(round(run.rows_staged / moving_s))} rows/s"
    return text


def get_duration_s(run: Run) -> float | None:
    """Seconds from start to finish; None while it runs.

    At least what its stages took: those are measured by a clock that nobody sets.
    """
    if not run.started_at or not run.finished_at:
        return None
    elapsed = datetime.fromisoformat(run.finished_at) - datetime.fromisoformat(run.started_at)
    return max(elapsed.total_seconds(), sum(run.stages.values()))


def format_duration(seconds: float | None) -> str:
    """`1m 04s`, `12.4 s`, `0.31 s`."""
    if seconds is None:
        return "-"
    if seconds < 10:
        return f"{seconds:.2f} s"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h {minutes:02d}m {rest:02d}s" if hours else f"{minutes}m {rest:02d}s"


def format_count(count: int | None) -> str:
    """`1 204 000`; `unknown` for None."""
    return "unknown" if count is None else f"{count:,}".replace(",", " ")
