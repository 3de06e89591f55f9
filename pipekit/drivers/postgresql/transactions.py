# The transactions of one connection to PostgreSQL, with pinned settings. Loaded in the runner child only.
"""`Transactions`, which a session is, and its sources and sinks stand on."""

from collections.abc import Callable, Sequence

from pipekit.drivers.postgresql.late import build_late_sql, tell_late
from pipekit.drivers.postgresql.link import Described, Link, Result
from pipekit.drivers.postgresql.settings import WATCHED_SETTING, Pins
from pipekit.errors import ConnectFailed, StatementFailed
from pipekit.runner_contract import QueryResult, ResultColumn


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

    def look(self, queries: Sequence[str]) -> list[QueryResult]:
        """Runs queries that change nothing in one transaction, all of it asked and answered in one go.

        What they found is worth nothing where the settings did not hold, and is thrown away. Types are not told.
        """
        try:
            _, pins, *found, _ = self._begin_with(lambda *begin: self.link.run_all([*begin, *queries, "COMMIT"]))
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
