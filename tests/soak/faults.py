# The harm a soak does, one function a kind. Knows the world it harms, judges nothing.
"""`FAULTS` by name: each is given the world, one installation and a source of chance, and puts right what it bent."""

import contextlib
import random
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import psycopg

from pipekit import repo
from pipekit.engine import cancel_run
from pipekit.errors import PipekitError
from tests.harm import limited, locked, send
from tests.soak.world import Installation, World

Fault = Callable[[World, Installation, random.Random], None]

_SESSIONS = "select pid from pg_stat_activity where application_name like 'pipekit:%'"


def kill_server(world: World, target: Installation, draw: random.Random) -> None:
    """kill -9, and perhaps its runners with it; the next server comes at once or a little later."""
    runners = target.find_runners() if draw.random() < 0.4 else []
    if target.server is not None:
        target.server.kill()
        target.server.close_pipes()
        target.server = None
    for pid in runners:
        send(pid, signal.SIGKILL)
    time.sleep(draw.uniform(0, 3))
    target.start_server()


def kill_runner(world: World, target: Installation, draw: random.Random) -> None:
    """kill -9 of a child that speaks to databases."""
    if runners := target.find_runners():
        send(draw.choice(runners), signal.SIGKILL)


def kill_shell(world: World, target: Installation, draw: random.Random) -> None:
    """kill -9 of a `pipekit run`."""
    if shells := [shell for shell in target.shells if shell.poll() is None]:
        send(draw.choice(shells).pid, signal.SIGKILL)


def stop_process(world: World, target: Installation, draw: random.Random) -> None:
    """A process stands still, perhaps for longer than its lease, and goes on."""
    found = target.find_runners() + [program.pid for program in target.shells if program.poll() is None]
    if target.server is not None and target.server.poll() is None:
        found.append(target.server.pid)
    if found:
        pid = draw.choice(found)
        send(pid, signal.SIGSTOP)
        try:
            time.sleep(draw.choice((0.5, 2.0, 11.0)))
        finally:
            send(pid, signal.SIGCONT)


def end_sessions(world: World, target: Installation, draw: random.Random) -> None:
    """The database ends some of its sessions."""
    with world.connect("dest") as dest:
        for (pid,) in dest.execute(_SESSIONS).fetchall():
            if draw.random() < 0.5:
                dest.execute("select pg_terminate_backend(%s)", (pid,))


def stop_session(world: World, target: Installation, draw: random.Random) -> None:
    """One session of the database hangs for a while: it hears nothing and ends nothing."""
    with world.connect("dest") as dest:
        found = [pid for (pid,) in dest.execute(_SESSIONS).fetchall()]
    if found:
        pid = draw.choice(found)
        send(pid, signal.SIGSTOP)
        try:
            time.sleep(draw.choice((1.0, 6.0)))
        finally:
            send(pid, signal.SIGCONT)


def crash_database(world: World, target: Installation, draw: random.Random) -> None:
    """One of its processes is killed, so the server ends all others at once, recovers, and empties unlogged tables."""
    with contextlib.suppress(psycopg.OperationalError), world.connect("dest") as dest:
        (pid,) = dest.execute("select pg_backend_pid()").fetchone() or (0,)
        send(pid, signal.SIGKILL)
        dest.execute("select 1")
    world.connect("dest").close()


def fill_disk(world: World, target: Installation, draw: random.Random) -> None:
    """The server may write no file beyond a small size, as if its disk were full."""
    if target.server is None or target.server.poll() is not None:
        return
    with limited(target.server.pid, 20_000):
        time.sleep(draw.uniform(1, 6))


def lock_state(world: World, target: Installation, draw: random.Random) -> None:
    """Another program holds the state database's lock."""
    with locked(target.project.config.state_path):
        time.sleep(draw.choice((1.0, 4.0, 10.0)))


def cancel(world: World, target: Installation, draw: random.Random) -> None:
    """Somebody cancels a run."""
    if live := repo.list_live_runs(target.project.db):
        with contextlib.suppress(PipekitError):
            cancel_run(target.project.db, draw.choice(live).id)


def rename(world: World, target: Installation, draw: random.Random) -> None:
    """Two modules change names."""
    one, two = draw.sample(sorted(module.name for module in target.modules if module.name != "lite"), 2)
    target.swap_names(one, two)


def edit_address(world: World, target: Installation, draw: random.Random) -> None:
    """The dest's address leads elsewhere for a while, and back."""
    with _edited(target, world.postgres.jdbc_url("elsewhere")):
        time.sleep(draw.uniform(0, 2))
        if draw.random() < 0.5:
            kill_server(world, target, draw)


@contextmanager
def _edited(target: Installation, address: str) -> Iterator[None]:
    repo.update_connection(target.project.db, target.dest.id, jdbc_url=address)
    try:
        yield
    finally:
        repo.update_connection(target.project.db, target.dest.id, jdbc_url=target.address)


def lock_dest(world: World, target: Installation, draw: random.Random) -> None:
    """A reader holds up the merges into a table."""
    table, _ = draw.choice([pair for pair in target.tables.values() if not pair[0].endswith("lite")])
    with contextlib.suppress(psycopg.OperationalError), world.connect("dest") as dest, dest.transaction():
        dest.execute(f"select count(*) from {table}")
        time.sleep(draw.uniform(0.5, 4))


FAULTS: Mapping[str, Fault] = {
    fault.__name__.replace("_", " "): fault
    for fault in (
        kill_server, kill_runner, kill_shell, stop_process, end_sessions, stop_session, crash_database, fill_disk,
        lock_state, cancel, rename, edit_address, lock_dest,
    )
}  # fmt: skip
