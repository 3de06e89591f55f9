# Names for what scripts leave nameless: connections and secrets. Holds secret values and gives none away.
"""`Connections` and `SecretNames`."""

import re
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from pipekit.definitions.records import ConnectionDef
from pipekit.drivers.jdbc.products import find_owner
from pipekit.drivers.urls import find_kind
from pipekit.masking import Masker
from pipekit.scripts.found import MARKER, Database, Notes, Place, Secret

_URL_SUFFIX = re.compile(r"_?(?:JDBC_URL|JDBCURL|JDBC|URL|DSN|CONN(?:ECTION)?)$", re.IGNORECASE)


class SecretNames:
    """Each password of each system under a name; `places` is where it was found."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}
        self._systems: dict[tuple[str, str], str] = {}
        self.places: dict[str, set[Place]] = {}
        self.missing: dict[str, set[Place]] = {}

    def refer(self, secret: Secret, system: str, fallback: str) -> str:
        """`$NAME` for a system's password: the shell variable's name, else the connection's.

        Equal passwords of two systems have two names: one of them may change.
        """
        wanted = _clean(secret.variable or fallback).upper()
        if MARKER.search(secret.value) or not secret.value:
            self.missing.setdefault(wanted, set()).add(secret.place)
            return f"${wanted}"
        key = (system, secret.value)
        if key not in self._systems:
            self._systems[key] = self._free(wanted, _clean(fallback).upper())
            self._values[self._systems[key]] = secret.value
        self.places.setdefault(self._systems[key], set()).add(secret.place)
        return f"${self._systems[key]}"

    def add_place(self, secret: Secret) -> None:
        """A place where a password stands, whichever systems have it; one that no system has is a secret too."""
        if MARKER.search(secret.value) or not secret.value:
            return
        names = [name for name, value in self._values.items() if value == secret.value]
        own = [name for name in names if name == _clean(secret.variable).upper()]
        for name in own or names or [self.refer(secret, "", "PASSWORD")[1:]]:
            self.places.setdefault(name, set()).add(secret.place)

    def _free(self, *names: str) -> str:
        numbered = [f"{names[-1]}_{number}" for number in range(2, 1000)]
        return next(name for name in (*names, *numbered) if name not in self._values)

    def masker(self) -> Masker:
        """Takes every value out of text."""
        return Masker(self._values.values())


class Connections:
    """One connection for each URL, user and password, named after the variable or the database."""

    def __init__(self, secrets: SecretNames, notes: Notes) -> None:
        self._secrets = secrets
        self._notes = notes
        self._names: dict[tuple[str, str | None], str] = {}
        self._others: dict[tuple[str, str], str] = {}
        self.found: dict[str, ConnectionDef] = {}

    def name(self, database: Database) -> str:
        """The connection's name; it is made when it is new, and gets a password when it had none."""
        key = (database.jdbc_url, database.username)
        name = self._names.get(key) or self._find_alike(database)
        if name is None:
            name = self._free(_guess_name(database))
            url = database.jdbc_url
            self.found[name] = ConnectionDef(
                name=name, driver=_guess_kind(url), jdbc_url=url, username=database.username
            )
        self._names[key] = name
        if database.password is not None:
            system = f"{_find_server(database.jdbc_url)} {self.found[name].username}"
            reference = self._secrets.refer(database.password, system, f"{name}_PASSWORD")
            if self.found[name].password is None:
                self.found[name] = replace(self.found[name], password=reference)
            elif self.found[name].password != reference:
                return self._name_other(name, reference, database.password.place)
        return name

    def _name_other(self, name: str, reference: str, place: Place) -> str:
        """The connection of a login that has another password here than elsewhere: each is used where it stood."""
        key = (name, reference)
        if key not in self._others:
            other = self._others[key] = self._free(name)
            self.found[other] = replace(self.found[name], name=other, password=reference)
            told = f"The login of {name} has another password here: {other} is the same with {reference}."
            self._notes.take(place, f"{told} Which of them is right?")
        return self._others[key]

    def _find_alike(self, database: Database) -> str | None:
        """The connection that a client means that says less: the same server and database, and no other user."""
        for name, known in self.found.items():
            same_user = database.username in (None, known.username) or known.username is None
            if same_user and is_same_database(known.jdbc_url, database.jdbc_url):
                return name
        return None

    def _free(self, wanted: str) -> str:
        name, number = wanted, 2
        while name in self.found:
            name, number = f"{wanted}_{number}", number + 1
        return name


def is_same_database(one: str, other: str) -> bool:
    """Whether two URLs lead to the same database; parameters do not count, and localhost is 127.0.0.1."""
    return _identity(one) == _identity(other)


def _identity(jdbc_url: str) -> tuple[str, ...]:
    head = re.split(r"[?]", jdbc_url, maxsplit=1)[0]
    if not head.startswith("jdbc:postgresql://"):
        return (head.lower() if ":sqlite:" not in head else head,)
    parts = urlsplit(head.removeprefix("jdbc:"))
    host = parts.hostname or "localhost"
    return ("postgresql", "127.0.0.1" if host == "localhost" else host, str(parts.port or 5432), parts.path)


def _find_server(jdbc_url: str) -> str:
    """The part of a URL that names a server; databases of one server have the same logins."""
    identity = _identity(jdbc_url)
    if identity[0] == "postgresql":
        return " ".join(identity[:3])
    return re.split(r"(?<=[^/:])[/;?]", jdbc_url, maxsplit=1)[0].lower()


def _guess_kind(jdbc_url: str) -> str:
    """A built-in kind, else the one that a driver of this product is registered as."""
    owner = find_owner(jdbc_url)
    return find_kind(jdbc_url) or (owner.name if owner else "jdbc")


def _guess_name(database: Database) -> str:
    from_variable = _clean(_URL_SUFFIX.sub("", database.variable))
    if from_variable:
        return from_variable.lower()
    url = database.jdbc_url
    named = re.search(r"databaseName=([^;]+)", url, re.IGNORECASE)
    last = named[1] if named else re.split(r"[?;]", url, maxsplit=1)[0].rstrip("/").replace("\\", "/").split("/")[-1]
    stem = last.split(":")[-1]
    stem = stem.rsplit(".", 1)[0] if url.startswith("jdbc:sqlite:") else stem.split(".")[0]
    return _clean(stem).lower() or "database"


def _clean(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]+", "_", text).strip("_")


def clean_module_name(text: str, taken: Mapping[str, object]) -> str:
    """A module's name that is free."""
    wanted = re.sub(r"[^A-Za-z0-9_.-]+", "_", text).strip("_.-")[:50] or "module"
    name, number = wanted, 2
    while name.lower() in {other.lower() for other in taken}:
        name, number = f"{wanted}_{number}", number + 1
    return name


def clean_watermark_name(text: str) -> str:
    """A watermark's name after a shell variable: `SINCE` -> `since`, `1` -> `argument_1`."""
    name = _clean(text).lower() or "value"
    return f"argument_{name}" if name[0].isdigit() else name
