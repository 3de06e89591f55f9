# Names and addresses of PostgreSQL: quoting, table names, JDBC URLs. Pure text; knows no connection.
"""How PostgreSQL's tables and databases are named."""

import re
from urllib.parse import unquote, urlsplit

from pipekit.drivers.base import Address, TableName
from pipekit.drivers.sqltext import SMALL
from pipekit.drivers.unused import drop_unused
from pipekit.errors import Invalid

MAX_IDENTIFIER_BYTES = 63
DEFAULT_PORT = 5432
URL_EXAMPLE = "jdbc:postgresql://localhost:5432/dw"
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
URL_PARAMETERS = (
    "channelBinding", "connectTimeout", "currentSchema", "readOnly", "targetServerType", "sslcert", "sslcrl",
    "sslkey", "sslmode", "sslrootcert",
)  # fmt: skip

# What libpq has the same word for.
_PASSED = ("sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl")
_SERVER_TYPES = {"primary": "primary", "master": "primary", "secondary": "standby", "slave": "standby"}

# Their other values change nothing and are left out.
_ONE_VALUE = {"readOnly": "true", "channelBinding": "require"}
_LOGIN_PARAMETERS = frozenset({"user", "username", "password", "sslpassword", "passfile"})
_TRANSLATED = ("loginTimeout", "options", "ssl", "sslfactory")
_PREFIX = "jdbc:postgresql:"
_PLAIN = re.compile(r"[^\W\d][\w$]*")
_NAME_PART = re.compile(r'\s*(?:"((?:[^"]|"")+)"|([^".\s][^".]*?))\s*(\.|\Z)')


def quote_identifier(name: str) -> str:
    """A name in double quotes; raises Invalid for one PostgreSQL cannot keep whole."""
    if not name or "\0" in name:
        raise Invalid("A name cannot be empty or hold a NUL character.")
    if len(name.encode("utf-8", "surrogatepass")) > MAX_IDENTIFIER_BYTES:
        raise Invalid(f"The name '{name}' is longer than {MAX_IDENTIFIER_BYTES} bytes, which PostgreSQL would cut.")
    return '"' + name.replace('"', '""') + '"'


def quote_text(text: str) -> str:
    """A text constant of what holds no NUL, as no name does."""
    return "'" + text.replace("'", "''") + "'"


def quote_table(table: TableName) -> str:
    """A table with its schema, both quoted."""
    name = quote_identifier(table.name)
    return f"{quote_identifier(table.schema)}.{name}" if table.schema else name


def read_table(text: str) -> tuple[tuple[str, bool], ...]:
    """Schema, if it names one, and table, each with whether it stood in quotes; raises Invalid (field `table`)."""
    parts: list[tuple[str, bool]] = []
    position, more = 0, True
    while more:
        match = _NAME_PART.match(text, position)
        if match is None:
            raise Invalid(f"'{text}' is not the name of a table.", field="table", hint="Write table or schema.table.")
        quoted, plain, separator = match.groups()
        parts.append((plain, False) if quoted is None else (quoted.replace('""', '"'), True))
        position, more = match.end(), separator == "."
    if len(parts) > 2:
        raise Invalid(f"'{text}' has more than a schema and a table.", field="table", hint="Write schema.table.")
    for name, _ in parts:
        quote_identifier(name)
    return tuple(parts)


def fold_name(name: str) -> str:
    """A name without quotes as the server stores it: only the letters A to Z become small; odd names stay."""
    return name.translate(SMALL) if _PLAIN.fullmatch(name) else name


def parse_url(jdbc_url: str) -> Address:
    """Checks `jdbc:postgresql://host[:port]/database[?parameters]`; raises Invalid that repeats no login."""
    jdbc_url = drop_unused(jdbc_url).jdbc_url
    if not jdbc_url.startswith(_PREFIX + "//"):
        raise _invalid_url(f"The address must start with {_PREFIX}// .")
    try:
        parts = urlsplit("postgresql://" + jdbc_url[len(_PREFIX) + 2 :])
        hosts, port = parts.netloc, parts.port
    except ValueError:
        raise _invalid_url("The address names no usable host and port, or several hosts.") from None
    if "@" in hosts:
        raise _invalid_url("The address must not hold a login; use the connection's username and password.")
    if "," in hosts:
        raise _invalid_url("The address must name one host.")
    database = unquote(parts.path.removeprefix("/"))
    if not database or "/" in database or parts.fragment or "\0" in database:
        raise _invalid_url("The address must name one database after the host.")
    host = unquote(parts.hostname or "localhost")
    return Address(host=host, port=port or DEFAULT_PORT, database=database, options=_parse_parameters(parts.query))


