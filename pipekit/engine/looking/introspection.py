# A connection made ready for looking: its driver and a query callable. Knows no module.
"""Looking into a database outside of a run: catalogue, query columns, a test of the connection, ad-hoc queries."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pipekit.config import Config
from pipekit.drivers import get_driver
from pipekit.drivers.base import Driver
from pipekit.engine.context import open_endpoint
from pipekit.engine.runners import start_runner
from pipekit.models import Connection
from pipekit.runner.native import NativeRunner
from pipekit.runner_contract import Endpoint, Query
from pipekit.secrets import Secrets


@dataclass(frozen=True, kw_only=True, slots=True)
class Introspection:
    """A driver, the `query` callable its looking methods take, and what is behind it."""

    driver: Driver
    query: Query
    runner: NativeRunner
    endpoint: Endpoint


@contextmanager
def open_introspection(
    config: Config, secrets: Secrets, connection: Connection, *, read_only: bool = True, limit_s: float | None = None
) -> Iterator[Introspection]:
    """A runner on one connection for the length of the block, `limit_s` at most. Raises SecretMissing and Invalid."""
    application = "pipekit:introspect"
    endpoint = open_endpoint(config, secrets, connection, application=application, read_only=read_only)
    deadline = None if limit_s is None else time.monotonic() + limit_s
    with start_runner(
        config, silence_timeout_s=config.silence_timeout_s, deadline=deadline, kinds=[connection.driver]
    ) as runner:
        yield Introspection(
            driver=get_driver(connection.driver),
            query=lambda sql: runner.query(endpoint, sql),
            runner=runner,
            endpoint=endpoint,
        )
