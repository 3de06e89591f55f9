# The objects of a definition file, as data: the parser, export and JSON Schema all read this table. Knows no YAML.
"""Every object of a definition file and its fields, in the order in which they are written.

What a field is stands where its record declares it; here is only what files have besides.
"""

from collections.abc import Mapping
from dataclasses import replace

from pipekit.drivers import KIND
from pipekit.fields import Field, list_fields
from pipekit.models import (
    Column,
    ConnectionFields,
    GroupFields,
    GroupMember,
    Guards,
    HookFields,
    ModuleFields,
    ScheduleFields,
    WatermarkFields,
)

_CONNECTION = tuple(
    replace(f, pattern=KIND.pattern.removesuffix(r"\Z")) if f.name == "driver" else f
    for f in list_fields(ConnectionFields)
)

# A file names what the state refers to by id, and holds what belongs to a module inside of it.
_BEFORE: Mapping[str, tuple[Field, ...]] = {
    "query": (Field(name="source", kind="text", required=True, doc="The connection the query runs on."),),
    "table": (Field(name="dest", kind="text", required=True, doc="The connection that holds the dest table."),),
    "deleting": (
        Field(
            name="deleting", kind="object", of="deleting", doc="Which rows `deletes` is about, and how they are found."
        ),
    ),
    "history": (
        Field(name="history", kind="object", of="history", doc="The columns that the strategy snapshot fills."),
    ),
    "columns": (
        Field(name="watermarks", kind="map", of="watermark", doc="Placeholders of the query, by name."),
        Field(name="hooks", kind="list", of="hook", doc="SQL that runs on the dest after the merge."),
    ),
    "undo": (Field(name="undo", kind="object", of="undo", doc="What is kept so that runs can be taken back."),),
    "expect": (Field(name="expect", kind="object", of="expect", doc="What staged rows must be like; see running.md."),),
    "timeouts": (Field(name="timeouts", kind="object", of="timeouts", doc="Limits of this module, in seconds."),),
}

_GROUP_PARTS = (
    Field(name="modules", kind="list", of="member", short="module", doc="The modules, in the order they run."),
    Field(name="schedules", kind="list", of="schedule", short="cron", doc="When the group runs."),
)

_FILE = (
    Field(name="connections", kind="map", of="connection", doc="Databases, by name."),
    Field(name="modules", kind="map", of="module", doc="Modules, by name."),
    Field(name="groups", kind="map", of="group", doc="Groups of modules, by name."),
)


def _own(fields: tuple[Field, ...]) -> tuple[Field, ...]:
    """The fields that stand in the object itself."""
    return tuple(f for f in fields if f.name and "." not in f.name)


def _inner(fields: tuple[Field, ...], name: str) -> tuple[Field, ...]:
    """The fields of an object inside this one, by the names they have there."""
    return tuple(replace(f, name=f.name.removeprefix(f"{name}.")) for f in fields if f.name.startswith(f"{name}."))


def _build_module() -> tuple[Field, ...]:
    built: list[Field] = []
    for f in list_fields(ModuleFields):
        inner = f.name.split(".")[0]
        built += [more for more in _BEFORE.get(inner, ()) if more not in built]
        built += _own((f,))
    return tuple(built)


OBJECTS: Mapping[str, tuple[Field, ...]] = {
    "file": _FILE,
    "connection": _own(_CONNECTION),
    "module": _build_module(),
    "watermark": (
        Field(name="connection", kind="text", required=True, doc="The connection the SQL runs on."),
        *_own(list_fields(WatermarkFields)),
    ),
    "hook": _own(list_fields(HookFields)),
    "column": _own(list_fields(Column)),
    "guards": _own(list_fields(Guards)),
    "history": _inner(list_fields(ModuleFields), "history"),
    "deleting": _inner(list_fields(ModuleFields), "deleting"),
    "expect": _inner(list_fields(ModuleFields), "expect"),
    "timeouts": _inner(list_fields(ModuleFields), "timeouts"),
    "undo": _inner(list_fields(ModuleFields), "undo"),
    "group": (*_own(list_fields(GroupFields)), *_GROUP_PARTS),
    "member": (
        Field(name="module", kind="text", required=True, doc="The module."),
        *_own(list_fields(GroupMember)),
    ),
    "schedule": (
        Field(name="cron", kind="text", required=True, doc="Five cron fields, or @hourly, @daily and the like."),
        *_own(list_fields(ScheduleFields)),
    ),
}
