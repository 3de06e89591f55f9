# What a run has learned so far, and the one place where its text is masked and written down. Knows no remote.
"""`RunRecord`: the run's growing record, its live log and its stage clock."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any

from pipekit import repo
from pipekit.cutting import cut, cut_lines
from pipekit.engine.events import Event, Listener, LogLine, RowsExpected, RowsMoved, RunFinished, StageStarted
from pipekit.engine.receipt import format_duration, get_duration_s
from pipekit.engine.unsaved import get_side_path, remove_side_file, write_side_file
from pipekit.errors import ConfigError, PipekitError, StateError
from pipekit.logs import get_logger
from pipekit.masking import Masker
from pipekit.models import Check, Preview, Run, RunSession, RunStatus, Stage

FLUSH_EVERY_S = 0.5
KEPT_TEXT = 65_536
TRY_AGAIN_S = 0.5

_LOG = get_logger("run")


class RunRecord:
    """Fields of a run record by name, collected until the run ends. Used in the thread that runs the run."""

    def __init__(self, db: repo.State, run: Run, listener: Listener | None = None) -> None:
        self.run = run
        self.stage: Stage = "claim"
        self.checks: list[Check] = []
        self._sessions: list[dict[str, Any]] = []
        self.masker = Masker([])
        self._db = db
        self._listener = listener
        self._stages: dict[str, float] = {}
        self._fields: dict[str, Any] = {}
        self._pending: list[repo.TimedText] = []
        self._unended = ""
        self._told_stages: dict[str, float] = {}
        self._live: dict[str, Any] = {}
        self._flushed = 0.0
        self._trouble: PipekitError | None = None

    @property
    def error_stage(self) -> Stage:
        """The stage that an error is recorded with: what compares is one of the checks."""
        return "check" if self.stage == "verify" else self.stage

    @property
    def is_merged(self) -> bool:
        """Whether the merge is known to have been committed."""
        return bool(self.get("merge_state") == "merged")

    @contextmanager
    def during(self, stage: Stage) -> Iterator[None]:
        """Times a stage; an error inside it belongs to that stage."""
        self.stage = stage
        self._live |= {"stage": stage, "stage_started_at": repo.now()}
        if stage == "stage":  # another attempt begins with no rows
            self._live["rows_so_far"] = None
        self.log(f"-- {stage}\n")
        self.tell(StageStarted(self.run.id, stage))
        started = time.monotonic()
        try:
            yield
        finally:
            self._stages[stage] = round(self._stages.get(stage, 0.0) + time.monotonic() - started, 4)

    def get(self, name: str) -> Any:
        """A field that was noted; None for one that was not."""
        return self._fields.get(name)

    def put(self, **fields: Any) -> None:
        """Notes fields of the run record (names of `Run`)."""
        self._fields.update(fields)

    def check(self, name: str, ok: bool | None, detail: str = "") -> None:
        """Notes a check's verdict for the receipt; None says that it was not made."""
        self.checks = [item for item in self.checks if item.name != name]
        self.checks.append(Check(name=name, ok=ok, detail=detail))

    def meet(self, session: RunSession) -> None:
        """Notes a session: whoever looks at its system meanwhile wants to know whose it is."""
        self._sessions.append(asdict(session))
        self.put(sessions=self._sessions)
        self.log(f"session {session.name} {'writes' if session.writes else 'reads'}: {session.about}\n")
        self.flush()

    def moved(self, rows: int) -> None:
        """Rows so far: a figure of the run, and a tick in the live log."""
        self._live["rows_so_far"] = rows
        self.log(f"{rows}\n")
        self.tell(RowsMoved(self.run.id, rows))

    def expects(self, rows: int) -> None:
        """How many rows the source thinks that there are, where no earlier run tells."""
        self._live["rows_expected"] = rows
        self.tell(RowsExpected(self.run.id, rows))

    def log(self, text: str) -> None:
        """Appends to the live log, masked and its lines cut, about twice a second; lines have the time they came."""
        text = cut_lines(self.masker.mask(text))
        self.tell(LogLine(self.run.id, text))
        whole, end, rest = text.rpartition("\n")
        if end:
            self._pending.append(repo.TimedText(_now(), f"{self._unended}{whole}\n"))
            self._unended = ""
        # A line that does not end must not gather in memory.
        self._unended = cut(self._unended + rest, KEPT_TEXT)
        self.settle()

    def settle(self) -> None:
        """Writes what is known, if that is half a second ago: a stage that is silent is seen nevertheless."""
        if (self._pending or self._live) and time.monotonic() - self._flushed >= FLUSH_EVERY_S:
            self.flush()

    def flush(self, *, final: bool = False) -> None:
        """Writes the whole lines that are pending, at the end (`final`) also one that is not whole.

        A state database out of reach keeps them for the next time: a log never fails a run.
        """
        self._flushed = time.monotonic()
        if final and self._unended:
            self._pending.append(repo.TimedText(_now(), self._unended))
            self._unended = ""
        if not (self._pending or self._live):
            return
        try:
            self._write_live(self._pending)
            self._pending = []
        except PipekitError:
            while sum(len(part.text) for part in self._pending) > KEPT_TEXT and len(self._pending) > 1:
                del self._pending[0]

    def _write_live(self, lines: Sequence[repo.TimedText]) -> None:
        with repo.transaction(self._db):
            repo.append_live_log(self._db, self.run.id, lines)
            if self._live:
                repo.note_live_figures(self._db, self.run.id, self._live)
            if self._stages != self._told_stages:
                repo.update_run(self._db, self.run.id, stages=self._stages)
            if self._sessions:
                repo.note_sessions(self._db, self.run.id, self._fields["sessions"])
        self._live, self._told_stages = {}, dict(self._stages)

    def save(self) -> None:
        """Writes what is known while the run goes on, so that a crash leaves it."""
        self.flush()
        repo.update_run(self._db, self.run.id, **self._gather())

    def keep_preview(self, preview: Preview, keep_s: float) -> None:
        """Writes down what a preview has found; from then on its staging is kept."""
        repo.keep_preview(self._db, self.run.id, preview, keep_s)

    def keep_nulls(self, nulls: Mapping[str, int]) -> None:
        """Keeps how many NULLs each staged column has."""
        repo.keep_nulls(self._db, self.run.id, nulls)

    def keep_bytes(self, count: int, form: str) -> None:
        """Keeps how many bytes its rows were on their way."""
        repo.keep_bytes(self._db, self.run.id, count, form)

    def release_preview(self, run_id: int) -> None:
        """Says that another run's preview is being merged."""
        repo.release_preview(self._db, run_id, left=False)

    def has_ended(self, run_key: str) -> bool | None:
        """Whether a run of this installation has ended; None for one that is not known here."""
        return repo.has_run_ended(self._db, run_key)

    def find_canceller(self) -> str | None:
        """Who asked the run to stop; None where that is not known."""
        try:
            return repo.find_canceller(self._db, self.run.id)
        except PipekitError:
            return None

    def finish(self, status: RunStatus, is_held: Callable[[], bool]) -> Run:
        """Writes the outcome once and frees the module. When the lease is another's, that owner's word stands.

        A state database out of reach is tried again until the outcome lies in a side file beside it and the lease is
        held no more; recovery reads it from there.
        """
        outcome = {"owner": self.run.owner, "status": status, "finished_at": repo.now(), **self._gather()}
        run = self._write_outcome(outcome) or self._insist(outcome, is_held)
        log_end(run)
        self.tell(RunFinished(run))
        return run

    def _write_outcome(self, outcome: Mapping[str, Any]) -> Run | None:
        """The run as it is recorded now; None when the state database is out of reach."""
        try:
            self.flush(final=True)
            repo.finish_run(self._db, self.run.id, **outcome)
            return repo.get_run(self._db, self.run.id)
        except (StateError, ConfigError) as error:
            self._trouble = error
            return None

    def _insist(self, outcome: Mapping[str, Any], is_held: Callable[[], bool]) -> Run:
        """Goes on trying; the run as it would be recorded when all that could be written is the side file."""
        name = f"run {self.run.id} ({self.run.module}), which ended as {outcome['status']},"
        _LOG.error("the record of %s cannot be written, trying again: %s", name, self._trouble)
        path = get_side_path(self._db.path, self.run.id)
        is_kept = False
        while is_held() or not is_kept:
            is_kept = is_kept or write_side_file(self._db.path, self.run, {**outcome, "log": self._get_unwritten()})
            time.sleep(TRY_AGAIN_S)
            if run := self._write_outcome(outcome):
                _LOG.info("the record of %s is written", name)
                remove_side_file(path)
                return run
        _LOG.error("the record of %s is kept in %s until the state database can be written", name, path)
        known = {name: value for name, value in outcome.items() if name not in ("staging_left", "alteration")}
        known["checks"] = tuple(outcome["checks"])
        known["sessions"] = tuple(map(RunSession.from_json, outcome.get("sessions", ())))
        known["hint"] = known.get("hint") or f"This record is kept in {path} until the state database can be written."
        return replace(self.run, **known)

    def _get_unwritten(self) -> str:
        return "".join(part.text for part in self._pending)[-KEPT_TEXT:]

    def _gather(self) -> dict[str, Any]:
        fields = {name: self._masked(value) for name, value in self._fields.items()}
        fields |= {name: cut(fields[name]) for name in ("error", "hint") if fields.get(name)}
        checks = [replace(check, detail=self.masker.tell(check.detail)) for check in self.checks]
        return {**fields, "stages": self._stages, "checks": checks}

    def _masked(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: self._masked(item) for name, item in value.items()}
        return self.masker.mask(value) if isinstance(value, str) else value

    def tell(self, event: Event) -> None:
        """Who looks on must not decide how a run ends: a listener that fails is told no more."""
        listener = self._listener
        try:
            if listener:
                listener(event)
        except Exception as error:
            self._listener = None
            self.log(f"note: this run is shown no more, {type(error).__name__}: {error}\n")


def _now() -> str:
    """This second, for a line of the log."""
    return repo.now()[:19] + "Z"


def log_start(run: Run) -> None:
    """One line for a run that starts."""
    _LOG.info("run %d (%s) started, triggered by %s", run.id, run.module, run.triggered_by)


def log_end(run: Run) -> None:
    """One line for a run that has ended: status, rows, seconds, and for a failed one why."""
    rows = "no" if run.rows_read is None else str(run.rows_read)
    why = f": {run.error_stage}: {run.error}" if run.error else ""
    took = format_duration(get_duration_s(run))
    level = logging.INFO if run.status in ("success", "dry_run") else logging.WARNING
    _LOG.log(level, "run %d (%s) %s, %s rows, %s%s", run.id, run.module, run.status, rows, took, why)
    if not run.error:
        for check in run.checks:
            if check.ok is False:
                _LOG.warning("run %d (%s) check %s: %s", run.id, run.module, check.name, check.detail)


def join_sql(statements: Sequence[str]) -> str:
    """Statements as one text for the record."""
    return ";\n".join(statements) + (";" if statements else "")
