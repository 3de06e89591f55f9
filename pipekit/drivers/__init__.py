"""Drivers: one kind of database each. A new database adds its line to DRIVERS.

Any other kind is one that an installation has registered: a database that is reached over JDBC.
"""

import re
from importlib import import_module

from pipekit.drivers.base import Driver
from pipekit.errors import DriverUnknown

DRIVERS = {
    "postgresql": "pipekit.drivers.postgresql",
    "sqlite": "pipekit.drivers.sqlite",
    "sqlserver": "pipekit.drivers.sqlserver",
    "db2i": "pipekit.drivers.db2i",
    "jdbc": "pipekit.drivers.jdbc",
}

KIND = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")


def describe_install(extra: str) -> str:
    """How the libraries of an extra are installed, by hand and by a deployment."""
    return f"Run: pip install 'pipekit[{extra}]'; where deploy.sh installed Pipekit: deploy.sh --with {extra}."


def find_package(kind: str) -> str:
    """Where a kind's driver and wire lie; raises DriverUnknown for what cannot be the name of a kind."""
    if kind not in DRIVERS and not KIND.match(kind):
        raise DriverUnknown(f"There is no driver '{kind}'.", hint=f"Kinds: {', '.join(sorted(DRIVERS))}.")
    return DRIVERS.get(kind, DRIVERS["jdbc"])


def get_driver(kind: str) -> Driver:
    """The driver of a kind; one that is not built in is spoken to as its name says, whether it is registered or not."""
    if kind in DRIVERS:
        driver: Driver = import_module(f"{DRIVERS[kind]}.driver").DRIVER
    else:
        driver = import_module(f"{find_package(kind)}.registered").get_jdbc_driver(kind)
    return driver
