# A JDBC URL as the fields of a form: host, port, database, and what else each kind needs. Pure text; opens nothing.
"""`list_parts`, `build_address` and `split_address`.

What the fields do not say stays in one of its own, `more`, as it is written; an address that says what no field can
hold is left whole. Whether an address may be used is its driver's to say.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote

from pipekit.drivers.postgresql.names import SSL_MODES
from pipekit.drivers.urls import list_parameters


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A field: its words, and the parameter that holds it; without one it stands before the parameters."""

    name: str
    label: str
    help: str = ""
    placeholder: str = ""
    parameter: str = ""
    choices: tuple[str, ...] = ()

    @property
    def options(self) -> tuple[tuple[str, str], ...]:
        """The choices as a form takes them."""
        return tuple((choice, choice) for choice in self.choices)


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """The fields of a kind: how its addresses begin, and what stands between their parameters."""

    prefix: str
    mark: str
    fields: tuple[Part, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the fields."""
        return tuple(part.name for part in self.fields)


_BOOLEANS = ("true", "false")
_HOST = Part(name="host", label="Host", placeholder="db.example.com")
_MORE = Part(name="more", label="More parameters", help="As they stand in the address.")


def _port(number: str) -> Part:
    return Part(name="port", label="Port", placeholder=number, help=f"Empty: {number}." if number else "")


_DATABASE = Part(name="database", label="Database")
_BUILT_IN: Mapping[str, Parts] = {
    "postgresql": Parts(
        prefix="jdbc:postgresql://",
        mark="?",
        fields=(
            _HOST,
            _port("5432"),
            _DATABASE,
            Part(name="sslmode", label="TLS (sslmode)", parameter="sslmode", choices=SSL_MODES),
            _MORE,
        ),
    ),
    "sqlite": Parts(
        prefix="jdbc:sqlite:",
        mark="?",
        fields=(
            Part(name="file", label="File", placeholder="shop.db", help="A relative one starts at the home folder."),
            _MORE,
        ),
    ),
    "sqlserver": Parts(
        prefix="jdbc:sqlserver://",
        mark=";",
        fields=(
            _HOST,
            Part(name="instance", label="Instance", help="Only for a named one; it then tells the port."),
            _port("1433"),
            Part(name="database", label="Database", parameter="databaseName"),
            Part(name="encrypt", label="Encrypt", parameter="encrypt", choices=(*_BOOLEANS, "strict")),
            Part(
                name="trust",
                label="Trust any certificate",
                parameter="trustServerCertificate",
                choices=_BOOLEANS,
                help="true: whoever answers as the server is believed.",
            ),
            _MORE,
        ),
    ),
    "db2i": Parts(
        prefix="jdbc:as400://",
        mark=";",
        fields=(
            Part(name="host", label="Host", placeholder="ibmi.example.com"),
            Part(name="database", label="Default library", placeholder="SHOPLIB"),
            Part(
                name="libraries",
                label="Library list",
                parameter="libraries",
                placeholder="SHOPLIB,QGPL",
                help="Where names without a library are looked for, with commas between.",
            ),
            Part(name="secure", label="TLS (secure)", parameter="secure", choices=_BOOLEANS),
            Part(
                name="binary",
                label="Text in CCSID 65535 (translate binary)",
                parameter="translate binary",
                choices=_BOOLEANS,
            ),
            _MORE,
        ),
    ),
}
_SERVER = re.compile(r"(?P<prefix>jdbc:[^/\s]+//)[^/:?;\s]+(?::(?P<port>\d+))?/[^/:?;\s]+")
_HEAD = re.compile(
    r"(?P<host>\[[^\]]*\]|[^\[\]:/\\?;,@]*)(?:\\(?P<instance>[^:/\\]*))?(?::(?P<port>\d*))?(?:/(?P<database>[^/]*))?"
)
# Words of products whose parameters stand behind a `?`; behind a `;` those of all others.
_QUESTIONED = ("jdbc:mysql:", "jdbc:mariadb:", "jdbc:postgresql:")


def list_parts(kind: str, url_example: str) -> Parts | None:
    """The fields of a kind; of one that is registered by what its addresses look like; None where that tells none."""
    if kind in _BUILT_IN:
        return _BUILT_IN[kind]
    found = _SERVER.fullmatch(url_example)
    if found is None:
        return None
    mark = "?" if url_example.startswith(_QUESTIONED) else ";"
    return Parts(prefix=found["prefix"], mark=mark, fields=(_HOST, _port(found["port"] or ""), _DATABASE, _MORE))


def build_address(parts: Parts, values: Mapping[str, str]) -> str:
    """The address that fields say; `""` where all of them are empty."""
    given = {name: values.get(name, "").strip() for name in parts.names}
    if not any(given.values()):
        return ""
    items = [
        f"{part.parameter}={_write_value(parts, given[part.name])}"
        for part in parts.fields
        if part.parameter and given[part.name]
    ]
    items += [given["more"].strip("?;&")] if given["more"].strip("?;&") else []
    joint = "&" if parts.mark == "?" else ";"
    return parts.prefix + _write_head(parts, given) + (parts.mark + joint.join(items) if items else "")


def _write_head(parts: Parts, given: Mapping[str, str]) -> str:
    if "file" in given:
        return given["file"]
    host = given["host"]
    text = f"[{host}]" if host.count(":") > 1 and not host.startswith("[") else host
    text += f"\\{given['instance']}" if given.get("instance") else ""
    text += f":{given['port']}" if given.get("port") else ""
    if any(part.name == "database" and part.parameter for part in parts.fields):
        return text
    database = given["database"]
    return f"{text}/{quote(database, safe='$@~!*().,+=:') if parts.mark == '?' else database}" if database else text


def _write_value(parts: Parts, value: str) -> str:
    if parts.mark == "?":
        return quote(value, safe="$@~!*().,:/")
    return "{" + value.replace("}", "}}") + "}" if re.search(r"[;{}]", value) else value


def split_address(parts: Parts, jdbc_url: str) -> dict[str, str] | None:
    """What an address says, by field; None where it says what the fields cannot."""
    text = jdbc_url.strip()
    if not text.lower().startswith(parts.prefix.lower()):
        return None
    text = parts.prefix + text[len(parts.prefix) :]
    if "file" in parts.names:
        file, _, more = text[len(parts.prefix) :].partition("?")
        return {"file": file, "more": more}
    head, mark, items = list_parameters(text)
    found = _HEAD.fullmatch(head[len(parts.prefix) :])
    if found is None or mark not in ("", parts.mark):
        return None
    values = dict.fromkeys(parts.names, "") | {name: value for name, value in found.groupdict().items() if value}
    if "database" in values and parts.mark == "?":
        values["database"] = unquote(values["database"])
    if not set(values) <= set(parts.names) or (found["database"] and _is_parameter(parts, "database")):
        return None
    return values | _split_items(parts, items)


def _is_parameter(parts: Parts, name: str) -> bool:
    return any(part.name == name and part.parameter for part in parts.fields)


def _split_items(parts: Parts, items: list[str]) -> dict[str, str]:
    known = {part.parameter.lower(): part for part in parts.fields if part.parameter}
    known |= {"database": known["databasename"]} if "databasename" in known else {}
    values: dict[str, str] = {}
    more = []
    for item in items:
        name, _, raw = item.partition("=")
        part, value = known.get(name.strip().lower()), _read_value(parts, raw.strip())
        if part is None or part.name in values or (part.choices and value not in part.choices):
            more.append(item.strip())
        else:
            values[part.name] = value
    return values | {"more": ("&" if parts.mark == "?" else ";").join(filter(None, more))}


def _read_value(parts: Parts, raw: str) -> str:
    if parts.mark == "?":
        return unquote(raw)
    return raw[1:-1].replace("}}", "}") if raw.startswith("{") and raw.endswith("}") else raw
