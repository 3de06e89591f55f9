# Which runner does an installation's remote work. Knows the configuration, no run.
"""`start_runner`: our own runner, or the one that drives an installed jrunner; `lend_runner`: one that waits."""

from collections.abc import Collection
from functools import partial
from typing import Any

from pipekit.config import Config
from pipekit.runner.jrunner import JrunnerRunner
from pipekit.runner.native import NativeRunner
from pipekit.runner.spares import Spares
from pipekit.runner_contract import Endpoint


def start_runner(config: Config, **options: Any) -> NativeRunner:
    """A runner by the `runner` of config.yaml; options are those of `NativeRunner`."""
    if config.runner == "jrunner":
        return JrunnerRunner(config.jrunner, bulk_kinds=config.jrunner_bulk, **options)
    return NativeRunner(**options)


def lend_runner(
    config: Config, spares: Spares | None, kinds: Collection[str], seen: frozenset[Endpoint], **options: Any
) -> NativeRunner:
    """The same in a child that waits, for a run between the databases `seen`; empty where they are not known."""
    if spares is None or config.runner == "jrunner":
        return start_runner(config, kinds=kinds, **options)
    hand_back = partial(spares.take_back, kinds=kinds, seen=seen)
    return NativeRunner(kinds=kinds, child=spares.take(kinds, seen), hand_back=hand_back, **options)
