# What a database can send and accept, as the runner child sees it. Loaded in the child only.
"""Sessions, sources and sinks: the contract of `drivers/*/wire.py`.

Every kind's wire module has `connect(endpoint) -> Session`. Two sessions meet in `runner/child.py`: the source names
the formats it can send for a query, the sink those it can take for a table, fastest first, and the first common one is
used.

Formats: `copy-binary` and `copy-text` are PostgreSQL's COPY streams as blocks of bytes; `arrow` is pyarrow record
batches, whose columns are in the order of the query's and typed natively where Arrow holds every value exactly, as
strings where it does not; `rows` is lists of tuples of plain Python values (None, bool, int, float, str, bytes,
Decimal, and text for everything else).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from pipekit.errors import CheckFailed
from pipekit.runner_contract import Endpoint, Expect, Load, QueryResult, ResultColumn, Statement

Format = Literal["copy-binary", "copy-text", "arrow", "rows"]
Count = Callable[[int], None]
Ask = Callable[[str], Sequence[str | None]]


@dataclass(slots=True)
class Stream:
    """A query's rows on their way.

    `blocks` yields bytes (copy formats), record batches (arrow) or lists of tuples (rows), each with how many rows it
    holds. `total` is filled in when the blocks are at their end: the rows the source itself says it delivered. `finite`
    are the places of columns whose type has no infinite values in the source, though it may have in the dest.
    `bad_values` is filled in with `total`: see `Loaded`.
    """

    format: Format
    columns: tuple[ResultColumn, ...]
    blocks: Iterator[tuple[Any, int]]
    total: int | None = None
    finite: tuple[int, ...] = ()
    bad_values: dict[str, str] = field(default_factory=dict)


class Source(Protocol):
    """An opened query: its columns are known, its rows are not fetched."""

    columns: tuple[ResultColumn, ...]

    def formats(self) -> Sequence[Format]:
        """What this query can be sent as, fastest first."""
        ...

    def type_signature(self) -> tuple[object, ...] | None:
        """Equal signatures of a source and a sink mean `copy-binary` is safe; None when it never is."""
        ...

    def open(self, format: Format) -> Stream:
        """Starts the query."""
        ...

    def close(self) -> None:
        """Lets go of what describing holds, for a query that is not read to its end; safe to call twice."""
        ...


class Sink(Protocol):
    """A staging table ready to be filled."""

    def formats(self) -> Sequence[Format]:
        """What the table can be loaded from, fastest first."""
        ...

    def type_signature(self) -> tuple[object, ...] | None:
        """See `Source.type_signature`."""
        ...

    def load(self, stream: Stream, on_rows: Count) -> int:
        """Takes the whole stream and commits; calls `on_rows` with the rows so far; returns the rows it holds.

        A value it cannot hold exactly raises Inexact (or StatementFailed) naming column and row; nothing is committed.
        """
        ...


class Session(Protocol):
    """One connection to one database. Closed by the runner; a lost one raises errors marked transient."""

    def query(self, sql: str, limit: int | None = None) -> QueryResult:
        """Runs a query and returns its rows as text."""
        ...

    def look(self, queries: Sequence[str], meanwhile: Callable[[], None] = ...) -> list[QueryResult]:
        """Runs Pipekit's own queries, which read little and change nothing; types of columns may be missing.

        `meanwhile` is done while the database is at it; it raises nothing.
        """
        ...

    def stream(self, sql: str) -> Iterator[QueryResult]:
        """Runs a query and yields blocks of rows as text; at least one block, so that the columns are known."""
        ...

    def execute(self, statements: Sequence[Statement], expect: Sequence[Expect], autocommit: bool) -> dict[str, int]:
        """See `Runner.execute`."""
        ...

    def source(self, sql: str) -> Source:
        """Describes a query for moving."""
        ...

    def sink(self, load: Load) -> Sink:
        """Prepares a staging table for loading."""
        ...

    def close(self) -> None:
        """Closes the connection; safe to call twice."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What the people of a system know a session by: a job's name there, and how it is connected."""

    name: str
    about: str = ""


@runtime_checkable
class KnownSession(Session, Protocol):
    """A session that can be told from others on its system."""

    known: Known


@runtime_checkable
class AdaptableSession(Session, Protocol):
    """A session that serves endpoints which differ only in how rows are read (`Endpoint.build_plain`)."""

    def read_as(self, endpoint: Endpoint) -> None:
        """What is read from now on is read as the endpoint says."""
        ...


@runtime_checkable
class StoppableSession(Session, Protocol):
    """A session that can tell its database to end what it does."""

    def stop(self) -> None:
        """Asks for the end of the statement that runs, from another thread; does nothing where none does."""
        ...


class LooksOneByOne:
    """A session that is asked one query after the other."""

    def query(self, sql: str, limit: int | None = None) -> QueryResult:
        """See `Session.query`."""
        raise NotImplementedError

    def look(self, queries: Sequence[str], meanwhile: Callable[[], None] = lambda: None) -> list[QueryResult]:
        """See `Session.look`."""
        meanwhile()
        return [self.query(sql) for sql in queries]


@runtime_checkable
class LastingSink(Sink, Protocol):
    """A sink that can load behind other statements, in a transaction it leaves open; `counts` are theirs."""

    counts: dict[str, int]


class LastingSession(Session, Protocol):
    """A session whose sinks are such."""

    def go_on(self, statements: Sequence[Statement], expect: Sequence[Expect]) -> dict[str, int]:
        """See `Runner.go_on`."""
        ...


def check_expectations(expect: Sequence[Expect], counts: dict[str, int]) -> None:
    """Raises CheckFailed for the first expectation that does not hold."""
    for item in expect:
        got = sum(counts.get(name, 0) for name in item.names) - sum(counts.get(name, 0) for name in item.minus)
        if got != item.equals:
            message = item.message.replace("{got}", str(got)).replace("{equals}", str(item.equals))
            raise CheckFailed(message, hint=item.hint)


def check_refusal(statement: Statement, count: int, ask: Ask) -> None:
    """Raises CheckFailed when a statement that must come to 0 does not; `ask` gives the first row of its details.

    `ask` stays in the open transaction: what is to be told is gone after it.
    """
    if not statement.refusal or not count:
        return
    cells = ask(statement.details) if statement.details else ()
    told = "; ".join(cell for cell in cells if cell)
    raise CheckFailed(statement.refusal.replace("{got}", str(count)).replace("{told}", told), hint=statement.hint)
