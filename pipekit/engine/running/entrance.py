# How a run comes to the corridor: its runner before it is claimed, its context after. Moves nothing.
"""`get_ready` and `open_context`."""

import contextlib
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from pipekit import repo
from pipekit.drivers import get_driver
from pipekit.engine.altering.following import list_neighbour_names
from pipekit.engine.context import BoundWatermark, RunContext, application_name, open_endpoint
from pipekit.engine.definition import Definition, check_overrides
from pipekit.engine.installation import Installation
from pipekit.engine.previews import read_merged, sign_definition
from pipekit.engine.progress import find_usual
from pipekit.engine.record import RunRecord
from pipekit.engine.runners import lend_runner
from pipekit.engine.undoing.asking import read_undone
from pipekit.errors import PipekitError, RunnerDied
from pipekit.models import Module, PastRun, Run
from pipekit.runner.native import NativeRunner
from pipekit.runner_contract import Endpoint


@dataclass(frozen=True, kw_only=True, slots=True)
class _Endpoints:
    """A run's databases, their secrets resolved; `watermarks` are those that are asked."""

    source: Endpoint
    dest: Endpoint
    watermarks: tuple[BoundWatermark, ...]

    def list_all(self) -> frozenset[Endpoint]:
        return frozenset({self.source, self.dest, *(bound.endpoint for bound in self.watermarks)})

    def name(self, application: str) -> "_Endpoints":
        """The same, their sessions called so."""

        def rename(endpoint: Endpoint) -> Endpoint:
            return replace(endpoint, application_name=application)

        marks = tuple(replace(bound, endpoint=rename(bound.endpoint)) for bound in self.watermarks)
        return _Endpoints(source=rename(self.source), dest=rename(self.dest), watermarks=marks)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ready:
    """What a run has before it is claimed: its runner starts meanwhile, so that this costs no time; `stop` ends it.

    `endpoints` is None where they could not be made: the run says why.
    """

    definition: Definition
    overrides: Mapping[str, str]
    stop: threading.Event
    runner: NativeRunner
    endpoints: _Endpoints | None


def get_ready(installation: Installation, definition: Definition, overrides: Mapping[str, str]) -> Ready:
    """Starts a runner for a run that is about to be claimed, or takes one that waits.

    Raises Invalid for an override of a watermark that the module does not have.
    """
    check_overrides(definition, overrides)
    module, config = definition.module, installation.config
    stop = threading.Event()
    try:
        endpoints = _open_endpoints(installation, definition, overrides)
    except PipekitError:
        endpoints = None
    runner = lend_runner(
        config,
        installation.spares,
        {definition.source.driver, definition.dest.driver},
        _list_seen(endpoints),
        child=installation.ahead.take() if installation.ahead else None,
        stop=stop,
        deadline=time.monotonic() + (module.run_timeout_s or config.run_timeout_s),
        silence_timeout_s=module.silence_timeout_s or config.silence_timeout_s,
    )
    with contextlib.suppress(RunnerDied):  # the run meets that, and says so
        runner.start_drivers([endpoints.source, endpoints.dest] if endpoints else [])
    return Ready(definition=definition, overrides=dict(overrides), stop=stop, runner=runner, endpoints=endpoints)


def _list_seen(endpoints: _Endpoints | None) -> frozenset[Endpoint]:
    """What a child would know after this run; nothing where it may not be used for another one."""
    found = endpoints.list_all() if endpoints else frozenset()
    drivers = [(get_driver(endpoint.kind), endpoint.jdbc_url) for endpoint in found]
    return frozenset() if any(driver.stays_open(driver.parse_url(url)) for driver, url in drivers) else found


def _open_endpoints(installation: Installation, definition: Definition, overrides: Mapping[str, str]) -> _Endpoints:
    """Resolves secrets and drivers; the run's name comes later. Raises as `open_endpoint`."""
    open_one = partial(open_endpoint, installation.config, installation.secrets, application="")
    dest = open_one(definition.dest)
    source = open_one(definition.source, read_only=True, reading=definition.module)
    marks = tuple(
        BoundWatermark(watermark=mark, endpoint=open_one(connection, read_only=True))
        for mark, connection in definition.watermarks
        if mark.name not in overrides
    )
    return _Endpoints(source=source, dest=dest, watermarks=marks)


def open_context(installation: Installation, record: RunRecord, ready: Ready) -> RunContext:
    """The context of a run; from here on it needs nothing but its databases."""
    config, definition = installation.config, ready.definition
    instance = repo.get_instance_id(installation.db)
    endpoints = ready.endpoints or _open_endpoints(installation, definition, ready.overrides)
    endpoints = endpoints.name(application_name(record.run, instance))
    record.masker = installation.secrets.masker()
    for connection in (definition.source, definition.dest):
        if unused := get_driver(connection.driver).list_unused(connection.jdbc_url):
            told = f"{', '.join(unused)} of {connection.name}'s address"
            record.log(f"note: {told} concerns its JDBC driver alone and is left out\n")
    is_load = not (record.run.undoes or record.run.alteration)
    return RunContext(
        run=record.run,
        module=_choose_module(record.run, definition.module),
        instance=instance,
        source=endpoints.source,
        dest=endpoints.dest,
        source_driver=get_driver(endpoints.source.kind),
        dest_driver=get_driver(endpoints.dest.kind),
        watermarks=endpoints.watermarks,
        hooks=definition.hooks if is_load else (),
        overrides=ready.overrides,
        marks=tuple(mark for mark, _ in definition.watermarks),
        config=config,
        record=record,
        stop=ready.stop,
        runner=ready.runner,
        definition=sign_definition(definition) if record.run.preview else "",
        past=_list_past(installation, definition.module),
        merged=read_merged(installation.db, definition, record.run.merges_preview)
        if record.run.merges_preview
        else None,
        undone=read_undone(installation.db, record.run, definition),
        knows_rows=_knows_rows(installation, record.run),
        neighbours=list_neighbour_names(installation.db, record.run),
        unrun_hooks=() if is_load else definition.hooks,
    )


def _knows_rows(installation: Installation, run: Run) -> bool:
    """With values by hand nothing is as usual; a run without a module is the first of its kind."""
    if run.watermarks_given or run.module_id is None:
        return False
    usual = find_usual(installation.db, [run.module_id]).get(run.module_id)
    return usual is not None and usual.rows is not None


def _list_past(installation: Installation, module: Module) -> Sequence[PastRun]:
    return repo.list_past(installation.db, module.id) if module.id and module.guards.usual != "off" else ()


def _choose_module(run: Run, module: Module) -> Module:
    """What is looked at before it is merged is staged, whatever the module says of its way."""
    is_looked_at = run.preview or run.merges_preview is not None
    return replace(module, load="auto") if is_looked_at and module.load == "direct" else module
