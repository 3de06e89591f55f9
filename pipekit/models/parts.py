# Frozen records of what a module has besides itself: watermarks and hooks. Knows nothing of where they are kept.
"""`Watermark` and `Hook`; `told` says what a field is to a person."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, Self

from pipekit.fields import LONGEST_SQL, told

RunOn = Literal["success", "failure", "always"]
RUN_ON: tuple[RunOn, ...] = ("success", "failure", "always")

# What can stand in braces in a query.
WATERMARK_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,59}\Z")


@dataclass(frozen=True, kw_only=True, slots=True)
class WatermarkFields:
    """What a person says of a placeholder `{name}` of a module's query, besides its connection."""

    name: str = field(metadata=told("Letters, digits and _; the query uses it as {name}.", name=""))
    resolver_sql: str = field(
        metadata=told("Gives the value: the first cell of its first row.", name="sql", longest=LONGEST_SQL)
    )
    default_value: str | None = field(
        default=None, metadata=told("The value when the SQL gives no row or NULL.", name="default", longest=100_000)
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Watermark(WatermarkFields):
    """A watermark as it is kept."""

    id: int
    module_id: int
    connection_id: int

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        return cls(**{f.name: row[f.name] for f in fields(cls)})


@dataclass(frozen=True, kw_only=True, slots=True)
class HookFields:
    """What a person says of SQL that runs on the dest after the merge."""

    sql: str = field(metadata=told("The statement.", longest=LONGEST_SQL))
    run_on: RunOn = field(default="success", metadata=told("When it runs."))
    run_order: int = field(default=1, metadata=told("Lower runs first.", low=-1_000_000, high=1_000_000))


@dataclass(frozen=True, kw_only=True, slots=True)
class Hook(HookFields):
    """A hook as it is kept."""

    id: int
    module_id: int

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        return cls(**{f.name: row[f.name] for f in fields(cls)})
