# A copy that no module defines: the same corridor with a definition made up for the occasion.
"""`copy_query`: moves one query's rows into one table."""

import uuid
from dataclasses import dataclass, field

from pipekit import repo
from pipekit.config import Config
from pipekit.engine.context import Definition
from pipekit.engine.events import Listener
from pipekit.engine.recovering.owner import new_owner
from pipekit.engine.running.corridor import RunOptions, execute_run, open_slot
from pipekit.models import Connection, Guards, Match, Module, Run, Strategy
from pipekit.secrets import Secrets


@dataclass(frozen=True, kw_only=True, slots=True)
class CopySpec:
    """What to copy where."""

    source: Connection
    query: str
    dest: Connection
    table: str
    strategy: Strategy = "full"
    key: tuple[str, ...] = ()
    create_table: bool = True
    match: Match = "name"
    guards: Guards = field(default_factory=Guards)
    trim_char: bool = False


def copy_query(
    db: repo.State,
    config: Config,
    secrets: Secrets,
    spec: CopySpec,
    options: RunOptions | None = None,
    listener: Listener | None = None,
) -> Run:
    """Runs the copy and returns its record, which stays in the run log under a name of its own."""
    options = options or RunOptions()
    module = _make_module(f"copy_{uuid.uuid4().hex[:8]}", spec)
    definition = Definition(module=module, source=spec.source, dest=spec.dest)
    slot = open_slot(config, definition)
    owner = new_owner()
    try:
        run = repo.start_adhoc_run(
            db,
            name=module.name,
            dest_id=spec.dest.id,
            dest_table=spec.table,
            owner=owner,
            triggered_by=options.triggered_by,
            dry_run=options.dry_run,
        )
    except BaseException:
        slot.runner.kill()
        raise
    return execute_run(db, config, secrets, run, definition, options, listener, owner, slot)


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
        create_table=spec.create_table,
        match=spec.match,
        guards=spec.guards,
        trim_char=spec.trim_char,
    )
