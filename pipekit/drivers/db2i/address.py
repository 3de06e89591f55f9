# Addresses of Db2 for i: which properties of the Toolbox driver may be set, and which Pipekit sets itself. Pure text.
"""`parse_url` and `build_connect_url` for `jdbc:as400://host[:port]/LIBRARY;property=value;...`.

IBM's Toolbox for Java has some ninety properties. Those that name files, packages, other servers or traces are not
allowed, nor those that make it keep quiet about a value it could not read or write.
"""

import re
from collections.abc import Mapping

from pipekit.drivers.base import Address
from pipekit.drivers.db2i.product import DB2I
from pipekit.drivers.jdbc.urls import LOGIN, bad_url, is_dangerous
from pipekit.drivers.unused import drop_unused

PREFIX = "jdbc:as400://"
DEFAULT_PORT = 446

# Each with the reason: without it a value could arrive changed, or a message be cut.
FORCED: Mapping[str, str] = {
    "prompt": "false",  # a server has nobody to ask for a password
    "naming": "sql",  # LIBRARY.TABLE, as the catalogue and this driver write it
    "date format": "iso",  # with the job's two-digit years, dates outside 1940 to 2039 arrive as NULL
    "time format": "iso",  # seconds are lost in USA's format
    "decimal separator": ".",  # a job of another country would read 1.5 in a statement as two numbers
    "errors": "full",  # the second level of a message says what to do
    "data truncation": "true",  # text that is too long is refused, not cut
    "numeric range error": "default",  # numbers that do not fit are refused
    "character truncation": "default",  # the same for text, in newer drivers
    "extended metadata": "false",  # else a column's heading stands where its name is asked for
    "translate hex": "character",  # X'C1' stays what it is in a statement written for this system
}
# Of what is larger than 512 KB jars before jt400 21.0.5 say nothing and take 32: `fitting` asks the jar.
MOST_BLOCK_KB = 16_000

ALLOWED: Mapping[str, str] = {
    "libraries": r"[A-Za-z0-9#$@_*, ]+",
    "translate binary": "true|false",
    "transaction isolation": "none|read uncommitted|read committed|repeatable read|serializable",
    "secure": "true|false",
    "access": "all|read call|read only",
    "bidi implicit reordering": "true|false",
    "bidi numeric ordering": "true|false",
    "block size": r"0|8|16|32|64|128|256|51[2-9]|5[2-9]\d|[6-9]\d\d|[1-9]\d{3}|1[0-5]\d{3}|16000",
    "block criteria": "[012]",
    "cursor hold": "true|false",
    "cursor sensitivity": "asensitive|insensitive|sensitive",
    "data compression": "true|false",
    "database name": "[A-Za-z0-9#$@_]{1,18}",
    "decfloat rounding mode": "half even|half up|down|ceiling|floor|half down|up",
    "decimal data errors": "report|report null",
    "hold input locators": "true|false",
    "keep alive": "true|false",
    "lob threshold": r"\d{1,8}",
    "login timeout": r"\d{1,5}",
    "maximum precision": "31|63",
    "maximum scale": r"\d|[1-5]\d|6[0-3]",
    "minimum divide scale": r"\d",
    "query optimize goal": "[012]",
    "query timeout mechanism": "qqrytimlmt|cancel",
    "query storage limit": r"-1|\d{1,10}",
    "receive buffer size": r"\d{1,8}",
    "rollback cursor hold": "true|false",
    "send buffer size": r"\d{1,8}",
    "concurrent access resolution": "[012]",
    "bidi string type": r"-1|[4-9]|1[01]",
    "socket timeout": r"\d{1,9}",
    "sort": "hex|language|table",
    "sort language": "[A-Za-z]{3}",
    "sort table": r"[A-Za-z0-9#$@_]{1,10}/[A-Za-z0-9#$@_]{1,10}",
    "sort weight": "shared|unique",
    "stay alive": r"\d{1,9}",
    "tcp no delay": "true|false",
    "thread used": "true|false",
    "use block update": "true|false",
    "variable field compression": "true|false|insert|all",
}
# Only a jar that knows them is told of these; what any jar does with a value is the same.
TUNING = frozenset({"tcp no delay", "stay alive"})
# What a person is told of a value, where the pattern would tell little or the reason matters.
_WORDS: Mapping[str, str] = {
    "block size": "0, 8, 16, 32, 64, 128, 256 or 512; with jt400 21.0.5 and later also 513 to 16000.",
    "concurrent access resolution": "0, 1 or 2. With 3 rows that somebody holds would be left out without a word.",
}

