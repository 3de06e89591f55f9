# The harm the matrix does, one function a kind. Knows the cell it harms, judges nothing.
"""`FAULTS` by name. Each is done once, while the run is held up; what it bends is put right by the cell's end."""

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg

from pipekit import repo
from pipekit.engine import cancel_run
from pipekit.models import RunStatus
from tests.harm import OBEDIENT, fill, limited, locked, send
from tests.matrix.cell import Cell
from tests.matrix.clocked import CLOCK, build_clocked
from tests.matrix.holds import LEDGER
from tests.matrix.proxy import Proxy
from tests.matrix.works import BEFORE_MERGE, STAGES
from tests.matrix.world import CANARY

# In cells whose harm is silence: how long a query may be silent, and how long the whole run may take, as a statement
# that changes something may be silent for as long as that.
IMPATIENT = {"silence_timeout_s": 6.0, "run_timeout_s": 20.0}
ANY: frozenset[RunStatus] = frozenset(("success", "error", "cancelled", "dry_run"))
DONE: frozenset[RunStatus] = frozenset(("success", "dry_run"))
# Who asks a run to stop is heard by then, while what holds it up still does.
HEARD_WITHIN_S = 1.5
FLOOD_LINES = 40_000


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One kind of harm. `strike` says whether there was anything to harm; it may leave things to `Cell.closing`.

    `prepare` comes before the module is made, `mend` before the next run. `stages` are those at which it makes sense,
    `ends` the statuses that the run may have in the end. With `serves` a server does the run, with `any_dest` the harm
    needs no PostgreSQL as dest, and one that `asks_to_stop` must be heard as long as nothing is merged.
    """

    name: str
    strike: Callable[[Cell], bool]
    prepare: Callable[[Cell], None] = lambda cell: None
    mend: Callable[[Cell], None] = lambda cell: None
    stages: tuple[str, ...] = STAGES
    ends: frozenset[RunStatus] = ANY
    serves: bool = False
    any_dest: bool = False
    asks_to_stop: bool = False


# -- processes ---------------------------------------------------------------------------------------------------------


def _send_all(pids: Sequence[int], number: int) -> bool:
    """To each of them, and whether there was any."""
    return sum(send(pid, number) for pid in pids) > 0


def kill_runners(cell: Cell) -> bool:
    return _send_all(cell.find_runners(), signal.SIGKILL)


def kill_program(cell: Cell) -> bool:
    return send(cell.pid, signal.SIGKILL)


def kill_both(cell: Cell) -> bool:
    return _send_all([cell.pid, *cell.find_runners()], signal.SIGKILL)


def terminate(cell: Cell) -> bool:
    return send(cell.pid, signal.SIGTERM)


def interrupt(cell: Cell) -> bool:
    is_there = send(cell.pid, signal.SIGINT)
    time.sleep(HEARD_WITHIN_S)
    return is_there


def stop_runners(cell: Cell) -> bool:
    """They stand still for good; only their parent's patience ends them."""
    return _send_all(cell.find_runners(), signal.SIGSTOP)


def stop_program(cell: Cell) -> bool:
    """It stands still and goes on after a while, its databases having waited."""
    is_there = send(cell.pid, signal.SIGSTOP)
    threading.Timer(2, send, (cell.pid, signal.SIGCONT)).start()
    return is_there


