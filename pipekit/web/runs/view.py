# A run as its page tells it: stages, cause, the state of the dest, mends. Knows the record, no template.
"""`describe_run` and its parts."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pipekit.engine.progress import Moment, Progress, Usual, find_usual, measure_progress
from pipekit.engine.receipt import get_duration_s
from pipekit.mends import find_mend
from pipekit.models import Run
from pipekit.repo.pages import RunBrief
from pipekit.repo.progress import LiveRun, list_live_runs
from pipekit.repo.state import State
from pipekit.web.kit.excerpt import Excerpt, build_excerpt

ALIVE = ("queued", "running")

_FAILED_WHILE = {
    "claim": "The run could not start",
    "watermark": "Finding the watermarks' values failed",
    "plan": "Preparing the statements failed",
    "stage": "Loading rows into staging failed",
    "check": "A check refused the staged rows",
    "merge": "Merging into {dest} failed",
    "hook": "A hook failed after the merge",
}
_MENDS = {
    "claim": "See whether the module and its connections are still there, then run it again.",
    "watermark": "Try the watermark's SQL on its connection, or give the watermark a default.",
    "plan": "Run the query on its connection and compare its columns with the dest's.",
    "stage": "Test both connections; if they work, run the query by itself and look at its first rows.",
    "check": "Look at the rows the check names; the module's guards say what is refused.",
    "merge": "Compare the merge key and the dest's constraints with the rows that were read.",
    "hook": "Mend the hook's SQL and run it by hand: the rows are in place.",
}
# How drivers begin a hint that only repeats the statement.
_STATEMENT = "In: "


@dataclass(frozen=True, kw_only=True, slots=True)
class RunView:
    """What the page shows beside the record's own fields."""

    is_alive: bool
    elapsed_s: float | None
    current_stage: str
    current_s: float
    current_since: str
    rows_so_far: int | None
    rows_per_s: float | None
    progress: Progress
    sentence: str
    database_says: str
    dest_state: str
    mends: list[str]
    where: Excerpt | None


def describe_run(run: Run, usual: Usual | None = None, now: datetime | None = None) -> RunView:
    """What its page says of a run, in words and figures; `usual` is what loads like it took."""
    now = now or datetime.now(UTC)
    is_running = run.status == "running"
    elapsed_s = _elapsed(run.started_at, now) if is_running else get_duration_s(run)
    current = run.stage or "" if is_running else ""
    current_s = (_elapsed(run.stage_started_at, now) or 0.0) if current else 0.0
    rows = run.rows_so_far if run.rows_staged is None else run.rows_staged
    moving_s = current_s if current == "stage" else run.stages.get("stage", 0.0)
    sentence, rest = _tell_cause(run)
    return RunView(
        is_alive=run.status in ALIVE,
        elapsed_s=elapsed_s,
        current_stage=current,
        current_s=current_s,
        current_since=(now - timedelta(seconds=current_s)).isoformat(),
        rows_so_far=rows,
        rows_per_s=rows / moving_s if rows and moving_s > 0 else None,
        progress=_measure(run, usual, current, current_s) if run.status in ALIVE else Progress(),
        sentence=sentence,
        database_says=rest,
        dest_state=tell_dest_state(run),
        mends=_list_mends(run),
        where=build_excerpt(run.resolved_sql, run.error_position) if run.status == "error" else None,
    )


def _measure(run: Run, usual: Usual | None, stage: str, stage_s: float) -> Progress:
    moment = Moment(
        stages=run.stages, stage=stage, stage_s=stage_s, rows=run.rows_so_far, rows_expected=run.rows_expected
    )
    return measure_progress(moment, usual if is_usual_load(run) else None)


def is_usual_load(run: Run) -> bool:
    """Whether what other loads of its module took says something of it."""
    is_other = run.dry_run or run.preview or run.undoes is not None or run.asked_verify is not None
    return not (is_other or run.watermarks_given or run.merges_preview is not None)


