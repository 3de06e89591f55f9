# Looks at an installation and says how to mend it. Reaches out only when asked to; removes what killed loads have left.
"""`examine` yields one finding after another."""

import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Literal

from pipekit import repo
from pipekit.config import Config, load_config
from pipekit.drivers import DRIVERS, describe_install, get_driver
from pipekit.engine import Installation, clean_dest, recover_runs, settle_leftovers
from pipekit.engine.context import open_endpoint
from pipekit.engine.jars import list_driver_states
from pipekit.engine.looking.look import list_reachable_schemas
from pipekit.engine.looking.looks import Looks
from pipekit.engine.undoing.dropping import drop_unwanted
from pipekit.errors import PipekitError
from pipekit.models import Connection
from pipekit.runner.native import NativeRunner
from pipekit.runner.process import run_program
from pipekit.secrets import Secrets

Level = Literal["ok", "warn", "bad"]

ROOM_BAD_BYTES = 50_000_000
ROOM_WARN_BYTES = 500_000_000
RUNNER_WITHIN_S = 20.0
LIBRARIES: Mapping[str, tuple[str, str]] = {
    "postgresql": ("psycopg", "Run: pip install 'psycopg[binary]'."),
    "db2i": ("jpype", describe_install("jdbc")),
    "jdbc": ("jpype", describe_install("jdbc")),
    "sqlite": ("sqlite3", "Use a Python that was built with SQLite."),
    "sqlserver": ("mssql_python", describe_install("mssql")),
}
# Libraries that come with an extra: who does not use the kind needs none of them.
EXTRAS = frozenset({"sqlserver", "db2i", "jdbc"})
# Where the import of the library says too little: a module of ours to run, which loads what it takes to connect and
# says what it found.
PROBES: Mapping[str, str] = {"sqlserver": "pipekit.drivers.sqlserver.provider"}

