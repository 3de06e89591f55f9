# What a run is made of, read once. Knows the state database and no remote.
"""`Definition`: a module with all that belongs to it."""

from collections.abc import Mapping
from dataclasses import dataclass

from pipekit import repo
from pipekit.errors import Invalid
from pipekit.models import Connection, Hook, Module, Watermark


@dataclass(frozen=True, kw_only=True, slots=True)
class Definition:
    """What a run is made of: records of the state database, or for an ad-hoc copy made up for the occasion."""

    module: Module
    source: Connection
    dest: Connection
    watermarks: tuple[tuple[Watermark, Connection], ...] = ()
    hooks: tuple[Hook, ...] = ()


def read_definition(db: repo.State, module: Module) -> Definition:
    """Reads a module's connections, watermarks and hooks once; later edits do not touch the run."""
    watermarks = repo.list_watermarks(db, module.id)
    return Definition(
        module=module,
        source=repo.get_connection(db, module.source_id),
        dest=repo.get_connection(db, module.dest_id),
        watermarks=tuple((mark, repo.get_connection(db, mark.connection_id)) for mark in watermarks),
        hooks=tuple(repo.list_hooks(db, module.id)),
    )


def check_overrides(definition: Definition, overrides: Mapping[str, str]) -> None:
    """Raises Invalid for a value of a watermark that the module does not have."""
    names = {mark.name for mark, _ in definition.watermarks}
    for name in overrides:
        if name not in names:
            known = f"It has: {', '.join(sorted(names))}." if names else "It has no watermarks."
            message = f"The module '{definition.module.name}' has no watermark '{name}'."
            raise Invalid(message, field="watermark", hint=known)
