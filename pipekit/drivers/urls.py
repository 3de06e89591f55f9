# JDBC URLs of people's scripts: which kind they are for, and the login some of them carry. Opens nothing.
"""`find_kind`, `split_login` and `split_java_only`."""

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
_NAMES = ("user", "username", "userid")
_PASSWORDS = ("password", "pwd")
_APPLICATION = "applicationname"
# A property of SQL Server's URLs; a value in braces may hold a semicolon.
_ITEM = re.compile(r"(?:=\s*\{(?:[^}]|\}\})*\}|[^;])+")
# What concerns only how PostgreSQL's and SQL Server's Java drivers work: caches, batches, buffers, logs of their own.
_JAVA_ONLY = frozenset({
    "rewritebatchedinserts", "preparethreshold", "preparedstatementcachequeries", "preparedstatementcachesizemib",
    "databasemetadatacachefields", "databasemetadatacachefieldsmib", "defaultrowfetchsize", "adaptivefetch",
    "adaptivefetchminimum", "adaptivefetchmaximum", "binarytransfer", "binarytransferenable",
    "binarytransferdisable", "preferquerymode", "autosave", "cleanupsavepoints", "disablecolumnsanitiser",
    "assumeminserverversion", "unknownlength", "receivebuffersize", "sendbuffersize", "maxresultbuffer",
    "maxsendbuffersize", "logunclosedconnections", "loggerlevel", "loggerfile", "logservererrordetail",
    "quotereturningidentifiers", "escapesyntaxcallmode", "tcpkeepalive", "tcpnodelay", "sockettimeout",
    "sendstringparametersasunicode", "selectmethod", "responsebuffering", "disablestatementpooling",
    "statementpoolingcachesize", "enableprepareonfirstpreparedstatementcall",
    "serverpreparedstatementdiscardthreshold", "delayloadinglobs", "lastupdatecount", "sendtimeasdatetime",
    "usebulkcopyforbatchinsert", "cancelquerytimeout", "querytimeout", "workstationid", "usefmtonly", "xopenstates",
})  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Login:
    """A URL without the login that stood in it."""

    jdbc_url: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)


def find_kind(jdbc_url: str, templates: Mapping[str, str] | None = None) -> str | None:
    """The kind a URL is for, None where nothing claims it; `templates` are the URLs of registered kinds."""
    found = _SCHEME.match(jdbc_url)
    if found is None:
        return None
    scheme = found[1].lower()
    if scheme in SCHEMES:
        return SCHEMES[scheme]
    for kind, template in (templates or {}).items():
        registered = _SCHEME.match(template)
        if registered and registered[1].lower() == scheme:
            return kind
    return None


def split_login(jdbc_url: str) -> Login:
    """Takes user, password and the name of the application, which Pipekit sets itself, out of a URL."""
    head, separator, tail = _split_parameters(jdbc_url)
    username, password = None, None
    kept = []
    for item in filter(None, tail.split("&") if separator == "?" else _ITEM.findall(tail)):
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


def split_java_only(jdbc_url: str) -> tuple[str, list[str]]:
    """An address without what only a Java driver understands, and what that was; for the kinds that need none here."""
    if find_kind(jdbc_url) not in ("postgresql", "sqlserver"):
        return jdbc_url, []
    head, separator, tail = _split_parameters(jdbc_url)
    items = [*filter(None, tail.split("&") if separator == "?" else _ITEM.findall(tail))]
    only = [item for item in items if item.partition("=")[0].strip().lower() in _JAVA_ONLY]
    kept = ("&" if separator == "?" else ";").join(item for item in items if item not in only)
    return f"{head}{separator}{kept}" if kept else head, only


def _split_parameters(jdbc_url: str) -> tuple[str, str, str]:
    """What stands before the parameters, `?` or `;`, and the parameters."""
    separator = next((char for char in jdbc_url if char in "?;"), "")
    if not separator:
        return jdbc_url, "", ""
    head, _, tail = jdbc_url.partition(separator)
    return head, separator, tail


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
