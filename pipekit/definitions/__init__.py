# Definition files: reading, comparing, applying and writing them. Each name is loaded when it is first used.
"""Definitions as files: `parse_definitions`, `build_plan`, `apply_text`, `read_state`, `build_yaml`, `load_schema`."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipekit.definitions.apply import apply_text as apply_text
    from pipekit.definitions.export import build_yaml as build_yaml
    from pipekit.definitions.parse import parse_definitions as parse_definitions
    from pipekit.definitions.plan import build_plan as build_plan
    from pipekit.definitions.problems import DefinitionErrors as DefinitionErrors
    from pipekit.definitions.records import Definitions as Definitions
    from pipekit.definitions.schema import load_schema as load_schema
    from pipekit.definitions.state import read_state as read_state

_HOMES = {
    "apply_text": "apply",
    "build_yaml": "export",
    "parse_definitions": "parse",
    "build_plan": "plan",
    "DefinitionErrors": "problems",
    "Definitions": "records",
    "load_schema": "schema",
    "read_state": "state",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
