# The state database -> definitions. Knows the repo's records; changes nothing.
"""`read_state`: what is there now, in the words of a definition file."""

from collections.abc import Mapping

from pipekit import repo
from pipekit.definitions.parse import Known
from pipekit.definitions.records import (
    ConnectionDef,
    Definitions,
    GroupDef,
    HookDef,
    ModuleDef,
    ScheduleDef,
    WatermarkDef,
    find_spelling,
)
from pipekit.fields import pick
from pipekit.models import DriverRegistration, GroupFields, Module, ModuleFields, WatermarkFields
from pipekit.repo import State


def read_known(db: State) -> Known:
    """The names a definition file may refer to without defining them."""
    return Known(
        connections={c.name: c.driver for c in repo.list_connections(db)},
        modules={m.name: m for m in repo.list_modules(db)},
        registered=read_registered(db),
    )


def read_registered(db: State) -> Mapping[str, DriverRegistration]:
    """The kinds that are registered with a jar."""
    return {item.kind: item for item in repo.list_driver_registrations(db) if item.jar}


def read_state(db: State, spelling: Mapping[str, str] | None = None) -> Definitions:
    """Everything the state defines; references follow `spelling` (folded name -> spelling) where it has the name."""
    spelled = spelling or {}
    connections = repo.list_connections(db)
    names = {c.id: find_spelling(c.name, spelled) or c.name for c in connections}
    modules = repo.list_modules(db)
    return Definitions(
        connections={c.name: ConnectionDef(**pick(c, ConnectionDef)) for c in connections},
        modules={m.name: read_module(db, m, names) for m in modules},
        groups=_read_groups(db, {m.id: m.name for m in modules}),
    )


def read_module(db: State, module: Module, names: Mapping[int, str] | None = None) -> ModuleDef:
    """One module with its watermarks and hooks; `names` are those of connections by id."""
    names = names or {connection.id: connection.name for connection in repo.list_connections(db)}
    watermarks = [
        WatermarkDef(connection=names[w.connection_id], **pick(w, WatermarkFields))
        for w in repo.list_watermarks(db, module.id)
    ]
    hooks = sorted(repo.list_hooks(db, module.id), key=lambda hook: (hook.run_order, hook.id))
    return ModuleDef(
        source=names[module.source_id],
        dest=names[module.dest_id],
        watermarks=tuple(sorted(watermarks, key=lambda w: w.name)),
        hooks=tuple(HookDef(**pick(h, HookDef)) for h in hooks),
        **pick(module, ModuleFields),
    )


def _read_groups(db: State, names: Mapping[int, str]) -> dict[str, GroupDef]:
    return {
        group.name: GroupDef(
            members={names[m.module_id]: m.run_order for m in repo.list_members(db, group.id) if not m.verify},
            verified={names[m.module_id]: m.run_order for m in repo.list_members(db, group.id) if m.verify},
            schedules={s.cron: ScheduleDef(**pick(s, ScheduleDef)) for s in repo.list_schedules(db, group.id)},
            **pick(group, GroupFields),
        )
        for group in repo.list_groups(db)
    }
