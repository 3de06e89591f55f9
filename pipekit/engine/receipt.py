# The receipt of a run as plain text. Knows the run record only.
"""`build_receipt`: what a run did, in a few lines."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from pipekit.models import Run
from pipekit.repo import TimedText

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
    elif run.rows_so_far is not None and run.finished_at:
        lines.append(f"  {format_count(run.rows_so_far)} rows had arrived")
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


def stamp_log(parts: Iterable[TimedText], form: str = "%H:%M:%S") -> str:
    """A live log's text, each line behind when it came by the machine's clock; one of which that is not known as it is.

    The parts begin where lines begin.
    """
    told = []
    for part in filter(lambda part: part.text, parts):
        at = f"{datetime.fromisoformat(part.at).astimezone().strftime(form)}  " if part.at else ""
        text = part.text.removesuffix("\n")
        told.append(at + text.replace("\n", f"\n{at}") + part.text[len(text) :])
    return "".join(told)


def stamp_blocks(blocks: Iterable[Sequence[TimedText]], form: str = "%H:%M:%S") -> Iterator[str]:
    """The same of a log that comes in blocks, which may end within a line."""
    rest = TimedText(None, "")
    for block in blocks:
        *whole, last = [TimedText(rest.at or block[0].at, rest.text + block[0].text), *block[1:]]
        text, end, left = last.text.rpartition("\n")
        rest = TimedText(last.at, left)
        yield stamp_log([*whole, TimedText(last.at, text + end)], form)
    if rest.text:
        yield stamp_log([rest], form)


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
