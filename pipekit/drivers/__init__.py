"""Drivers: one kind of database each. A new database adds its line to DRIVERS."""

from importlib import import_module

from pipekit.drivers.base import Driver
from pipekit.errors import DriverUnknown

DRIVERS = {
    "postgresql": "pipekit.drivers.postgresql",
    "sqlite": "pipekit.drivers.sqlite",
}


def get_driver(kind: str) -> Driver:
    """The driver of a kind; raises DriverUnknown with the kinds that exist."""
    if kind not in DRIVERS:
        raise DriverUnknown(f"There is no driver '{kind}'.", hint=f"Kinds: {', '.join(sorted(DRIVERS))}.")
    driver: Driver = import_module(f"{DRIVERS[kind]}.driver").DRIVER
    return driver
