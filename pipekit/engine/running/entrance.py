# How a run comes to the corridor: its runner before it is claimed, its context after. Moves nothing.
"""`get_ready` and `open_context`."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

from pipekit import repo
from pipekit.config import Config
from pipekit.drivers import get_driver
from pipekit.engine.context import BoundWatermark, RunContext, application_name, open_endpoint
from pipekit.engine.definition import Definition, check_overrides
from pipekit.engine.installation import Installation
from pipekit.engine.record import RunRecord
from pipekit.engine.runners import start_runner
from pipekit.runner.native import NativeRunner


@dataclass(frozen=True, kw_only=True, slots=True)
class Ready:
    """What a run has before it is claimed: its runner starts meanwhile, so that this costs no time; `stop` ends it."""

    definition: Definition
    overrides: Mapping[str, str]
    stop: threading.Event
    runner: NativeRunner


def get_ready(config: Config, definition: Definition, overrides: Mapping[str, str]) -> Ready:
    """Starts a runner for a run that is about to be claimed.

    Raises Invalid for an override of a watermark that the module does not have.
    """
    check_overrides(definition, overrides)
    module = definition.module
    stop = threading.Event()
    runner = start_runner(
        config,
        stop=stop,
        deadline=time.monotonic() + (module.run_timeout_s or config.run_timeout_s),
        silence_timeout_s=module.silence_timeout_s or config.silence_timeout_s,
        kinds={definition.source.driver, definition.dest.driver},
    )
    return Ready(definition=definition, overrides=dict(overrides), stop=stop, runner=runner)


def open_context(installation: Installation, record: RunRecord, ready: Ready) -> RunContext:
    """Resolves secrets and drivers; from here on the run needs nothing but its databases."""
    config, secrets, definition = installation.config, installation.secrets, ready.definition
    instance = repo.get_instance_id(installation.db)
    application = application_name(record.run, instance)
    dest = open_endpoint(config, secrets, definition.dest, application=application)
    trim_char = definition.module.trim_char
    source = open_endpoint(
        config, secrets, definition.source, application=application, read_only=True, trim_char=trim_char
    )
    marks = tuple(
        BoundWatermark(
            watermark=mark,
            endpoint=open_endpoint(config, secrets, connection, application=application, read_only=True),
        )
        for mark, connection in definition.watermarks
        if mark.name not in ready.overrides
    )
    record.masker = secrets.masker()
    for connection in (definition.source, definition.dest):
        if unused := get_driver(connection.driver).list_unused(connection.jdbc_url):
            told = f"{', '.join(unused)} of {connection.name}'s address"
            record.log(f"note: {told} concerns its JDBC driver alone and is left out\n")
    return RunContext(
        run=record.run,
        module=definition.module,
        instance=instance,
        source=source,
        dest=dest,
        source_driver=get_driver(source.kind),
        dest_driver=get_driver(dest.kind),
        watermarks=marks,
        hooks=definition.hooks,
        overrides=ready.overrides,
        config=config,
        record=record,
        stop=ready.stop,
        runner=ready.runner,
    )