def _elapsed(since: str | None, now: datetime) -> float | None:
    return max((now - datetime.fromisoformat(since)).total_seconds(), 0.0) if since else None


def _tell_cause(run: Run) -> tuple[str, str]:
    """One sentence with stage and cause, and what the database said below it."""
    if not run.error:
        return "", ""
    first, _, rest = run.error.strip().partition("\n")
    if run.status == "cancelled":
        return first, rest.strip()
    begin = _FAILED_WHILE.get(run.error_stage or "", "The run failed").format(dest=run.dest_table or "the dest")
    return f"{begin}: {first}", rest.strip()


def tell_dest_state(run: Run) -> str:
    """What the run left in the dest."""
    dest = run.dest_table or "The dest"
    if run.merge_state == "merged":
        return f"{dest} was changed: the merge was committed and stays."
    if run.merge_state == "unknown":
        return f"It is not known whether {dest} was changed; the dest is asked again until it answers."
    if run.status in ALIVE:
        return f"{dest} is unchanged so far."
    return f"{dest} is unchanged."


def _list_mends(run: Run) -> list[str]:
    if run.status != "error":
        return [run.hint] if run.hint else []
    # Where the place is shown, the statement around it is no help.
    hint = "" if run.error_position and (run.hint or "").startswith(_STATEMENT) else run.hint
    return [text for text in (hint, find_mend(run.error or "") or _MENDS.get(run.error_stage or "")) if text]


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveLine:
    """One line of what has not ended, and how far it is; `usual_s` is what its module's good loads take."""

    run: RunBrief
    elapsed_s: float | None
    progress: Progress
    usual_s: float | None


def describe_live(live: LiveRun, usual: Usual | None, now: datetime) -> LiveLine:
    """How far a run is that has not ended."""
    usual = usual if live.is_usual else None
    moment = Moment(
        stages=live.stages,
        stage=live.run.stage or "",
        stage_s=_elapsed(live.stage_started_at, now) or 0.0,
        rows=live.run.rows_so_far,
        rows_expected=live.rows_expected,
    )
    return LiveLine(
        run=live.run,
        elapsed_s=_elapsed(live.run.started_at, now),
        progress=measure_progress(moment, usual),
        usual_s=usual.seconds if usual else None,
    )


def list_live_lines(db: State, now: datetime, *, group_run_id: int | None = None) -> list[LiveLine]:
    """What runs now, or has not ended of a group run, and how far each is. Two queries."""
    live = list_live_runs(db, group_run_id=group_run_id)
    usual = find_usual(db, [item.run.module_id for item in live if item.run.module_id is not None])
    return [describe_live(item, usual.get(item.run.module_id or 0), now) for item in live]


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """A figure of a run beside that of the last good one."""

    name: str
    this: float | None
    then: float | None
    is_rows: bool

    @property
    def change(self) -> str:
        """`+12 %`, `x 3.4`, `-`: how they differ, where both are known and it is more than nothing."""
        if self.this is None or not self.then:
            return ""
        ratio = self.this / self.then
        if ratio >= 3:
            return f"\u00d7 {ratio:.1f}"
        percent = round((ratio - 1) * 100)
        return f"{percent:+d} %".replace("-", "\u2212") if percent else "same"


def compare_runs(run: Run, good: Run) -> list[Compared]:
    """Rows, the whole and each stage, beside those of an earlier run that went well."""
    pairs = {"read": "rows_read", "inserted": "rows_inserted", "updated": "rows_updated", "deleted": "rows_deleted"}
    rows = [
        Compared(name=name, this=getattr(run, own), then=getattr(good, own), is_rows=True)
        for name, own in pairs.items()
        if getattr(run, own) or getattr(good, own)
    ]
    whole = Compared(name="took", this=get_duration_s(run), then=get_duration_s(good), is_rows=False)
    names = [*good.stages, *(name for name in run.stages if name not in good.stages)]
    stages = [
        Compared(name=name, this=run.stages.get(name), then=good.stages.get(name), is_rows=False) for name in names
    ]
    return [*rows, whole, *stages]
