"""The engine: runs modules. Its whole public face, each name loaded when it is first used."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipekit.engine.adhoc import CopySpec as CopySpec
    from pipekit.engine.adhoc import copy_query as copy_query
    from pipekit.engine.cancel import cancel_group_run as cancel_group_run
    from pipekit.engine.cancel import cancel_run as cancel_run
    from pipekit.engine.group import run_group as run_group
    from pipekit.engine.introspect import Introspection as Introspection
    from pipekit.engine.introspect import open_introspection as open_introspection
    from pipekit.engine.recover import recover_runs as recover_runs
    from pipekit.engine.recover import settle_leftovers as settle_leftovers
    from pipekit.engine.run import RunOptions as RunOptions
    from pipekit.engine.run import run_claimed as run_claimed
    from pipekit.engine.run import run_module as run_module

# A command that only formats a receipt must not pay for runners and drivers.
_HOMES = {
    "CopySpec": "adhoc",
    "Introspection": "introspect",
    "RunOptions": "run",
    "cancel_group_run": "cancel",
    "cancel_run": "cancel",
    "copy_query": "adhoc",
    "open_introspection": "introspect",
    "recover_runs": "recover",
    "run_claimed": "run",
    "run_group": "group",
    "run_module": "run",
    "settle_leftovers": "recover",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(name)
    return getattr(import_module(f"pipekit.engine.{_HOMES[name]}"), name)
