# Holding a run up at a stage, from outside: by locks that its statements must wait for. Harms nothing.
"""`HOLDS`, one for each stage of `STAGES`."""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

import psycopg

from pipekit import repo
from pipekit.drivers.postgresql.driver import DRIVER
from pipekit.engine.recovering.owner import new_owner
from pipekit.runner.process import wait_until
from tests.harm import locked
from tests.matrix.works import NEW
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from tests.matrix.cell import Cell

LEDGER = DRIVER.quote_table(DRIVER.ledger_table())
# Numbers of the locks that `gate` waits for.
WATERMARK, COPY, CHECK, COMMIT, HOOK = 1, 2, 3, 4, 5
# The row at which a copy is held up; the last one is read and then left out.
ROW_OF = {"copy 0": NEW[0], "copy 50": NEW[len(NEW) // 2], "copy 100": NEW[-1] + 1}

Arrived = Callable[[], bool]


class Held:
    """A hold that is in force: `arrived` says whether the run waits there, `release` lets it go on."""

    def __init__(self, hold: AbstractContextManager[Arrived]) -> None:
        self._hold = hold
        self.arrived: Arrived = hold.__enter__()

    def release(self) -> None:
        """A server that went down has let go by itself."""
        with contextlib.suppress(psycopg.OperationalError):
            self._hold.__exit__(None, None, None)


def hold(cell: "Cell", stage: str) -> Held:
    """Must be called before the run is asked for."""
    return Held(_HOLDS[stage](cell))


@contextmanager
def _on_slot(cell: "Cell") -> Iterator[Arrived]:
    """The only slot is taken, by a run of ours that does nothing."""
    db, owner = cell.project.db, new_owner()
    asked = repo.enqueue_run(db, cell.other.id, owner=owner, lease_s=3600, triggered_by="cli")
    assert repo.claim_next_run(db, owner=owner, lease_s=3600, max_runs=1, run_id=asked.id)
    yield lambda: any(run.module == "m" and run.status == "queued" for run in repo.list_live_runs(db))
    repo.finish_run(db, asked.id, owner=owner, status="cancelled")


def _on_lock(side: str, sql: str) -> Callable[["Cell"], AbstractContextManager[Arrived]]:
    """A session of ours holds what a statement of the run must have."""

    @contextmanager
    def holds(cell: "Cell") -> Iterator[Arrived]:
        holder = cell.world.connect(side)
        try:
            holder.execute("begin")
            holder.execute(sql)
            cell.holder = holder
            yield lambda: cell.world.is_held_up(side)
        finally:
            holder.close()

    return holds


def _on_gate(side: str, number: int) -> Callable[["Cell"], AbstractContextManager[Arrived]]:
    return _on_lock(side, f"select pg_advisory_xact_lock({number})")


@contextmanager
def _on_finish(cell: "Cell") -> Iterator[Arrived]:
    """The state is locked while the last hook is held up; the run has done all, and cannot write down that it has."""
    with contextlib.ExitStack() as gate, contextlib.ExitStack() as state:
        arrived_at_hook = gate.enter_context(_on_gate("dest", HOOK)(cell))
        is_locked = False

        def arrived() -> bool:
            nonlocal is_locked
            if not is_locked and arrived_at_hook():
                state.enter_context(locked(cell.state_path))
                is_locked = True
                gate.close()
            return is_locked and not cell.world.list_sessions("dest")

        yield arrived


_HOLDS: dict[str, Callable[["Cell"], AbstractContextManager[Arrived]]] = {
    "claim": _on_slot,
    "watermark": _on_gate("source", WATERMARK),
    "plan": _on_lock("source", "lock table s in access exclusive mode"),
    "staging": _on_lock("dest", f"lock table {LEDGER} in share mode"),
    **{stage: _on_gate("source", COPY) for stage in ROW_OF},
    "check": _on_gate("dest", CHECK),
    "merge": _on_lock("dest", "lock table t in share mode"),
    "commit": _on_gate("dest", COMMIT),
    "hook": _on_gate("dest", HOOK),
    "finish": _on_finish,
}


def wait_for(held: Held, is_over: Callable[[], bool]) -> bool:
    """Whether the run got there, or gets there within the tests' patience before it is over."""
    return wait_until(lambda: held.arrived() or is_over(), PATIENCE_S, 0.03) and held.arrived()
