# Addresses of MySQL and MariaDB: which of their drivers' properties Pipekit sets itself. Pure text.
"""`build_connect_url`."""

import re
from collections.abc import Mapping

from pipekit.drivers.jdbc.urls import bad_url

# In lower case; each with the reason. The names are those of MariaDB's driver and of MySQL's, which ignore the other's.
FORCED: Mapping[str, tuple[str, str]] = {
    "yearisdatetype": ("yearIsDateType", "false"),  # else the year 2020 arrives as the day 2020-01-01
    "useaffectedrows": ("useAffectedRows", "false"),  # rows that an UPDATE leaves as they were are counted too
}
# Set unless the address says otherwise.
DEFAULTS: Mapping[str, tuple[str, str]] = {
    "tinyint1isbit": ("tinyInt1isBit", "false"),  # else TINYINT(1) is a boolean, which has no 2
}


def build_connect_url(jdbc_url: str) -> str:
    """A checked address with the properties that Pipekit sets itself. Raises Invalid for one that sets others."""
    head, _, tail = jdbc_url.partition("?")
    given = dict(_split(item) for item in re.split("[;&]", tail) if item)
    for name, (spelled, value) in FORCED.items():
        if given.get(name, value).lower() != value:
            raise bad_url(f"The parameter '{spelled}' is set by Pipekit: it is always {value}.", "Leave it out.")
    more = [f"{spelled}={value}" for name, (spelled, value) in {**FORCED, **DEFAULTS}.items() if name not in given]
    return f"{head}?{'&'.join([*([tail] if tail else []), *more])}"


def _split(item: str) -> tuple[str, str]:
    name, _, value = item.partition("=")
    return name.strip().lower(), value.strip()
