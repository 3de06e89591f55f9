# Frozen records of databases and the kinds they are of. Knows nothing of where they are kept or used.
"""Connections and registered drivers; `told` says what a field is to a person."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

from pipekit.fields import told
from pipekit.models.parts import WATERMARK_NAME

Row = Mapping[str, Any]

VARIABLE_NAME = WATERMARK_NAME.pattern.removesuffix(r"\Z")
# An identifier as it stands in SQL without quotes: nothing that could be more than a name.
VARIABLE_VALUE = r"[A-Za-z_#$@][A-Za-z0-9_#$@]{0,127}"
PASSWORD_PATTERN = r"\$[A-Za-z_][A-Za-z0-9_]*"


@dataclass(frozen=True, kw_only=True, slots=True)
class DriverRegistration:
    """A kind that is registered; `jar` and `java_class` are for kinds that are reached over JDBC.

    `jar` is relative to the configured folder, `jar_sha256` what it was when it was registered. Embedded databases of
    the kind lie below `folder`; without one its connections lead to servers alone.
    """

    kind: str
    jar: str | None = None
    java_class: str | None = None
    url_template: str | None = None
    jar_sha256: str | None = None
    folder: str | None = None

    @classmethod
    def from_row(cls, row: Row) -> Self:
        plain = {name: row[name] for name in ("kind", "jar", "url_template", "jar_sha256", "folder")}
        return cls(**plain, java_class=row["class"])


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionFields:
    """What a person says of a named database. `password` is a `$NAME` reference (or None), never the value."""

    name: str = field(metadata=told("What it is called, letter case aside unique.", name=""))
    driver: str = field(metadata=told("The kind of database."))
    jdbc_url: str = field(metadata=told("Where the database is, as a JDBC URL."))
    username: str | None = field(default=None, metadata=told("Who logs in."))
    password: str | None = field(
        default=None,
        metadata=told("The name of a secret, written $NAME; never the password itself.", pattern=PASSWORD_PATTERN),
    )
    max_runs: int | None = field(
        default=None,
        metadata=told("How many runs may use it at the same time, as source or dest.", low=1, high=1000),
    )
    variables: str = field(
        default="",
        metadata=told(
            "Names that stand as {name} in what its modules ask and name: libraries, schemas.",
            kind="pairs",
            names=VARIABLE_NAME,
            pattern=VARIABLE_VALUE,
            label="Variables",
            help="library = PRODLIB: {library} in queries, watermarks, hooks and tables of its modules is PRODLIB.",
        ),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Connection(ConnectionFields):
    """A connection as it is kept. None for `max_runs` says: as many as there are slots."""

    id: int

    @classmethod
    def from_row(cls, row: Row) -> Self:
        return cls(**{f.name: row[f.name] for f in fields(cls)})