def flood_log(cell: Cell) -> bool:
    """A library in the runner writes without end to its stderr, the password among it."""
    line = f"a library that is full of itself, login postgres:{CANARY}@127.0.0.1\n".encode()
    runners = cell.find_runners()
    for pid in runners:
        with contextlib.suppress(OSError), Path(f"/proc/{pid}/fd/2").open("wb", buffering=0) as stderr:
            for _ in range(FLOOD_LINES // 200):
                stderr.write(line * 200)
    return bool(runners)


def be_impatient(cell: Cell) -> None:
    cell.options |= IMPATIENT


_HAS_W = "select 1 from pg_attribute where attrelid = %s::regclass and attname = 'w'"


# -- databases and the way to them -------------------------------------------------------------------------------------


def _end_sessions(side: str) -> Callable[[Cell], bool]:
    def end(cell: Cell) -> bool:
        sessions = cell.world.list_sessions(side)
        for pid in sessions:
            cell.world.ask(side, f"select pg_terminate_backend({pid})")
        return bool(sessions)

    return end


def _restart(side: str) -> Callable[[Cell], bool]:
    """At once, as after a crash: unlogged tables are empty, the rest is recovered."""

    def restart(cell: Cell) -> bool:
        cell.world.servers[side].kill()
        cell.world.servers[side].start()
        return True

    return restart


def _lead_through_proxy(side: str) -> Callable[[Cell], None]:
    def prepare(cell: Cell) -> None:
        proxy = Proxy(cell.world.servers[side].port)
        cell.closing.append(proxy.close)
        cell.ports[side] = proxy.port
        cell.proxy = proxy
        cell.options |= IMPATIENT

    return prepare


def reset_connections(cell: Cell) -> bool:
    assert cell.proxy is not None
    return cell.proxy.reset() > 0


def swallow_connections(cell: Cell) -> bool:
    assert cell.proxy is not None
    return cell.proxy.swallow() > 0


def hold_lock(cell: Cell) -> bool:
    """Somebody who reads the dest for some seconds more, as others do."""
    holder = cell.world.connect("dest")
    holder.execute("begin")
    holder.execute("lock table t in access share mode")
    threading.Timer(2.5, holder.close).start()
    return True


def make_deadlock(cell: Cell) -> bool:
    """Who holds the dest wants the ledger, whose row the merge has written: one of the two is ended."""
    holder = cell.holder
    assert holder is not None
    holder.execute("set local deadlock_timeout = '1h'")

    def want() -> None:
        with contextlib.suppress(psycopg.Error):
            holder.execute(f"lock table {LEDGER} in access exclusive mode")
        with contextlib.suppress(psycopg.Error):
            holder.execute("rollback")

    wanting = threading.Thread(target=want)
    wanting.start()
    wanting.join(30)
    return not wanting.is_alive()


def prepare_bad_row(cell: Cell) -> None:
    cell.spoil = "alter table t add constraint no_fifty check (id <> 50 or v <> 'new') not valid"


def do_nothing(cell: Cell) -> bool:
    return True


def mend_bad_row(cell: Cell) -> None:
    cell.world.ask("dest", "alter table t drop constraint if exists no_fifty")


def _rename_column(side: str, table: str) -> Callable[[Cell], bool]:
    """Beside the run, as who changes a table waits for who reads it."""

    def rename(cell: Cell) -> bool:
        def change() -> None:
            with contextlib.suppress(psycopg.Error), cell.world.connect(side) as session:
                session.execute("set lock_timeout = '20s'")
                session.execute(f"alter table {table} rename column v to w")

        changing = threading.Thread(target=change)
        changing.start()
        changing.join(0.3)
        cell.changing = changing
        return True

    return rename


def _rename_back(side: str, table: str) -> Callable[[Cell], None]:
    def mend(cell: Cell) -> None:
        assert cell.changing is not None
        cell.changing.join(25)
        found = cell.world.ask(
            side, "select 1 from pg_attribute where attrelid = %s::regclass and attname = 'w'", table
        )
        if found:
            cell.world.ask(side, f"alter table {table} rename column w to v")

    return mend


def fill_disk(cell: Cell) -> bool:
    """All of it, while the run goes on; there is room again when the run has ended."""
    assert cell.world.disk is not None
    path = fill(cell.world.disk)
    cell.closing.append(lambda: path.unlink(missing_ok=True))
    return True


def empty_disk(cell: Cell) -> None:
    if cell.world.disk is not None:
        (cell.world.disk / "ballast").unlink(missing_ok=True)


# -- Pipekit's own state -----------------------------------------------------------------------------------------------


def lock_state(cell: Cell) -> bool:
    def hold() -> None:
        with locked(cell.state_path):
            time.sleep(3)

    holding = threading.Thread(target=hold)
    holding.start()
    cell.closing.append(holding.join)
    time.sleep(0.2)
    return True


def fill_state_disk(cell: Cell) -> bool:
    """The program may write no file beyond a small size for some seconds."""
    pid = cell.pid

    def limit() -> None:
        with contextlib.suppress(ProcessLookupError), limited(pid, 20_000):
            time.sleep(3)

    limiting = threading.Thread(target=limit)
    limiting.start()
    cell.closing.append(limiting.join)
    return True


def run_obedient(cell: Cell) -> None:
    cell.through = OBEDIENT


def make_state_read_only(cell: Cell) -> bool:
    cell.state_path.chmod(0o400)
    giving_back = threading.Timer(3, cell.state_path.chmod, (0o600,))
    giving_back.start()
    cell.closing.append(giving_back.join)
    return True


def edit_module(cell: Cell) -> bool:
    """The query gives other values, by a definition that the run may not see any more."""
    repo.update_module(
        cell.project.db, cell.module.id, source_query=cell.module.source_query.replace("v as v", "'edit' as v")
    )
    return True


def mend_module(cell: Cell) -> None:
    repo.update_module(cell.project.db, cell.module.id, source_query=cell.module.source_query)


def cancel(cell: Cell) -> bool:
    run = cell.run
    if run.status not in ("queued", "running"):
        return False
    cancel_run(cell.project.db, run.id)
    time.sleep(HEARD_WITHIN_S)
    return True


def run_clocked(cell: Cell) -> None:
    path = cell.folder / CLOCK
    path.write_text("0")
    cell.through = build_clocked(path)


def _step_clock(hours: int) -> Callable[[Cell], bool]:
    def step(cell: Cell) -> bool:
        (cell.folder / CLOCK).write_text(str(timedelta(hours=hours).total_seconds()))
        return True

    return step


_WITH_DEST = tuple(stage for stage in STAGES if stage not in ("claim", "watermark"))


def _list_faults() -> Iterator[Fault]:
    yield Fault(name="kill runner", strike=kill_runners, any_dest=True)
    yield Fault(name="kill command", strike=kill_program, any_dest=True)
    yield Fault(name="kill server", strike=kill_program, serves=True, any_dest=True)
    yield Fault(name="kill server and runner", strike=kill_both, serves=True, any_dest=True)
    yield Fault(name="SIGTERM of server", strike=terminate, serves=True, any_dest=True)
    yield Fault(name="Ctrl-C", strike=interrupt, any_dest=True, asks_to_stop=True)
    yield Fault(name="stop runner", strike=stop_runners, prepare=be_impatient, any_dest=True)
    yield Fault(name="stop command", strike=stop_program, ends=DONE, any_dest=True)
    yield Fault(name="flood log", strike=flood_log, ends=DONE, any_dest=True)
    for side, stages in (("source", STAGES), ("dest", _WITH_DEST)):
        through = _lead_through_proxy(side)
        told: dict[str, Any] = {"stages": stages, "any_dest": side == "source"}
        yield Fault(name=f"end {side} sessions", strike=_end_sessions(side), **told)
        yield Fault(name=f"crash {side}", strike=_restart(side), **told)
        yield Fault(name=f"reset {side}", strike=reset_connections, prepare=through, **told)
        yield Fault(name=f"black hole {side}", strike=swallow_connections, prepare=through, **told)
    yield Fault(name="dest disk full", strike=fill_disk, mend=empty_disk)
    yield Fault(name="state disk full", strike=fill_state_disk, any_dest=True)
    yield Fault(name="state locked", strike=lock_state, ends=DONE, any_dest=True)
    yield Fault(name="state read only", strike=make_state_read_only, prepare=run_obedient, any_dest=True)
    yield Fault(name="bad row", strike=do_nothing, prepare=prepare_bad_row, mend=mend_bad_row, stages=BEFORE_MERGE[1:])
    yield Fault(name="lock held", strike=hold_lock, ends=DONE, stages=BEFORE_MERGE)
    yield Fault(name="deadlock", strike=make_deadlock, stages=("merge",))
    for side, table in (("source", "s"), ("dest", "t")):
        change, mend = _rename_column(side, table), _rename_back(side, table)
        yield Fault(name=f"{side} changed", strike=change, mend=mend, any_dest=side == "source")
    yield Fault(name="module edited", strike=edit_module, mend=mend_module, ends=DONE, any_dest=True)
    yield Fault(name="cancel", strike=cancel, any_dest=True, asks_to_stop=True)
    yield Fault(name="clock back", strike=_step_clock(-36), prepare=run_clocked, any_dest=True)
    yield Fault(name="clock forward", strike=_step_clock(36), prepare=run_clocked, any_dest=True)


FAULTS = {fault.name: fault for fault in _list_faults()}
