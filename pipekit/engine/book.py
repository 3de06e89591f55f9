# What a run has learned so far, and the one place where its text is masked and written down. Knows no remote.
"""`RunBook`: the run's growing record, its live log and its stage clock."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from pipekit import repo
from pipekit.engine.events import Event, Listener, LogLine, RowsMoved, RunFinished, StageStarted
from pipekit.errors import PipekitError
from pipekit.models import Check, Run, RunStatus, Stage
from pipekit.secrets import Masker

FLUSH_EVERY_S = 0.5
KEPT_TEXT = 65_536


class RunBook:
    """Fields of a run record by name, collected until the run ends. Used in the thread that runs the run."""

    def __init__(self, db: repo.State, run: Run, masker: Masker, listener: Listener | None = None) -> None:
        self.run = run
        self.stage: Stage = "claim"
        self.checks: list[Check] = []
        self.masker = masker
        self._db = db
        self._listener = listener
        self._stages: dict[str, float] = {}
        self._fields: dict[str, Any] = {}
        self._pending = ""
        self._flushed = 0.0

    @contextmanager
    def during(self, stage: Stage) -> Iterator[None]:
        """Times a stage; an error inside it belongs to that stage."""
        self.stage = stage
        self.log(f"-- {stage}\n")
        self._tell(StageStarted(self.run.id, stage))
        started = time.monotonic()
        try:
            yield
        finally:
            self._stages[stage] = round(self._stages.get(stage, 0.0) + time.monotonic() - started, 4)

    def put(self, **fields: Any) -> None:
        """Notes fields of the run record (names of `Run`)."""
        self._fields.update(fields)

    def check(self, name: str, ok: bool, detail: str = "") -> None:
        """Notes a check's verdict for the receipt."""
        self.checks = [item for item in self.checks if item.name != name]
        self.checks.append(Check(name=name, ok=ok, detail=detail))

    def moved(self, rows: int) -> None:
        """Rows so far: a tick in the live log."""
        self.log(f"{rows}\n")
        self._tell(RowsMoved(self.run.id, rows))

    def log(self, text: str) -> None:
        """Appends to the live log, masked, about twice a second."""
        text = self.masker.mask(text)
        self._tell(LogLine(self.run.id, text))
        self._pending += text
        if time.monotonic() - self._flushed >= FLUSH_EVERY_S:
            self.flush()

    def flush(self, *, final: bool = False) -> None:
        """Writes the whole lines that are pending, at the end (`final`) also one that is not whole.

        A state database out of reach keeps them for the next time: a log never fails a run.
        """
        self._flushed = time.monotonic()
        end = len(self._pending) if final else self._pending.rfind("\n") + 1
        if not end:
            return
        try:
            repo.append_live_log(self._db, self.run.id, self._pending[:end])
            self._pending = self._pending[end:]
        except PipekitError:
            self._pending = self._pending[-KEPT_TEXT:]

    def save(self) -> None:
        """Writes what is known while the run goes on, so that a crash leaves it."""
        self.flush()
        repo.update_run(self._db, self.run.id, **self._record())

    def finish(self, status: RunStatus, owner: str) -> Run:
        """Writes the outcome once and frees the module. When the lease is another's, that owner's word stands."""
        self.flush(final=True)
        repo.finish_run(self._db, self.run.id, owner=owner, status=status, **self._record())
        run = repo.get_run(self._db, self.run.id)
        self._tell(RunFinished(run))
        return run

    def _record(self) -> dict[str, Any]:
        record = {name: self._masked(value) for name, value in self._fields.items()}
        checks = [replace(check, detail=self.masker.mask(check.detail)) for check in self.checks]
        return {**record, "stages": self._stages, "checks": checks}

    def _masked(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: self._masked(item) for name, item in value.items()}
        return self.masker.mask(value) if isinstance(value, str) else value

    def _tell(self, event: Event) -> None:
        if self._listener:
            self._listener(event)


def join_sql(statements: Sequence[str]) -> str:
    """Statements as one text for the record."""
    return ";\n".join(statements) + (";" if statements else "")
