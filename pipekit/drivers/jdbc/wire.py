# The connection to any database that has a JDBC driver. Loaded in the runner child only.
"""`connect(endpoint)` and `probe(endpoint)`; the session, source and sink are in modules of their own."""

import math
from typing import Any

from pipekit.drivers.jdbc.faults import is_a, to_connect_failed
from pipekit.drivers.jdbc.jvm import JavaError, find_class, load_driver, start
from pipekit.drivers.jdbc.probe import probe
from pipekit.drivers.jdbc.session import JdbcSession
from pipekit.errors import ConnectFailed
from pipekit.runner_contract import Endpoint

__all__ = ["connect", "open_connection", "prepare", "probe"]


def connect(endpoint: Endpoint) -> JdbcSession:
    """Opens a session through the registered driver; raises ConnectFailed, which never holds the password."""
    start(endpoint)
    return JdbcSession(open_connection(load_driver(endpoint), endpoint), endpoint, connect)


def prepare(endpoint: Endpoint) -> None:
    """Starts Java and loads the registered driver ahead of `connect`, in whatever thread; connects to nothing."""
    start(endpoint)
    load_driver(endpoint)


def open_connection(driver: Any, endpoint: Endpoint) -> Any:
    """A connection of the driver's own; raises ConnectFailed."""
    login, timeout_ms = _build_login(endpoint), math.ceil(endpoint.connect_timeout_s * 1000)
    try:
        connection = find_class("pipekit.Drivers").connect(driver, endpoint.jdbc_url, login, timeout_ms)
    except JavaError as error:
        if is_a(error, "java.util.concurrent.TimeoutException"):
            message = f"The database did not answer within {endpoint.connect_timeout_s:g} seconds."
            raise ConnectFailed(message, transient=True) from None
        raise to_connect_failed(error, endpoint.password) from None
    if connection is None:
        raise ConnectFailed(
            f"The driver {endpoint.driver_class} does not take this URL: {endpoint.jdbc_url}.",
            hint="Its form is in the documents of the driver.",
        )
    return connection


def _build_login(endpoint: Endpoint) -> Any:
    login = find_class("java.util.Properties")()
    for name, value in (("user", endpoint.username), ("password", endpoint.password)):
        if value is not None:
            login.setProperty(name, value)
    return login
