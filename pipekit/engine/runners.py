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

# A child that waits may just have been killed, or be held up by whatever; one that is started now has no such past.
TRIES = 2
ANSWERS_WITHIN_S = 5.0


def start_runner(config: Config, **options: Any) -> NativeRunner:
    """A runner by the `runner` of config.yaml; options are those of `NativeRunner`."""
    if config.runner == "jrunner":
        return JrunnerRunner(config.jrunner, bulk_kinds=config.jrunner_bulk, **options)
    return NativeRunner(**options)


def lend_runner(
    config: Config, spares: Spares | None, kinds: Collection[str], seen: frozenset[Endpoint], **options: Any
) -> NativeRunner:
    """The same in a child that waits, for a run between the databases `seen`; empty where they are not known.

    Who keeps no spares may have a `child` of his own.
    """
    if spares is None or config.runner == "jrunner":
        return start_runner(config, kinds=kinds, **options)
    options.pop("child", None)
    options["hand_back"] = partial(spares.take_back, kinds=kinds, seen=seen)
    for _ in range(TRIES):
        child = spares.take(kinds, seen)
        runner = NativeRunner(kinds=kinds, child=child, **options)
        if child is None or runner.answers(ANSWERS_WITHIN_S):
            return runner
    return NativeRunner(kinds=kinds, **options)
