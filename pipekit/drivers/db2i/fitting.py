# What a jar of the Toolbox driver makes of an address. Loaded in the runner child only; connects to nothing.
"""`fit`: the address as this jar takes it.

A property that a jar does not know, or a value that it does not take, is no error to it: it goes on with a default of
its own and says nothing. So it is asked what it has read.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipekit.drivers.db2i.address import FORCED, MOST_BLOCK_KB, TUNING, join_properties, split_properties
from pipekit.drivers.jdbc.jvm import JavaError, find_class
from pipekit.errors import ConnectFailed

# In kilobytes; the first that the jar takes. Larger ones save few trips more, and each is held in memory whole.
BLOCKS_KB = ("4096", "512")
# How what is told of jt400 begins; of another driver it does not.
NAMED = "jt400 "
_COPYRIGHT = "com.ibm.as400.access.Copyright"
_PORT = re.compile(r"//[^/]*:\d+(?:/|\Z)")
_NAMED = re.compile(r"JTOpen (\d[\w.]*\w)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Fitted:
    """An address for one jar; `about` says which jar it is and how large its blocks are."""

    jdbc_url: str
    about: str


def fit(driver: Any, connect_url: str) -> Fitted:
    """Chooses the size of blocks where the address does not, and leaves out tuning that the jar does not know.

    Raises ConnectFailed for a property of the address that the jar would silently read as something else.
    """
    head, properties = split_properties(connect_url)
    if "block size" not in _ask(driver, head):
        # Another driver than jt400 that takes such addresses: its properties are not these.
        return Fitted(jdbc_url=connect_url, about=find_version(driver))
    if "block size" not in properties:
        properties["block size"] = _choose_block(driver, head)
    read = _ask(driver, join_properties(head, properties))
    for name in TUNING - read.keys():
        properties.pop(name, None)
    about = f"{NAMED}{find_version(driver)}"
    for name, value in properties.items():
        _check(name, value, read.get(name), about)
    block = properties["block size"]
    blocks = "rows one by one or by the fetch size" if block == "0" else f"blocks of {block} KB"
    ignored = ", which ignores the address's port" if _PORT.search(head) and "portNumber" not in read else ""
    return Fitted(jdbc_url=join_properties(head, properties), about=f"{about}{ignored}, {blocks}")


def _choose_block(driver: Any, head: str) -> str:
    return next(
        (size for size in BLOCKS_KB if _ask(driver, f"{head};block size={size}").get("block size") == size), "32"
    )


def _check(name: str, value: str, read: str | None, about: str) -> None:
    if read is not None and read.lower() == value.lower():
        return
    if read is None and name in FORCED:
        return  # of the newer ones; without them older jars do what is asked for
    if read is None:
        raise ConnectFailed(
            f"{about} does not know the property '{name}' of the address.",
            hint="Leave it out, or register a newer jar: `pipekit drivers add --kind db2i --jar FILE`.",
        )
    hint = "Write another value, or register another jar: `pipekit drivers add --kind db2i --jar FILE`."
    if name == "block size":
        hint = f"Leave it out: then the best is chosen. jt400 from 21.0.5 on takes up to {MOST_BLOCK_KB}."
    raise ConnectFailed(f"{about} does not take {name}={value}: it would go on with {read or 'nothing'}.", hint=hint)


def _ask(driver: Any, jdbc_url: str) -> Mapping[str, str]:
    """What the driver has read from an address, by name."""
    try:
        found = driver.getPropertyInfo(jdbc_url, find_class("java.util.Properties")())
        return {str(item.name): "" if item.value is None else str(item.value) for item in found}
    except JavaError as error:
        raise ConnectFailed(f"The driver cannot read the address: {error}.") from None


def find_version(driver: Any) -> str:
    """As its makers count: the numbers of the JDBC driver are others."""
    try:
        told = driver.getClass().getClassLoader().loadClass(_COPYRIGHT).getField("version").get(None)
    except JavaError:
        told = ""
    named = _NAMED.search(str(told))
    return named[1] if named else f"{driver.getMajorVersion()}.{driver.getMinorVersion()} (JDBC driver)"