def list_passed(address: Address) -> dict[str, str]:
    """What libpq is told of an address's options, in its words: security, and which of several servers it must be."""
    passed = {name: address.options[name] for name in _PASSED if name in address.options}
    if "channelBinding" in address.options:
        passed["channel_binding"] = address.options["channelBinding"]
    if "targetServerType" in address.options:
        passed["target_session_attrs"] = _SERVER_TYPES[address.options["targetServerType"]]
    return passed


def _parse_parameters(query: str) -> dict[str, str]:
    options: dict[str, str] = {}
    for item in filter(None, query.split("&")):
        raw_name, _, raw_value = item.partition("=")
        name, value = unquote(raw_name), unquote(raw_value)
        _check_parameter(name, value)
        options[name] = value
    return _translate(options)


def _translate(options: dict[str, str]) -> dict[str, str]:
    """What the JDBC driver has other words for: `options`, `ssl`, `sslfactory` and `loginTimeout`."""
    for name, value in _read_settings(options.pop("options", "")):
        if name.lower() != "search_path":
            hint = "Of its settings only search_path is the address's to say; others are Pipekit's, or the login's."
            raise _invalid_url(f"The setting '{name}' in `options` is not allowed.", hint)
        options.setdefault("currentSchema", value)
    factory = options.pop("sslfactory", "")
    if factory and not factory.endswith(".NonValidatingFactory"):
        hint = "Whom the server must prove to be is said by sslmode and sslrootcert."
        raise _invalid_url(f"The class '{factory}' of sslfactory cannot be loaded here.", hint)
    if options.pop("ssl", "false").lower() == "true":
        options.setdefault("sslmode", "require" if factory else "verify-full")
    if "loginTimeout" in options:
        options.setdefault("connectTimeout", options.pop("loginTimeout"))
    return options


def _read_settings(text: str) -> list[tuple[str, str]]:
    """`-c name=value --name=value`: a backslash stands before a blank of a value."""
    words = [re.sub(r"\\(.)", r"\1", word) for word in re.findall(r"(?:\\.|[^\s\\])+", text)]
    settings = []
    while words:
        word = words.pop(0)
        if word == "-c" and words:
            word = words.pop(0)
        elif word.startswith(("-c", "--")):
            word = word[2:]
        else:
            raise _invalid_url(f"'{word}' in `options` is not allowed.", "It looks like: -c search_path=rpt")
        name, _, value = word.partition("=")
        settings.append((name, value))
    return settings


def _check_parameter(name: str, value: str) -> None:
    if name.lower() in _LOGIN_PARAMETERS:
        raise _invalid_url("The address must not hold a login; use the connection's username and password.")
    if name == "ApplicationName":
        raise _invalid_url("ApplicationName is set by Pipekit: it is how a run's sessions are found.")
    if name not in (*URL_PARAMETERS, *_TRANSLATED):
        raise _invalid_url(f"The parameter '{name}' is not allowed.", f"Allowed: {', '.join(URL_PARAMETERS)}.")
    if not value or "\0" in value:
        raise _invalid_url(f"The parameter '{name}' has no value.")
    if name == "sslmode" and value not in SSL_MODES:
        raise _invalid_url(f"sslmode cannot be '{value}'.", f"It is one of {', '.join(SSL_MODES)}.")
    if name == "targetServerType" and value not in _SERVER_TYPES:
        raise _invalid_url(f"targetServerType cannot be '{value}'.", f"It is one of {', '.join(_SERVER_TYPES)}.")
    if _ONE_VALUE.get(name, value) != value:
        raise _invalid_url(f"{name} cannot be '{value}'.")
    if name in ("connectTimeout", "loginTimeout") and not re.fullmatch(r"[1-9]\d{0,5}", value):
        raise _invalid_url(f"{name} must be a whole number of seconds.")


def _invalid_url(message: str, hint: str = "") -> Invalid:
    return Invalid(message, field="jdbc_url", hint=hint or f"For example {URL_EXAMPLE}")
