# JDBC URLs of people's scripts: which kind they are for, and the login some of them carry. Opens nothing.
"""`find_kind`, `list_kinds`, `split_login`, `place_file` and `list_parameters`."""

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

# The word after `jdbc:` -> the kind.
SCHEMES: Mapping[str, str] = {
    "postgresql": "postgresql",
    "sqlite": "sqlite",
    "sqlserver": "sqlserver",
    "as400": "db2i",
}
_SCHEME = re.compile(r"jdbc:([a-z0-9+-]+):", re.IGNORECASE)
# The file of an embedded database, its name neither whole nor in a home; SQLite's may end in parameters behind a `?`.
_RELATIVE_FILE = re.compile(
    r"(jdbc:(?:sqlite:|h2:(?:file:)?|hsqldb:file:|derby:(?:directory:)?))(?![/~:]|[a-z]+:)([^;?]+)", re.IGNORECASE
)
_NAMES = ("user", "username", "userid")
_PASSWORDS = ("password", "pwd")
_APPLICATION = "applicationname"
# A property of SQL Server's URLs; a value in braces may hold a semicolon.
_ITEM = re.compile(r"(?:=\s*\{(?:[^}]|\}\})*\}|[^;])+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Login:
    """A URL without the login that stood in it."""

    jdbc_url: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)


def find_kind(jdbc_url: str) -> str | None:
    """The built-in kind that a URL is for, None where none claims it."""
    found = _SCHEME.match(jdbc_url)
    return SCHEMES.get(found[1].lower()) if found else None


def list_kinds(jdbc_url: str, fixed_parts: Mapping[str, str]) -> list[str]:
    """The kinds that claim a URL: built in, else registered; `fixed_parts` is how each registered kind's URLs begin.

    Of several with the URL's scheme those that say most of how it begins; all of them where none says it rightly.
    """
    kind, found = find_kind(jdbc_url), _SCHEME.match(jdbc_url)
    if kind is not None or found is None:
        return [kind] if kind else []
    known = {kind: fixed for kind, fixed in fixed_parts.items() if fixed.lower().startswith(found[0].lower())}
    fits = {kind: len(fixed) for kind, fixed in known.items() if jdbc_url.lower().startswith(fixed.lower())}
    return [kind for kind, length in fits.items() if length == max(fits.values())] or list(known)


def place_file(jdbc_url: str, folder: str) -> str:
    """The address of a database in a file, a name that is relative made whole from a folder; any other as it is."""
    found = _RELATIVE_FILE.match(jdbc_url)
    if found is None:
        return jdbc_url
    return found[1] + posixpath.normpath(posixpath.join(folder, found[2])) + jdbc_url[found.end() :]


def split_login(jdbc_url: str) -> Login:
    """Takes user, password and the name of the application, which Pipekit sets itself, out of a URL."""
    head, separator, items = list_parameters(jdbc_url)
    username, password = None, None
    kept = []
    for item in items:
        name, _, value = item.partition("=")
        if name.strip().lower() in _NAMES:
            username = unquote(value)
        elif name.strip().lower() in _PASSWORDS:
            password = unquote(value) if separator == "?" else _unbrace(value)
        elif name.strip().lower() != _APPLICATION:
            kept.append(item)
    head, before = _split_host_login(head)
    joined = ("&" if separator == "?" else ";").join(kept)
    return Login(
        jdbc_url=f"{head}{separator}{joined}" if joined else head,
        username=username or before[0],
        password=password or before[1],
    )


def list_parameters(jdbc_url: str) -> tuple[str, str, list[str]]:
    """What stands before the parameters, `?` or `;`, and each parameter as it is written."""
    separator = next((char for char in jdbc_url if char in "?;"), "")
    if not separator:
        return jdbc_url, "", []
    head, _, tail = jdbc_url.partition(separator)
    return head, separator, list(filter(None, tail.split("&") if separator == "?" else _ITEM.findall(tail)))


def _unbrace(value: str) -> str:
    """A value of SQL Server's URLs without its braces."""
    text = value.strip()
    return text[1:-1].replace("}}", "}") if text.startswith("{") and text.endswith("}") else text


def _split_host_login(head: str) -> tuple[str, tuple[str | None, str | None]]:
    """`jdbc:postgresql://user:password@host/db` without what stands before the @."""
    start = head.find("//")
    end = head.rfind("@", start) if start >= 0 else -1
    if end < 0 or "/" in head[start + 2 : end]:
        return head, (None, None)
    name, colon, password = head[start + 2 : end].partition(":")
    return head[: start + 2] + head[end + 1 :], (unquote(name) or None, unquote(password) if colon else None)
