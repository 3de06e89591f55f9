# Everything a run needs, read once. After this no step of a run receives the state database.
"""`RunContext` and how it is read."""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipekit.config import Config
from pipekit.drivers import get_driver
from pipekit.drivers.base import Driver, LedgerEntry, TableName
from pipekit.drivers.claims import Claim
from pipekit.engine.jars import add_driver
from pipekit.engine.previews import Merged
from pipekit.engine.record import RunRecord
from pipekit.engine.runners import start_runner
from pipekit.errors import Invalid, StatementFailed
from pipekit.models import Connection, Hook, Module, PastRun, Run, Watermark
from pipekit.pairs import parse_pairs
from pipekit.runner.native import NativeRunner
from pipekit.runner_contract import Endpoint, Query, QueryResult
from pipekit.secrets import Secrets


@dataclass(frozen=True, kw_only=True, slots=True)
class BoundWatermark:
    """A watermark with the database it is resolved in."""

    watermark: Watermark
    endpoint: Endpoint


@dataclass(frozen=True, kw_only=True, slots=True)
class Undone:
    """The run that a run takes back, and those that merged into the same table later, the oldest first.

    `refusal` says why it cannot be taken back, as far as that is known here; `has_hooks`, that its module has some.
    """

    run: Run
    later: tuple[Run, ...] = ()
    refusal: str = ""
    has_hooks: bool = False


@dataclass(kw_only=True, slots=True)
class RunContext:
    """A run's frozen inputs, its record, and its runner, which is started anew when it has been killed.

    `knows_rows` says that the module's good loads tell how many rows there will be about.
    `merged` is the preview whose staging this run merges; `definition` a digest of what the module said as it began.
    `neighbours` are modules into the same table, of a run that changes a column; `unrun_hooks` those of its module.
    """

    run: Run
    module: Module
    instance: str
    source: Endpoint
    dest: Endpoint
    source_driver: Driver
    dest_driver: Driver
    watermarks: tuple[BoundWatermark, ...]
    hooks: tuple[Hook, ...]
    overrides: Mapping[str, str]
    config: Config
    record: RunRecord
    stop: threading.Event
    runner: NativeRunner
    definition: str = field(default="")
    stdout: str = field(default="")
    stderr: str = field(default="")
    claim: Claim | None = field(default=None)
    merged: Merged | None = field(default=None)
    marks: tuple[Watermark, ...] = field(default=())
    past: Sequence[PastRun] = field(default=())
    answers: dict[str, QueryResult] = field(default_factory=dict)
    undone: Undone | None = field(default=None)
    knows_rows: bool = field(default=True)
    neighbours: Sequence[str] = field(default=())
    unrun_hooks: tuple[Hook, ...] = field(default=())

    @property
    def mends(self) -> bool:
        """Whether the run writes what differs into the dest, and no more."""
        return self.run.asked_verify is not None and self.run.asked_verify.repair

    @property
    def ledger_entry(self) -> LedgerEntry:
        """The run's row in the dest's ledger."""
        return ledger_entry(self.run, self.instance)

    def ask_source(self) -> Query:
        """A `query` callable on the source."""
        return lambda sql: self.runner.query(self.source, sql)

    def ask_dest(self) -> Query:
        """A `query` callable for looks at the dest; what was asked ahead is answered once from what was found then."""
        return lambda sql: self.answers.pop(sql, None) or self.runner.look(self.dest, [sql])[0]

    def ask_ahead(self, queries: Sequence[str]) -> None:
        """Asks the dest together what will be asked of it; what it refuses to answer so is asked when it is wanted.

        While it thinks about that, the source is connected to.
        """
        self.answers.clear()
        try:
            found = self.runner.look(self.dest, queries, opens=self.source) if queries else []
        except StatementFailed as error:
            if error.transient:
                raise
            return
        self.answers |= zip(queries, found, strict=True)

    def renew_runner(self) -> None:
        """Starts a runner in place of one that was killed or ended; it no longer listens to the stop signal."""
        if self.runner.alive:
            return
        self.close_runner()
        limit = time.monotonic() + self.config.silence_timeout_s
        silence_s = self.config.silence_timeout_s
        self.runner = start_runner(
            self.config, log=self.record.log, on_session=self.record.meet, silence_timeout_s=silence_s, deadline=limit
        )
        self.runner.on_wait = self.record.settle

    def close_runner(self) -> None:
        """Ends the runner and keeps what it answered and what it wrote to stderr."""
        self.runner.close()
        self.stdout += self.runner.stdout_tail
        self.stderr += self.runner.stderr_tail
        self.record.put(stdout=self.stdout or None, stderr=self.stderr or None)


def ledger_entry(run: Run, instance: str) -> LedgerEntry:
    """A run's row in a dest's ledger.

    The module carries the instance, since several may share a dest, and its own number: a name can become another
    module's while a run is on its way.
    """
    number = "" if run.module_id is None else f"/{run.module_id}"
    return LedgerEntry(
        run_key=run.run_key,
        run_id=run.id,
        module=f"{run.module}@{instance}{number}",
        fence=run.fence,
        rows=run.rows_staged,
    )


def build_claim(run: Run, instance: str, staging: TableName) -> Claim:
    """A run's claim of a staging table, from now on."""
    module = f"{run.module}@{instance}"
    return Claim(staging=staging, run_key=run.run_key, run_id=run.id, module=module, since_s=int(time.time()))


def application_name(run: Run, instance: str) -> str:
    """What a run's database sessions are called."""
    return f"pipekit:{run.id}@{instance}"


def open_endpoint(
    config: Config,
    secrets: Secrets,
    connection: Connection,
    *,
    application: str,
    read_only: bool = False,
    reading: Module | None = None,
) -> Endpoint:
    """A connection with its secret resolved, and its driver where it needs one that is registered.

    With `reading` it is the source of that module, and read as the module says.
    Raises SecretMissing, DriverUnknown and Invalid (a bad URL, Pipekit's own state).
    """
    driver = get_driver(connection.driver)
    address = driver.parse_url(connection.jdbc_url)
    if driver.is_embedded:
        for name in driver.list_files(address):
            _refuse_own_state(config, name)
    endpoint = Endpoint(
        kind=connection.driver,
        jdbc_url=connection.jdbc_url,
        username=connection.username,
        password=secrets.resolve(connection.password),
        application_name=application,
        base_dir=str(config.base_dir),
        connect_timeout_s=config.connect_timeout_s,
        read_only=read_only,
    )
    return add_driver(config, _read_as(endpoint, reading) if reading else endpoint)


def _read_as(endpoint: Endpoint, module: Module) -> Endpoint:
    """Errors name a row by its merge key, in the source's words."""
    names = {column.dest_name: column.source_name for column in module.columns}
    key = tuple(names.get(name, name) for name in module.merge_key)
    pages = tuple((name, int(ccsid)) for name, ccsid in parse_pairs(module.translate).items())
    endpoint = replace(endpoint, key=key, translate=pages, query_timeout_s=module.query_timeout_s)
    return replace(endpoint, trim_char=module.trim_char, bad_data=module.bad_data)


def _refuse_own_state(config: Config, name: str) -> None:
    """The state holds hashes of passwords, and is written by its own rules only: no connection may lead to it."""
    path, state = Path(config.base_dir, name), config.state_path
    if path.exists() and state.exists() and path.samefile(state):
        raise Invalid(
            "This file is Pipekit's own state database; a connection cannot lead to it.",
            field="jdbc_url",
            hint="Look at it with the command sqlite3, on a copy.",
        )
