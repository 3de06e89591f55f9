# The transactions of one connection to PostgreSQL, with pinned settings. Loaded in the runner child only.
"""`Transactions`, which a session is, and its sources and sinks stand on."""

import re
from collections.abc import Callable, Iterator, Sequence

from pipekit.drivers.postgresql.late import build_late_sql, tell_late
from pipekit.drivers.postgresql.link import Described, Link, Result
from pipekit.drivers.postgresql.settings import WATCHED_SETTING, Pins
from pipekit.drivers.wire import check_refusal
from pipekit.errors import ConnectFailed, StatementFailed
from pipekit.runner_contract import QueryResult, ResultColumn, Statement

# What cannot end a transaction, and is one statement: it may be sent before the one in front of it is answered.
_CANNOT_END = re.compile(
    r"\s*(?:ALTER|ANALYZE|COMMENT|CREATE|DELETE|DROP|INSERT|LOCK|MERGE|SELECT|SET|TRUNCATE|UPDATE|WITH)\b[^;]*\Z"
)


class Transactions:
    """A link whose transactions begin with the settings that values are read and written by."""

    def __init__(self, link: Link, pins: Pins) -> None:
        self.link = link
        self._pins = pins
        self._types: dict[tuple[int, int], str] = {}

    def begin(self, also: str = "") -> None:
        """Begins a transaction in which values are written as Pipekit reads them, and which sees what is committed.

        `also` is a statement of its own that stands first in it.
        """
        [found] = self._begin_with(lambda begin, pins: [self.link.run(";\n".join(filter(None, (begin, also, pins))))])
        self._check_pins(found)

    def look(self, queries: Sequence[str], meanwhile: Callable[[], None] = lambda: None) -> list[QueryResult]:
        """Runs queries that change nothing in one transaction, all of it asked and answered in one go.

        What they found is worth nothing where the settings did not hold, and is thrown away. Types are not told.
        """

        def ask(*begin: str) -> list[Result]:
            return self.link.run_all([*begin, *queries, "COMMIT"], meanwhile)

        try:
            _, pins, *found, _ = self._begin_with(ask)
        except BaseException:
            self.roll_back()
            raise
        self._check_pins(pins)
        return [_read_texts(result) for result in found]

    def _begin_with(self, run: Callable[[str, str], list[Result]]) -> list[Result]:
        """Runs what begins with these two statements, once more where the system lacks a setting that can be missed."""
        self.roll_back()
        try:
            return run(*self._pins.build_begin(self.link.backend_pid))
        except StatementFailed as error:
            if WATCHED_SETTING not in error.message:
                raise
            self._pins.forget_watching()
            self.roll_back()
            return run(*self._pins.build_begin(self.link.backend_pid))

    def _check_pins(self, found: Result) -> None:
        cells = [found.get_value(0, i) for i in range(found.nfields)]
        message, mend = self._pins.check([None if cell is None else cell.decode() for cell in cells])
        if message:
            self.roll_back()
            raise ConnectFailed(message, hint=mend)

    def end_reading(self, held: Sequence[str | None]) -> None:
        """Ends a transaction that read, after a last look at what it read; `held` is of `build_hold_sql`.

        Raises StatementFailed when rows may be missing. One that was stopped in the middle is rolled back.
        """
        if not self.link.in_transaction:
            self.roll_back()
            return
        if held and (late := self.link.fetch(build_late_sql(held))):
            raise StatementFailed(tell_late(late[0] or ""), transient=True)
        self.commit()

    def commit(self) -> None:
        """Commits; raises StatementFailed when the server rolled back instead."""
        result = self.link.run("COMMIT")
        if result.command_status != b"COMMIT":
            raise StatementFailed("The server rolled the transaction back instead of committing it.")

    def roll_back(self) -> None:
        """Rolls back what is open; a lost connection is rolled back by the server."""
        if self.link.is_lost or self.link.is_idle:
            return
        try:
            self.link.run("ROLLBACK")
        except StatementFailed:
            self.link.close()

    def run_statements(self, statements: Sequence[Statement], counts: dict[str, int]) -> None:
        """Runs statements inside the open transaction; counts of one name add up."""
        for batch in _split(statements):
            self._run_batch(batch, counts)

    def _run_batch(self, batch: Sequence[Statement], counts: dict[str, int]) -> None:
        if len(batch) == 1:
            self.run_statement(batch[0], counts)
        else:
            for statement, result in zip(batch, self.link.run_all([item.sql for item in batch]), strict=True):
                self._count(statement, result, counts)
        if not self.link.in_transaction:
            raise StatementFailed("A statement ended the transaction it is part of.", hint=batch[-1].sql[:200])

    def run_statement(self, statement: Statement, counts: dict[str, int]) -> None:
        """Runs one statement and notes its count. Raises CheckFailed at a refusal."""
        self._count(statement, self.link.run(statement.sql), counts)

    def _count(self, statement: Statement, result: Result, counts: dict[str, int]) -> None:
        if not statement.name:
            return
        count = result.command_tuples or 0
        if statement.value:
            cell = result.get_value(0, 0) if result.ntuples and result.nfields else None
            try:
                count = int(cell or b"")
            except ValueError:
                raise StatementFailed(f"'{statement.name}' is not a whole number.", hint=statement.sql[:200]) from None
        counts[statement.name] = counts.get(statement.name, 0) + count
        check_refusal(statement, count, self._ask)

    def _ask(self, sql: str) -> tuple[str | None, ...]:
        """The first row of a query inside the open transaction."""
        result = self.link.run(sql)
        cells = [result.get_value(0, i) for i in range(result.nfields)] if result.ntuples else []
        return tuple([None if cell is None else cell.decode() for cell in cells])

    def name_columns(self, described: Described) -> tuple[ResultColumn, ...]:
        """Columns with their types as `format_type` spells them; the server is asked once for each type."""
        unknown = sorted({(oid, modifier) for _, oid, modifier in described} - self._types.keys())
        if unknown:
            values = ", ".join(f"({oid}::pg_catalog.oid, {modifier})" for oid, modifier in unknown)
            result = self.link.run(f"SELECT pg_catalog.format_type(o, m) FROM (VALUES {values}) AS t (o, m)")
            self._types |= {key: (result.get_value(i, 0) or b"").decode() for i, key in enumerate(unknown)}
        return tuple(ResultColumn(name=name, type=self._types[oid, modifier]) for name, oid, modifier in described)


def _read_texts(result: Result) -> QueryResult:
    names = [(result.fname(i) or b"").decode() for i in range(result.nfields)]
    cells = [[result.get_value(row, i) for i in range(result.nfields)] for row in range(result.ntuples)]
    rows = [tuple([None if cell is None else cell.decode() for cell in row]) for row in cells]
    return QueryResult(columns=tuple(ResultColumn(name=name) for name in names), rows=tuple(rows))


def _split(statements: Sequence[Statement]) -> Iterator[list[Statement]]:
    """Statements that go together; after one that may be refused nothing is sent before its count is known."""
    batch: list[Statement] = []
    for statement in statements:
        goes_along = _CANNOT_END.match(statement.sql) is not None
        if batch and not goes_along:
            yield batch
            batch = []
        batch.append(statement)
        if statement.refusal or not goes_along:
            yield batch
            batch = []
    if batch:
        yield batch
