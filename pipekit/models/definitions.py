# Frozen records of what people define. Knows nothing of where they are kept or used.
"""Connections, modules, watermarks, hooks, groups and schedules; `told` says what a field is to a person."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, Self

from pipekit.fields import told

Strategy = Literal["full", "incremental", "append", "upsert"]
RunOn = Literal["success", "failure", "always"]
Match = Literal["name", "position"]

STRATEGIES: tuple[Strategy, ...] = ("full", "incremental", "append", "upsert")
RUN_ON: tuple[RunOn, ...] = ("success", "failure", "always")

Row = Mapping[str, Any]

# A module's name is its staging table's name in every kind of database, so it stays within the shortest common limit.
MODULE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,59}\Z")
# What can stand in braces in a query.
WATERMARK_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,59}\Z")
_KEY_PART = re.compile(r'\s*(?:"((?:[^"]|"")+)"\s*(?:,|\Z)|([^,]*)(?:,|\Z))')
RESERVED_MODULE_NAMES = frozenset({"pipekit_ledger"})


def parse_key(text: str | None) -> tuple[str, ...]:
    """`col1, col2` -> `("col1", "col2")`; a name with a comma in it is quoted: `"a,b", c`. Empty parts are dropped."""
    parts = (match[1].replace('""', '"') if match[1] else match[2].strip() for match in _KEY_PART.finditer(text or ""))
    return tuple(part for part in parts if part.strip())


def format_key(names: Iterable[str]) -> str:
    """The text that `parse_key` reads as these names; quoted are those it would read otherwise."""

    def write(name: str) -> str:
        is_plain = parse_key(name) == (name,) and not name.startswith('"')
        return name if is_plain else '"' + name.replace('"', '""') + '"'

    return ", ".join(map(write, names))


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """One entry of `columns_json`: how a source column is named and typed in the dest."""

    id: str
    source_name: str
    source_type: str
    dest_name: str
    dest_type: str


def parse_columns(text: str | None) -> tuple[Column, ...]:
    """`columns_json` -> columns, in order."""
    names = {f.name for f in fields(Column)}
    return tuple(Column(**{k: v for k, v in item.items() if k in names}) for item in json.loads(text or "[]"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Guards:
    """A module's switches for the checks of a run; every check is on unless it is switched off here.

    `shrink` is the share (0 to 1) of the dest's rows a `full` run must leave; None switches that check off.
    `null_keys` True says that NULLs in the merge key match each other. `atomic` False accepts a dest whose changes
    cannot be rolled back. `children` True lets foreign keys take rows of other tables along. `row_security` True means
    only the rows that the login may see. `dest_truth` False accepts what triggers, rules and views make of the rows.
    `sequences` None moves the sequences behind fed columns on where the strategy is full.
    """

    empty_source: bool = field(
        default=True,
        metadata=told(
            "Refuse to empty a dest that has rows.",
            label="Refuse to empty a dest that has rows",
            help="When a full load brings none.",
            unusual="an empty source empties the dest",
        ),
    )
    shrink: float | None = field(
        default=None,
        metadata=told(
            "The share of the dest's rows a full run must leave.",
            low=0,
            high=1,
            label="Least share that a full load must leave",
            help="0.5: refuse to leave less than half of the rows there were. Empty: not checked.",
            unusual="at least {:.0%} of the old rows must be left",
        ),
    )
    count_truth: bool = field(
        default=True,
        metadata=told(
            "Rows read = staged = inserted, or nothing is merged.",
            label="Rows read, staged and inserted must be the same number",
            unusual="counts may differ",
        ),
    )
    column_truth: bool = field(
        default=True,
        metadata=told(
            "Source and dest columns must meet by name.",
            label="Every source column must have a dest column",
            unusual="columns may be left out",
        ),
    )
    exactness: bool = field(
        default=True,
        metadata=told(
            "Refuse a value the dest cannot hold exactly.",
            label="Refuse a value the dest cannot hold exactly",
            unusual="the dest may convert values",
        ),
    )
    null_keys: bool = field(
        default=False,
        metadata=told(
            "NULLs in the merge key match each other.",
            label="NULLs in the merge key match each other",
            help="Otherwise a NULL in the key is refused.",
            unusual="NULLs match in the key",
        ),
    )
    atomic: bool = field(
        default=True,
        metadata=told(
            "Refuse a dest whose changes cannot be rolled back.",
            label="Refuse a dest whose changes cannot be rolled back",
            help="A table without a journal on an IBM i.",
            unusual="a merge may be left half done",
        ),
    )
    children: bool = field(
        default=False,
        metadata=told(
            "Rows of other tables may go or change through their foreign keys, when rows of the dest go.",
            label="Rows of other tables may go or change through their foreign keys",
            help="Otherwise a run that would take rows of other tables along is refused.",
            unusual="rows of other tables may go along",
        ),
    )
    row_security: bool = field(
        default=False,
        metadata=told(
            "Under row security only the rows the login may see are meant.",
            label="Under row security only the rows the login may see are meant",
            help="Otherwise such a dest is refused by all strategies but append.",
            unusual="only the rows the login may see are meant",
        ),
    )
    dest_truth: bool = field(
        default=True,
        metadata=told(
            "Refuse when the dest does not hold what was staged, because of a trigger, a rule or a view.",
            label="After a merge the dest must hold what was staged",
            help="Looked at where a trigger, a rule or a view stands between.",
            unusual="triggers, rules and views may change what is loaded",
        ),
    )
    sequences: bool | None = field(
        default=None,
        metadata=told(
            "Move a sequence behind a fed column on after the merge; without it only where the strategy is full.",
            label="Move on the sequences behind fed columns",
            help="So that the next number an application takes is free. They are never set back.",
            unusual="sequences are moved on: {}",
        ),
    )

    @classmethod
    def from_json(cls, text: str | None) -> Self:
        """Reads `guards_json`; unknown names are ignored so that a newer file opens in an older program."""
        known = {f.name for f in fields(cls)}
        return cls(**{k: v for k, v in json.loads(text or "{}").items() if k in known})


@dataclass(frozen=True, kw_only=True, slots=True)
class DriverRegistration:
    """A kind that is registered; `jar` and `java_class` are for kinds that are reached over JDBC.

    `jar` is relative to the configured folder, `jar_sha256` what it was when it was registered.
    """

    kind: str
    jar: str | None = None
    java_class: str | None = None
    url_template: str | None = None
    jar_sha256: str | None = None

    @classmethod
    def from_row(cls, row: Row) -> Self:
        plain = {name: row[name] for name in ("kind", "jar", "url_template", "jar_sha256")}
        return cls(**plain, java_class=row["class"])


@dataclass(frozen=True, kw_only=True, slots=True)
class Connection:
    """A named database. `password` is a `$NAME` reference (or None), never the value.

    At most `max_runs` runs use it at the same time, as source or as dest; None says as many as there are slots.
    """

    id: int
    name: str
    driver: str
    jdbc_url: str
    username: str | None = None
    password: str | None = None
    max_runs: int | None = None

    @classmethod
    def from_row(cls, row: Row) -> Self:
        return cls(**{f.name: row[f.name] for f in fields(cls)})


@dataclass(frozen=True, kw_only=True, slots=True)
class Module:
    """One sync: a source query kept in step with a dest table.

    `trim_char` drops the trailing blanks of the source's CHAR columns.
    """

    id: int
    name: str
    source_id: int
    dest_id: int
    source_query: str
    dest_table: str
    merge_strategy: Strategy = "full"
    merge_key: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    match: Match = "name"
    guards: Guards = field(default_factory=Guards)
    create_table: bool = False
    trim_char: bool = False
    enabled: bool = True
    retries: int = 2
    silence_timeout_s: float | None = None
    run_timeout_s: float | None = None
    running: bool = False
    lease_owner: str | None = None
    lease_expires_at: str | None = None
    fence: int = 0

    @property
    def key_text(self) -> str:
        """The merge key as it is typed and kept."""
        return format_key(self.merge_key)

    @classmethod
    def from_row(cls, row: Row) -> Self:
        plain = {
            f.name: row[f.name]
            for f in fields(cls)
            if f.name not in ("merge_key", "columns", "guards") and f.name in row
        }
        for flag in ("create_table", "trim_char", "enabled", "running"):
            plain[flag] = bool(plain[flag])
        return cls(
            **plain,
            merge_key=parse_key(row["merge_key"]),
            columns=parse_columns(row["columns_json"]),
            guards=Guards.from_json(row["guards_json"]),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Watermark:
    """A placeholder `{name}` of a module's query and the SQL that resolves it."""

    id: int
    module_id: int
    name: str
    connection_id: int
    resolver_sql: str
    default_value: str | None = None

    @classmethod
    def from_row(cls, row: Row) -> Self:
        return cls(**{f.name: row[f.name] for f in fields(cls)})


