# Frozen records of what people define. Knows nothing of where they are kept or used.
"""Modules and their columns; `told` says what a field is to a person."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, Self

from pipekit.fields import LONGEST_SQL, list_fields, told
from pipekit.models.guards import Guards

Strategy = Literal["full", "incremental", "append", "upsert", "snapshot"]
Match = Literal["name", "position"]
Way = Literal["auto", "staged", "swap", "direct"]
BadData = Literal["refuse", "null"]
Proof = Literal["off", "counts", "sums", "values"]
Deletes = Literal["none", "hard", "mark"]
Drifting = Literal["stop", "ignore", "add", "widen"]

STRATEGIES: tuple[Strategy, ...] = ("full", "incremental", "append", "upsert", "snapshot")
# Those that find rows by the merge key.
KEYED: tuple[Strategy, ...] = ("incremental", "upsert", "snapshot")

Row = Mapping[str, Any]

# A module's name is its staging table's name in every kind of database, so it stays within the shortest common limit.
MODULE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,59}\Z")
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

    id: str = field(metadata=told("Stable id; c1, c2 ... when left out.", required=False))
    source_name: str = field(metadata=told("The column of the query.", label="Source column"))
    source_type: str = field(
        metadata=told("Its type, as the source spells it.", required=False, default="", label="Source type")
    )
    dest_name: str = field(metadata=told("The column of the dest table.", label="Dest column"))
    dest_type: str = field(
        metadata=told("Its type, as the dest spells it.", required=False, default="", label="Dest type")
    )


def parse_columns(text: str | None) -> tuple[Column, ...]:
    """`columns_json` -> columns, in order."""
    names = {f.name for f in fields(Column)}
    return tuple(Column(**{k: v for k, v in item.items() if k in names}) for item in json.loads(text or "[]"))


@dataclass(frozen=True, kw_only=True, slots=True)
class ModuleFields:
    """What a person says of one sync, besides its connections, watermarks and hooks."""

    name: str = field(metadata=told("1 to 60 letters, digits, _ . or -.", name=""))
    source_query: str = field(
        metadata=told(
            "The source query; {name} stands for a watermark.", name="query", longest=LONGEST_SQL, label="Source query"
        )
    )
    dest_table: str = field(
        metadata=told("The dest table, with its schema where the kind has schemas.", name="table", label="Dest table")
    )
    merge_strategy: Strategy = field(
        default="full", metadata=told("How staging is merged into the dest.", name="strategy", label="Merge strategy")
    )
    merge_key: tuple[str, ...] = field(
        default=(),
        metadata=told(
            'The merge key; "a, b" or a list for several columns.',
            name="key",
            kind="names",
            default=None,
            label="Merge key",
        ),
    )
    create_table: bool = field(
        default=False,
        metadata=told(
            "Make the dest table from the query's columns when it is missing.",
            label="Make the table when it is missing",
        ),
    )
    create_types: bool = field(
        default=False,
        metadata=told(
            "Make enums that the dest lacks with the table, between two PostgreSQLs; else they become text.",
            label="Make its enums too",
        ),
    )
    trim_char: bool = field(
        default=False,
        metadata=told("Drop the trailing blanks of the source's CHAR columns.", label="Drop trailing blanks"),
    )
    bad_data: BadData = field(
        default="refuse",
        metadata=told(
            "What becomes of a value that Db2 for i itself cannot give, such as a decimal whose bytes are no number.",
            label="Values the source cannot give",
            help="Db2 for i has decimals whose bytes are no number. null: they become NULL, and are counted.",
        ),
    )
    translate: str = field(
        default="",
        metadata=told(
            "The code pages (CCSID) of source columns that hold text as bytes, as CCSID 65535 of Db2 for i does.",
            kind="pairs",
            pattern=r"\d{1,5}",
            low=1,
            high=65534,
            label="Code pages of source columns",
            help="NAME = 273, CITY = 500. Of columns in CCSID 65535 of Db2 for i, which are bytes otherwise.",
        ),
    )
    enabled: bool = field(default=True, metadata=told("Whether groups run the module.", label="Enabled"))
    match: Match = field(default="name", metadata=told("How source columns meet dest columns.", label="Columns meet"))
    load: Way = field(
        default="auto",
        metadata=told("Which way rows take into the dest; see running.md.", label="How rows come into the dest"),
    )
    verify: Proof = field(
        default="off",
        metadata=told(
            "What a load ends with: source and dest compared, `full` by counts, by sums, or by values; see trust.md.",
            label="After a load compare dest and source",
            help="By counts of rows, by sums of columns, or value by value. Where they differ the run has failed.",
        ),
    )
    drift: Drifting = field(
        default="stop",
        metadata=told(
            "What a run makes of columns that are new in the source, and with `widen` of those that are wider there.",
            label="New columns of the source",
            help="stop: the run is refused. ignore: left out. add: added to the dest. widen: also wider types.",
        ),
    )
    deletes: Deletes = field(
        default="none",
        metadata=told(
            "What becomes of dest rows whose key the source no longer has, for incremental and upsert.",
            label="Rows that are gone from the source",
            help="For incremental and upsert: behind the load the keys alone are read again, without watermarks.",
        ),
    )
    deletes_column: str = field(
        default="",
        metadata=told(
            "For `mark`: the dest column that gets the time; NULL says that the row is there.",
            name="deleting.column",
            label="Column of the mark",
            help="Of the dest, not fed by the query: the time at which a row was missed first; NULL while it is there.",
        ),
    )
    deletes_where: str = field(
        default="",
        metadata=told(
            "A condition over the dest's columns: only rows that meet it are deleted or marked.",
            name="deleting.where",
            longest=20_000,
            label="Only rows that meet",
            help="A condition over the dest's columns, such as region = 'EU'. Empty: all rows.",
        ),
    )
    deletes_days: int | None = field(
        default=None,
        metadata=told(
            "Only rows of the last days, by `day_column`.",
            name="deleting.days",
            low=1,
            high=100_000,
            label="Only rows of the last days",
            help="Empty: however old.",
        ),
    )
    deletes_day_column: str = field(
        default="",
        metadata=told(
            "The dest column that tells how old a row is, for `days`.",
            name="deleting.day_column",
            label="Column that tells the day",
            help="Of the dest, a date or a time.",
        ),
    )
    deletes_keys: str = field(
        default="",
        metadata=told(
            "A source query of every key that is there; else the module's own, its watermarks at their defaults.",
            name="deleting.keys",
            longest=LONGEST_SQL,
            label="Query of the keys",
            help="Empty: the module's own query, with each watermark at its default.",
        ),
    )
    history_from: str = field(
        default="valid_from",
        metadata=told(
            "For `snapshot`: the dest column that tells when a version began.",
            name="history.from",
            required=False,
            label="Column of the begin",
            help="For the strategy snapshot: when a version began, in UTC.",
        ),
    )
    history_to: str = field(
        default="valid_to",
        metadata=told(
            "For `snapshot`: the dest column that tells when a version ended; NULL while it is the current one.",
            name="history.to",
            label="Column of the end",
            help="When it ended; NULL while it is the current one.",
        ),
    )
    history_current: str = field(
        default="current",
        metadata=told(
            "For `snapshot`: the dest column that tells whether a version is the current one.",
            name="history.current",
            label="Column of the current one",
            help="A boolean, or 1 and 0.",
        ),
    )
    columns: tuple[Column, ...] = field(
        default=(),
        metadata=told(
            "How source columns are named in the dest.", kind="list", of="column", default=None, label="Columns"
        ),
    )
    guards: Guards = field(
        default_factory=Guards, metadata=told("Switches of the checks of a run.", of="guards", default=None)
    )
    expect_not_null: str = field(
        default="",
        metadata=told(
            "Columns in which no staged row has a NULL.",
            name="expect.not_null",
            listed="names",
            longest=20_000,
            label="Expect no NULL in",
            help="Columns of the dest, with commas between them. Looked at in staging, before the merge.",
        ),
    )
    expect_unique: str = field(
        default="",
        metadata=told(
            "Keys that no two staged rows share; NULLs count for none.",
            name="expect.unique",
            listed="keys",
            longest=20_000,
            label="Expect each once",
            help="A key a line: a column, or several with commas between them.",
        ),
    )
    expect_accepted: str = field(
        default="",
        metadata=told(
            "Values that a column may have in staging, besides NULL.",
            name="expect.accepted",
            listed="values",
            longest=100_000,
            label="Expect only these values",
            help="A column a line: status: new, paid. NULL is accepted.",
        ),
    )
    expect_sql: str = field(
        default="",
        metadata=told(
            "Queries on the dest that must give no rows; {staging} stands for the staging table.",
            name="expect.sql",
            listed="texts",
            longest=LONGEST_SQL,
            label="Expect no rows from",
            help="A query on the dest; {staging} is the table of the rows that came. Several: a line --- between two.",
        ),
    )
    retries: int = field(
        default=2, metadata=told("How often a passing fault is tried again.", low=0, high=100, label="Retries")
    )
    undo_runs: int | None = field(
        default=None,
        metadata=told(
            "Of how many of the newest runs is kept what their merges changed, so that they can be taken back.",
            name="undo.runs",
            low=1,
            high=100,
            label="Runs that can be taken back",
            help="Of so many of the newest runs the dest keeps what their merges changed. Empty: of none.",
        ),
    )
    notes: str = field(
        default="",
        metadata=told(
            "What somebody who meets this module should know.",
            label="Notes",
            longest=20_000,
            help="What somebody who meets this module should know.",
        ),
    )
    fresh_within_s: int = field(
        default=0,
        metadata=told(
            "How old its rows may become, in seconds; a rule for what is late tells when they are older. 0: any age.",
            low=0,
            high=10**9,
            label="Fresh within",
            help="Seconds. Alerts tell when its last good run is longer ago. 0: it promises nothing.",
            unusual="its rows are promised to be fresh",
        ),
    )
    silence_timeout_s: float | None = field(
        default=None,
        metadata=told(
            "Longest time without progress, in seconds.",
            name="timeouts.silence_s",
            above=0,
            high=1e9,
            label="Longest silence, in seconds",
        ),
    )
    run_timeout_s: float | None = field(
        default=None,
        metadata=told(
            "Longest time of a whole run, in seconds.",
            name="timeouts.run_s",
            above=0,
            high=1e9,
            label="Longest run, in seconds",
        ),
    )
    query_timeout_s: int | None = field(
        default=None,
        metadata=told(
            "Longest time of a statement of the source, in seconds, told to the database. For sources over JDBC.",
            name="timeouts.query_s",
            low=1,
            high=10**6,
            label="Longest query, in seconds",
        ),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Module(ModuleFields):
    """A module as it is kept, with the lease of the run that is alive."""

    id: int
    source_id: int
    dest_id: int
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
        flags = [f.own for f in list_fields(ModuleFields) if f.kind == "flag"]
        return cls(
            **plain | {name: bool(row[name]) for name in (*flags, "running")},
            merge_key=parse_key(row["merge_key"]),
            columns=parse_columns(row["columns_json"]),
            guards=Guards.from_json(row["guards_json"]),
        )


def as_strategy(text: str) -> Strategy:
    """Narrows a checked string to a `Strategy`."""
    if text not in STRATEGIES:
        raise ValueError(text)
    return text