_LEFT_MEND = (
    "Once nothing of that load goes on, drop the table, and delete its row, `staging:` and its name, from the ledger"
    " beside it."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that was looked at; `mend` says what to do where it is not in order."""

    name: str
    level: Level
    detail: str
    mend: str = ""


def examine(
    environ: Mapping[str, str] | None = None, *, connect: bool = False, only: str | None = None
) -> Iterator[Finding]:
    """Looks at everything in turn. With `connect` each connection, or the one named `only`, is opened and cleaned."""
    try:
        config = load_config(environ)
    except PipekitError as error:
        yield _from_error("config", error)
        return
    yield from _examine_config(config)
    secrets = Secrets(config.secrets_path, environ, declared=config.secret_variables)
    yield _guarded("secrets", lambda: _examine_secrets(config, secrets))
    yield from _examine_disk(config)
    yield _guarded("runner", _examine_runner)
    if config.runner == "jrunner":
        yield _examine_jrunner(config.jrunner)
    used = _list_used_kinds(config)
    for kind in sorted(DRIVERS):
        yield _guarded(f"driver {kind}", partial(_examine_driver, kind, is_used=kind in used))
    yield from _examine_state(config, secrets, connect=connect, only=only)


def _guarded(name: str, look: Callable[[], Finding]) -> Finding:
    try:
        return look()
    except PipekitError as error:
        return _from_error(name, error)


def _from_error(name: str, error: PipekitError) -> Finding:
    return Finding(name=name, level="bad", detail=error.message, mend=error.hint)


def _examine_config(config: Config) -> Iterator[Finding]:
    if not config.home.is_dir():
        yield Finding(name="home", level="bad", detail=f"{config.home} is missing.", mend="Run `pipekit init`.")
        return
    mode = stat.S_IMODE(config.home.stat().st_mode)
    if mode & 0o022:
        told = f"{config.home} can be written to by others (mode {mode:04o})."
        yield Finding(name="home", level="bad", detail=told, mend=f"chmod go-w {config.home}")
    else:
        yield Finding(name="home", level="ok", detail=str(config.home))
    yield Finding(name="python", level="ok", detail=f"{sys.version.split()[0]} at {sys.executable}")


def _examine_secrets(config: Config, secrets: Secrets) -> Finding:
    path = config.secrets_path
    if not path.exists():
        told = f"{path} is missing; secrets can only come from the environment."
        return Finding(name="secrets", level="warn", detail=told, mend="Run `pipekit init`.")
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o007:
        told = f"{path} is open to everyone (mode {mode:04o})."
        return Finding(name="secrets", level="bad", detail=told, mend=f"chmod 0600 {path}")
    names = secrets.names()
    return Finding(name="secrets", level="ok", detail=f"{path}, mode {mode:04o}, {len(names)} secrets")


def _examine_disk(config: Config) -> Iterator[Finding]:
    folder = config.state_path.parent
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    level: Level = "bad" if free < ROOM_BAD_BYTES else "warn" if free < ROOM_WARN_BYTES else "ok"
    mend = "" if level == "ok" else f"Make room on the disk of {folder}."
    yield Finding(name="disk", level=level, detail=f"{free / 1e9:.1f} GB free at {folder}", mend=mend)
    if not os.access(folder, os.W_OK):
        yield Finding(
            name="disk", level="bad", detail=f"{folder} cannot be written to.", mend="Check its owner and mode."
        )


def _examine_runner() -> Finding:
    """A real child: started, asked once, ended."""
    from pipekit.runner_contract import Endpoint

    with tempfile.TemporaryDirectory(prefix="pipekit-") as folder:
        Path(folder, "empty.db").touch()
        endpoint = Endpoint(kind="sqlite", jdbc_url="jdbc:sqlite:empty.db", base_dir=folder, read_only=True)
        with NativeRunner(silence_timeout_s=RUNNER_WITHIN_S) as runner:
            runner.query(endpoint, "SELECT 1")
    return Finding(name="runner", level="ok", detail="a runner starts and answers")


def _examine_jrunner(program: str) -> Finding:
    """Whether it is there. It is never in order altogether: its passwords stand in its command line."""
    path = shutil.which(program)
    if path is None:
        mend = "Set `jrunner` in config.yaml to its path, or `runner: native`."
        return Finding(name="jrunner", level="bad", detail=f"There is no program {program}.", mend=mend)
    told = f"{path} gets passwords in its command line, which every user of this machine can read while it runs."
    return Finding(name="jrunner", level="warn", detail=told, mend="Set `runner: native` in config.yaml.")


def _list_used_kinds(config: Config) -> set[str]:
    """The kinds of the connections there are, a registered one as `jdbc`.

    None where the state cannot be read, which is found on its own.
    """
    try:
        with closing(repo.open_state(config.state_path)) as db:
            kinds = {connection.driver for connection in repo.list_connections(db)}
            return {kind if kind in DRIVERS else "jdbc" for kind in kinds}
    except PipekitError:
        return set()


def _examine_driver(kind: str, *, is_used: bool = True) -> Finding:
    name = f"driver {kind}"
    library, mend = LIBRARIES.get(kind, ("", ""))
    try:
        get_driver(kind)
    except (PipekitError, ImportError) as error:
        return Finding(name=name, level="bad", detail=str(error), mend="Install Pipekit again.")
    if not library:
        return Finding(name=name, level="ok", detail="loads")
    # In a child, as a runner does it: this process never loads a database library.
    probe = ["-m", PROBES[kind]] if kind in PROBES else ["-c", f"import {library}"]
    tried = run_program([sys.executable, "-P", *probe], timeout_s=RUNNER_WITHIN_S)
    if tried.code:
        told = (tried.stderr.strip().splitlines()[-1:] or ["it ended without a word"])[0]
        if "No module named" in told and kind in EXTRAS and not is_used:
            return Finding(name=name, level="ok", detail=f"{library} is not installed; no connection needs it")
        if tried.stdout.strip():
            return Finding(name=name, level="bad", detail=told, mend=tried.stdout.strip())
        return Finding(name=name, level="bad", detail=f"{library} does not load: {told}", mend=mend)
    by = f" by its provider {tried.stdout.strip()}" if kind in PROBES else ""
    return Finding(name=name, level="ok", detail=f"{library} loads{by}")


def _examine_state(config: Config, secrets: Secrets, *, connect: bool, only: str | None) -> Iterator[Finding]:
    try:
        db = repo.open_state(config.state_path)
    except PipekitError as error:
        yield _from_error("state", error)
        return
    try:
        connections = repo.list_connections(db)
        modules = repo.list_modules(db)
        told = f"{config.state_path}: schema is current, {len(connections)} connections, {len(modules)} modules"
        yield Finding(name="state", level="ok", detail=told)
        drivers = [state for state in list_driver_states(db, config) if state.jar]
        kept = [(module, repo.measure_undo(db, module.id)) for module in modules]
    finally:
        db.close()
    for module, (runs, rows, size) in kept:
        if runs:
            held = f"{rows:,} rows" + (f", {size:,} bytes" if size else "")
            told = f"its dest keeps {held}, so that {runs} {'run' if runs == 1 else 'runs'} can be taken back"
            yield Finding(name=f"undo {module.name}", level="ok", detail=told)
    for state in drivers:
        level: Level = "ok" if state.state == "ok" else "bad"
        told = state.problem or f"{state.jar} is the jar that was registered"
        yield Finding(name=f"jar {state.kind}", level=level, detail=told, mend=state.hint)
    if connect:
        yield from _recover(config, secrets)
    with closing(Looks(config, secrets)) as looks:
        for connection in connections:
            is_asked = connect and only in (None, connection.name)
            found = _examine_connection(config, secrets, connection, looks if is_asked else None)
            yield found
            if is_asked and found.level == "ok":
                yield from _examine_leftovers(config, secrets, connection)


def _examine_connection(config: Config, secrets: Secrets, connection: Connection, looks: Looks | None) -> Finding:
    name = f"connection {connection.name}"

    def examine() -> Finding:
        open_endpoint(config, secrets, connection, application="pipekit:doctor")
        if looks is None:
            return Finding(name=name, level="ok", detail="its URL is in order and its password has a value")
        with looks.open(connection) as look:
            schemas = list_reachable_schemas(look)
        return Finding(name=name, level="ok", detail=f"connected, {len(schemas)} schemas")

    return _guarded(name, examine)


def _recover(config: Config, secrets: Secrets) -> Iterator[Finding]:
    """Closes this installation's runs whose process is gone, as a server would."""
    try:
        with closing(repo.open_state(config.state_path)) as db:
            installation = Installation(db=db, config=config, secrets=secrets)
            closed = recover_runs(installation)
            settle_leftovers(installation, lambda run_id, dest: True)
            drop_unwanted(installation)
    except PipekitError as error:
        yield _from_error("runs", error)
        return
    for run in closed:
        yield Finding(name="runs", level="ok", detail=f"run {run.id} ({run.module}) was cut short: {run.status} now")


def _examine_leftovers(config: Config, secrets: Secrets, connection: Connection) -> Iterator[Finding]:
    """Staging tables of loads that were killed: they are removed, or named where that is not for us to do."""
    name = f"staging {connection.name}"
    try:
        with closing(repo.open_state(config.state_path)) as db:
            cleaning = clean_dest(Installation(db=db, config=config, secrets=secrets), connection)
    except PipekitError as error:
        yield Finding(
            name=name, level="warn", detail=f"nobody could look for leftovers: {error.message}", mend=error.hint
        )
        return
    for claim in cleaning.removed:
        yield Finding(name=name, level="ok", detail=f"{claim.staging}, left by a load that was killed, is removed")
    for item in cleaning.left:
        since = datetime.fromtimestamp(item.claim.since_s, UTC).strftime("%Y-%m-%d %H:%M UTC")
        told = f"{item.claim.staging}, claimed by run {item.claim.run_id} of {item.claim.module} on {since}: {item.why}"
        yield Finding(name=name, level="warn", detail=told, mend=_LEFT_MEND)