@dataclass(frozen=True, kw_only=True, slots=True)
class Hook:
    """SQL run on the dest after the merge."""

    id: int
    module_id: int
    sql: str
    run_order: int = 1
    run_on: RunOn = "success"

    @classmethod
    def from_row(cls, row: Row) -> Self:
        return cls(**{f.name: row[f.name] for f in fields(cls)})


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """A named, ordered set of modules.

    `parallel` members of equal `run_order` may run side by side. `enabled` says whether its schedules fire; while it is
    `paused` none of its runs starts.
    """

    id: int
    name: str
    enabled: bool = True
    parallel: int = 1
    paused: bool = False

    @classmethod
    def from_row(cls, row: Row) -> Self:
        flags = {"enabled": bool(row["enabled"]), "paused": bool(row["paused"])}
        return cls(id=row["id"], name=row["name"], parallel=row["parallel"], **flags)


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupMember:
    """A module's place in a group."""

    id: int
    group_id: int
    module_id: int
    run_order: int

    @classmethod
    def from_row(cls, row: Row) -> Self:
        return cls(**{f.name: row[f.name] for f in fields(cls)})


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """A cron expression tied to a group.

    Of the times that were missed (nothing looked at the clock) the latest is made up for if `catch_up` says so.
    `last_fired_at` is the latest due time that was dealt with, whatever came of it; times up to `active_from`, when it
    was made, changed or enabled, are not due.
    """

    id: int
    group_id: int
    cron: str
    enabled: bool = True
    catch_up: bool = True
    active_from: str | None = None
    last_fired_at: str | None = None

    @classmethod
    def from_row(cls, row: Row) -> Self:
        flags = {"enabled": bool(row["enabled"]), "catch_up": bool(row["catch_up"])}
        return cls(**{**{f.name: row[f.name] for f in fields(cls)}, **flags})


def as_strategy(text: str) -> Strategy:
    """Narrows a checked string to a `Strategy`."""
    if text not in STRATEGIES:
        raise ValueError(text)
    return text
