# A copy that no module defines: the same corridor with a definition made up for the occasion.
"""`copy_query`: moves one query's rows into one table."""

import uuid
from dataclasses import dataclass, field

from pipekit import repo
from pipekit.engine.definition import Definition
from pipekit.engine.events import Listener
from pipekit.engine.installation import Installation
from pipekit.engine.recovering.owner import new_owner
from pipekit.engine.recovering.recover import recover_copies
from pipekit.engine.running.corridor import execute_run
from pipekit.engine.running.entrance import get_ready
from pipekit.engine.starting.module import RunOptions
from pipekit.engine.variables import fill_definition
from pipekit.models import Connection, Guards, Match, Module, Run, Strategy, Way


@dataclass(frozen=True, kw_only=True, slots=True)
class CopySpec:
    """What to copy where."""

    source: Connection
    query: str
    dest: Connection
    table: str
    strategy: Strategy = "full"
    key: tuple[str, ...] = ()
    load: Way = "auto"
    create_table: bool = True
    match: Match = "name"
    guards: Guards = field(default_factory=Guards)
    trim_char: bool = False


def copy_query(
    installation: Installation, spec: CopySpec, options: RunOptions | None = None, listener: Listener | None = None
) -> Run:
    """Runs the copy and returns its record, which stays in the run log under a name of its own."""
    options = options or RunOptions()
    recover_copies(installation, spec.dest)
    module = _make_module(f"copy_{uuid.uuid4().hex[:8]}", spec)
    definition = fill_definition(Definition(module=module, source=spec.source, dest=spec.dest))
    ready = get_ready(installation, definition, options.watermarks)
    try:
        run = repo.start_adhoc_run(
            installation.db,
            name=module.name,
            dest_id=spec.dest.id,
            dest_table=spec.table,
            owner=new_owner(),
            triggered_by=options.triggered_by,
            dry_run=options.dry_run,
        )
    except BaseException:
        ready.runner.kill()
        raise
    return execute_run(installation, run, ready, listener)


def _make_module(name: str, spec: CopySpec) -> Module:
    return Module(
        id=0,
        name=name,
        source_id=spec.source.id,
        dest_id=spec.dest.id,
        source_query=spec.query,
        dest_table=spec.table,
        merge_strategy=spec.strategy,
        merge_key=spec.key,
        load=spec.load,
        create_table=spec.create_table,
        match=spec.match,
        guards=spec.guards,
        trim_char=spec.trim_char,
    )
