"""The engine: runs modules. Its whole public face, each name loaded when it is first used."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipekit.engine.installation import Installation as Installation
    from pipekit.engine.looking.look import Look as Look
    from pipekit.engine.looking.look import open_look as open_look
    from pipekit.engine.recovering.leftovers import Cleaning as Cleaning
    from pipekit.engine.recovering.leftovers import clean_dest as clean_dest
    from pipekit.engine.recovering.recover import drop_preview as drop_preview
    from pipekit.engine.recovering.recover import recover_runs as recover_runs
    from pipekit.engine.recovering.recover import settle_leftovers as settle_leftovers
    from pipekit.engine.starting.cancel import cancel_group_run as cancel_group_run
    from pipekit.engine.starting.cancel import cancel_run as cancel_run
    from pipekit.engine.starting.copy_query import CopySpec as CopySpec
    from pipekit.engine.starting.copy_query import copy_query as copy_query
    from pipekit.engine.starting.group import run_group as run_group
    from pipekit.engine.starting.module import RunOptions as RunOptions
    from pipekit.engine.starting.module import run_claimed as run_claimed
    from pipekit.engine.starting.module import run_module as run_module

# A command that only formats a receipt must not pay for runners and drivers.
_HOMES = {
    "Cleaning": "recovering.leftovers",
    "CopySpec": "starting.copy_query",
    "Installation": "installation",
    "Look": "looking.look",
    "RunOptions": "starting.module",
    "cancel_group_run": "starting.cancel",
    "cancel_run": "starting.cancel",
    "clean_dest": "recovering.leftovers",
    "copy_query": "starting.copy_query",
    "drop_preview": "recovering.recover",
    "open_look": "looking.look",
    "recover_runs": "recovering.recover",
    "run_claimed": "starting.module",
    "run_group": "starting.group",
    "run_module": "starting.module",
    "settle_leftovers": "recovering.recover",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(name)
    return getattr(import_module(f"pipekit.engine.{_HOMES[name]}"), name)
