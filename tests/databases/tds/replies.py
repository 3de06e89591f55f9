# What a test can have the double answer. Plain records that travel to the double's process; knows no bytes.
"""Replies to statements, and the rules that choose them."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.databases.tds.columns import ColumnSpec

Row = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Rows:
    """A result set: columns as (name, type) pairs and its rows."""

    columns: Sequence[ColumnSpec]
    rows: Sequence[Row] = ()


@dataclass(frozen=True, slots=True)
class MadeRows:
    """A result set whose rows a function makes when they are sent; a function of a module, not of a test."""

    columns: Sequence[ColumnSpec]
    make: Callable[[], Iterable[Row]]


@dataclass(frozen=True, slots=True)
class RepeatedRows:
    """A result set of the same rows again and again, encoded once: for measuring."""

    columns: Sequence[ColumnSpec]
    rows: Sequence[Row]
    times: int


@dataclass(frozen=True, slots=True)
class Count:
    """Rows affected."""

    rows: int


@dataclass(frozen=True, slots=True)
class Error:
    """An error; the rest of the batch is not run. `ends_transaction` is what XACT_ABORT does."""

    number: int
    message: str
    severity: int = 16
    state: int = 1
    line: int = 1
    procedure: str = ""
    ends_transaction: bool = False


@dataclass(frozen=True, slots=True)
class Info:
    """A message that is no error, as PRINT sends it."""

    message: str
    number: int = 0


@dataclass(frozen=True, slots=True)
class Pause:
    """Waits before what comes next."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Close:
    """Closes the connection at once."""


@dataclass(frozen=True, slots=True)
class Hang:
    """Answers nothing until the client sends attention or goes away.

    A bulk load is no longer read either, attention included, unless it `reads` on.
    """

    reads: bool = False


Reply = Rows | MadeRows | RepeatedRows | Count | Error | Info | Pause | Close | Hang


@dataclass(slots=True)
class Rule:
    """Replies to statements (or whole batches) that a pattern is found in. `times` is how often, None for always."""

    pattern: str
    replies: tuple[Reply, ...]
    whole: bool = False
    times: int | None = None
    used: int = field(default=0)

    def matches(self, text: str) -> bool:
        """Whether the rule is for this text and not used up."""
        if self.times is not None and self.used >= self.times:
            return False
        return re.search(self.pattern, text, re.IGNORECASE | re.DOTALL) is not None


@dataclass(frozen=True, slots=True)
class LoadFault:
    """What befalls the next bulk load into a table once `after_rows` rows of it have arrived.

    An error is answered when the client has sent everything, or with `early` at once while the rest is read. A count
    is what a load that goes well is answered with.
    """

    table: str
    after_rows: int
    reply: Error | Close | Hang | Count
    early: bool = False