_HOST = re.compile(r"(?P<host>[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>\d{1,5}))?")
_LIBRARY = re.compile(r"[A-Za-z#$@][A-Za-z0-9#$@_]{0,9}|")


def parse_url(jdbc_url: str) -> Address:
    """Checks an address; raises Invalid (field `jdbc_url`) that repeats no login."""
    example = f"For example {DB2I.url_example}"
    jdbc_url = drop_unused(jdbc_url).jdbc_url
    if not jdbc_url.startswith(PREFIX) or not jdbc_url.isprintable() or jdbc_url != jdbc_url.strip():
        raise bad_url(f"The address must start with {PREFIX} .", example)
    head, *items = jdbc_url[len(PREFIX) :].split(";")
    where, _, library = head.partition("/")
    if "@" in where:
        raise bad_url("The address must not hold a login; use the connection's username and password.")
    found = _HOST.fullmatch(where)
    if found is None:
        raise bad_url("The address names no usable host.", example)
    if not _LIBRARY.fullmatch(library):
        raise bad_url(f"'{library}' is not the name of a library.", "It has at most 10 characters, no / and no quotes.")
    options = dict(_parse_property(item) for item in items if item.strip())
    port = int(found["port"] or DEFAULT_PORT)
    return Address(host=found["host"], port=port, database=library, options=options)


def build_connect_url(jdbc_url: str) -> str:
    """A checked address with the properties that Pipekit sets itself."""
    address = parse_url(jdbc_url)
    head = jdbc_url.partition(";")[0]
    return join_properties(head, {**address.options, **FORCED})


def join_properties(head: str, properties: Mapping[str, str]) -> str:
    """An address of its head, which ends before the first `;`, and properties."""
    return ";".join([head, *(f"{name}={value}" for name, value in properties.items())])


def split_properties(connect_url: str) -> tuple[str, dict[str, str]]:
    """What `join_properties` has joined."""
    head, *items = connect_url.split(";")
    return head, {name: value for name, _, value in (item.partition("=") for item in items)}


def _parse_property(item: str) -> tuple[str, str]:
    raw_name, _, raw_value = item.partition("=")
    name, value = " ".join(raw_name.lower().split()), raw_value.strip()
    if name in LOGIN or name.startswith("additional authentication"):
        raise bad_url("The address must not hold a login; use the connection's username and password.")
    if name in FORCED:
        if value.lower() == FORCED[name]:
            return name, FORCED[name]
        mend = "Leave it out, and write LIBRARY.TABLE in queries." if name == "naming" else "Leave it out."
        raise bad_url(f"The property '{name}' is set by Pipekit: it is always {FORCED[name]}.", mend)
    if name not in ALLOWED:
        reason = " it could run code, or reach files and other servers." if is_dangerous(name) else ""
        told = f"The property '{name}' is not allowed{':' if reason else '.'}{reason}"
        raise bad_url(told, f"Allowed: {', '.join(sorted(ALLOWED))}.")
    if not re.fullmatch(ALLOWED[name], value, re.IGNORECASE):
        words = _WORDS.get(name, f"It looks like: {ALLOWED[name]}")
        raise bad_url(f"The property '{name}' cannot be '{value[:40]}'.", words)
    return name, value
