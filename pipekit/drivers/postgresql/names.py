# Names and addresses of PostgreSQL: quoting, table names, JDBC URLs. Pure text; knows no connection.
"""How PostgreSQL's tables and databases are named."""

import re
from urllib.parse import unquote, urlsplit

from pipekit.drivers.base import Address, TableName
from pipekit.errors import Invalid

MAX_IDENTIFIER_BYTES = 63
DEFAULT_SCHEMA = "public"
DEFAULT_PORT = 5432
URL_EXAMPLE = "jdbc:postgresql://localhost:5432/dw"
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
URL_PARAMETERS = ("connectTimeout", "currentSchema", "sslcert", "sslcrl", "sslkey", "sslmode", "sslrootcert")

_LOGIN_PARAMETERS = frozenset({"user", "username", "password", "sslpassword", "passfile"})
_PREFIX = "jdbc:postgresql:"
_NAME_PART = re.compile(r'\s*(?:"((?:[^"]|"")+)"|([^".\s][^".]*?))\s*(\.|\Z)')


def quote_identifier(name: str) -> str:
    """A name in double quotes; raises Invalid for one PostgreSQL cannot keep whole."""
    if not name or "\0" in name:
        raise Invalid("A name cannot be empty or hold a NUL character.")
    if len(name.encode("utf-8", "surrogatepass")) > MAX_IDENTIFIER_BYTES:
        raise Invalid(f"The name '{name}' is longer than {MAX_IDENTIFIER_BYTES} bytes, which PostgreSQL would cut.")
    return '"' + name.replace('"', '""') + '"'


def quote_table(table: TableName) -> str:
    """A table with its schema, both quoted."""
    name = quote_identifier(table.name)
    return f"{quote_identifier(table.schema)}.{name}" if table.schema else name


def parse_table(text: str) -> TableName:
    """`orders`, `public.orders` or with quotes; a name without quotes is taken as it is typed, without folding.

    Where no session can be asked, one without a schema is taken to be in `public`.
    """
    *schema, name = split_table(text)
    return TableName(schema=schema[0] if schema else DEFAULT_SCHEMA, name=name)


def split_table(text: str) -> list[str]:
    """Schema, if it names one, and table; raises Invalid (field `table`)."""
    parts: list[str] = []
    position, more = 0, True
    while more:
        match = _NAME_PART.match(text, position)
        if match is None:
            raise Invalid(f"'{text}' is not the name of a table.", field="table", hint="Write table or schema.table.")
        quoted, plain, separator = match.groups()
        parts.append(quoted.replace('""', '"') if quoted is not None else plain)
        position, more = match.end(), separator == "."
    if len(parts) > 2:
        raise Invalid(f"'{text}' has more than a schema and a table.", field="table", hint="Write schema.table.")
    for part in parts:
        quote_identifier(part)
    return parts


def parse_url(jdbc_url: str) -> Address:
    """Checks `jdbc:postgresql://host[:port]/database[?parameters]`; raises Invalid that repeats no login."""
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


def _parse_parameters(query: str) -> dict[str, str]:
    options: dict[str, str] = {}
    for item in filter(None, query.split("&")):
        raw_name, _, raw_value = item.partition("=")
        name, value = unquote(raw_name), unquote(raw_value)
        _check_parameter(name, value)
        options[name] = value
    return options


def _check_parameter(name: str, value: str) -> None:
    if name.lower() in _LOGIN_PARAMETERS:
        raise _invalid_url("The address must not hold a login; use the connection's username and password.")
    if name == "ApplicationName":
        raise _invalid_url("ApplicationName is set by Pipekit: it is how a run's sessions are found.")
    if name not in URL_PARAMETERS:
        raise _invalid_url(f"The parameter '{name}' is not allowed.", f"Allowed: {', '.join(URL_PARAMETERS)}.")
    if not value or "\0" in value:
        raise _invalid_url(f"The parameter '{name}' has no value.")
    if name == "sslmode" and value not in SSL_MODES:
        raise _invalid_url(f"sslmode cannot be '{value}'.", f"It is one of {', '.join(SSL_MODES)}.")
    if name == "connectTimeout" and not re.fullmatch(r"[1-9]\d{0,5}", value):
        raise _invalid_url("connectTimeout must be a whole number of seconds.")


def _invalid_url(message: str, hint: str = "") -> Invalid:
    return Invalid(message, field="jdbc_url", hint=hint or f"For example {URL_EXAMPLE}")
