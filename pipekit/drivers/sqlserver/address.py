# JDBC URLs of SQL Server: reading them, and the same in the words of mssql-python. Pure text; knows no connection.
"""`jdbc:sqlserver://host[\\instance][:port];databaseName=...;property=value`."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipekit.drivers.base import Address
from pipekit.drivers.unused import drop_unused
from pipekit.errors import Invalid

DEFAULT_PORT = 1433
# What is asked for: the most that also goes through TLS. The client library's 4,096 cost a tenth of the rows a second.
PACKET_BYTES = 16_383
URL_EXAMPLE = "jdbc:sqlserver://localhost:1433;databaseName=dw;encrypt=true;trustServerCertificate=false"

_PREFIX = "jdbc:sqlserver://"
_HOST = re.compile(r"(?P<host>\[[0-9A-Fa-f:.%]+\]|[^\[\]\\:,@\s]*)(?:\\(?P<instance>[^\\:,\s]+))?(?::(?P<port>\d+))?")
_PROPERTY = re.compile(
    r"\s*(?P<name>[^={};]+?)\s*=\s*(?:\{(?P<braced>(?:[^}]|\}\})*)\}|(?P<plain>[^;{}]*?))\s*(?:;|\Z)"
)


@dataclass(frozen=True, slots=True)
class _Property:
    """A property that is allowed: its name, mssql-python's keyword (`""` for none), and its values.

    `values` translates each value that is allowed, in lower case; without it `pattern` says which are.
    """

    name: str
    keyword: str = ""
    values: Mapping[str, str] | None = None
    pattern: str = r".+"
    says: str = "text"


_BOOLEAN = {"true": "yes", "false": "no"}
_NUMBER = r"\d{1,9}"
_LOGINS = {
    "sqlpassword": "SqlPassword",
    "activedirectorypassword": "ActiveDirectoryPassword",
    "activedirectoryserviceprincipal": "ActiveDirectoryServicePrincipal",
    "activedirectorymanagedidentity": "ActiveDirectoryMSI",
    "activedirectorymsi": "ActiveDirectoryMSI",
    "activedirectorydefault": "ActiveDirectoryDefault",
}
_PROPERTIES = (
    _Property("databaseName"),
    _Property("serverName"),
    _Property("instanceName", pattern=r"[^\\:,;\s]+", says="an instance"),
    _Property("portNumber", pattern=_NUMBER, says="a number"),
    _Property("loginTimeout", pattern=r"[1-9]\d{0,4}", says="a number of seconds"),
    _Property("encrypt", "encrypt", {**_BOOLEAN, "mandatory": "yes", "optional": "no", "strict": "strict"}),
    _Property("trustServerCertificate", "trustservercertificate", _BOOLEAN),
    _Property("hostNameInCertificate", "hostnameincertificate"),
    _Property("serverCertificate", "servercertificate"),
    _Property("serverSpn", "serverspn"),
    _Property("integratedSecurity", "trusted_connection", _BOOLEAN),
    _Property("authentication", "authentication", _LOGINS),
    _Property("applicationIntent", "applicationintent", {"readonly": "ReadOnly", "readwrite": "ReadWrite"}),
    _Property("multiSubnetFailover", "multisubnetfailover", _BOOLEAN),
    _Property(
        "iPAddressPreference",
        "ipaddresspreference",
        {"ipv4first": "IPv4First", "ipv6first": "IPv6First", "useplatformdefault": "UsePlatformDefault"},
    ),
    _Property("connectRetryCount", "connectretrycount", pattern=r"\d{1,3}", says="a number from 0 to 255"),
    _Property("connectRetryInterval", "connectretryinterval", pattern=r"[1-9]\d?", says="a number of seconds"),
    _Property("packetSize", "packetsize", pattern=_NUMBER, says="a number of bytes"),
)
URL_PROPERTIES = tuple(item.name for item in _PROPERTIES)

_BY_NAME = {item.name.lower(): item for item in _PROPERTIES}
_SYNONYMS = {"database": "databasename", "server": "servername", "port": "portnumber"}
_LOGIN = frozenset({"user", "username", "password", "accesstoken", "aadsecureprincipalid", "aadsecureprincipalsecret"})
_OURS = {
    "applicationname": "Pipekit gives its sessions a name of its own, by which a run's are found.",
}


def parse_url(jdbc_url: str) -> Address:
    """Checks a JDBC URL of SQL Server; raises Invalid that repeats no login. `port` 0 leaves it to the instance."""
    jdbc_url = drop_unused(jdbc_url).jdbc_url
    if not jdbc_url.startswith(_PREFIX):
        raise _invalid_url(f"The address must start with {_PREFIX} .")
    server, _, rest = jdbc_url[len(_PREFIX) :].partition(";")
    if "@" in server:
        raise _invalid_url("The address must not hold a login; use the connection's username and password.")
    match = _HOST.fullmatch(server.strip())
    if match is None or "\0" in jdbc_url:
        raise _invalid_url("The address names no usable server: write host, host:port or host\\instance.")
    options = dict(_parse_properties(rest))
    host = match["host"] or options.pop("serverName", "")
    instance = match["instance"] or options.pop("instanceName", "")
    port = match["port"] or options.pop("portNumber", "")
    for name in ("serverName", "instanceName", "portNumber"):
        if name in options:
            raise _invalid_url(f"The address names its server twice: before the first ';' and as {name}.")
    database = options.pop("databaseName", "")
    if not database:
        raise _invalid_url("The address must name a database: databaseName=... .")
    if int(port or 1) not in range(1, 65536):
        raise _invalid_url("The port is a number from 1 to 65535.")
    if instance and not port:
        options["instanceName"] = instance
    host = host.strip("[]") or "localhost"
    return Address(host=host, port=int(port or (0 if instance else DEFAULT_PORT)), database=database, options=options)


def build_connection_keywords(address: Address) -> dict[str, str]:
    """The address in mssql-python's keywords, values as they are, without login.

    `loginTimeout` is no keyword there but an argument of `connect`.
    """
    instance = address.options.get("instanceName", "")
    server = f"{address.host}\\{instance}" if instance else f"{address.host},{address.port}"
    keywords = {"server": server, "database": address.database, "packetsize": str(PACKET_BYTES)}
    for name, value in address.options.items():
        item = _BY_NAME[name.lower()]
        if item.keyword:
            keywords[item.keyword] = item.values[value.lower()] if item.values else value
    return keywords


def _parse_properties(text: str) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    position = 0
    while position < len(text):
        if text[position] in "; ":
            position += 1
            continue
        match = _PROPERTY.match(text, position)
        if match is None:
            hint = "Write name=value; a value with ; or a brace stands in braces, } doubled."
            raise _invalid_url("A property of the address cannot be read.", hint)
        braced = match["braced"]
        item = _check_property(match["name"], braced.replace("}}", "}") if braced is not None else match["plain"])
        if item[0] in seen:
            raise _invalid_url(f"The property '{item[0]}' stands twice in the address.")
        seen.add(item[0])
        yield item
        position = match.end()


def _check_property(name: str, value: str) -> tuple[str, str]:
    """The property under its usual spelling."""
    folded = _SYNONYMS.get(name.lower(), name.lower())
    if folded in _LOGIN or "password" in folded or "secret" in folded:
        raise _invalid_url("The address must not hold a login; use the connection's username and password.")
    if folded in _OURS:
        raise _invalid_url(f"The property '{name}' is not allowed.", f"{_OURS[folded]} Leave it out.")
    item = _BY_NAME.get(folded)
    if item is None:
        hint = f"Leave it out if it only concerns the Java driver. Allowed: {', '.join(URL_PROPERTIES)}."
        raise _invalid_url(f"The property '{name}' is not allowed.", hint)
    if item.values is not None and value.lower() not in item.values:
        raise _invalid_url(f"{item.name} cannot be '{value}'.", f"It is one of {', '.join(item.values)}.")
    if item.values is None and not re.fullmatch(item.pattern, value):
        raise _invalid_url(f"The property '{item.name}' must be {item.says}.")
    return item.name, value


def _invalid_url(message: str, hint: str = "") -> Invalid:
    return Invalid(message, field="jdbc_url", hint=hint or f"For example {URL_EXAMPLE}")
