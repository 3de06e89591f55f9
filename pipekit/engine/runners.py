# Which runner does an installation's remote work. Knows the configuration, no run.
"""`start_runner`: our own runner, or the one that drives an installed jrunner."""

from typing import Any

from pipekit.config import Config
from pipekit.runner.jrunner import JrunnerRunner
from pipekit.runner.native import NativeRunner


def start_runner(config: Config, **options: Any) -> NativeRunner:
    """A runner by the `runner` of config.yaml; options are those of `NativeRunner`."""
    if config.runner == "jrunner":
        return JrunnerRunner(config.jrunner, bulk_kinds=config.jrunner_bulk, **options)
    return NativeRunner(**options)
