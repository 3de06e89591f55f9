# The transactions of one connection to PostgreSQL, with pinned settings. Loaded in the runner child only.
"""`Transactions`, which a session is, and its sources and sinks stand on."""

from collections.abc import Sequence

from pipekit.drivers.postgresql.late import build_late_sql, tell_late
from pipekit.drivers.postgresql.link import Described, Link
from pipekit.drivers.postgresql.settings import WATCHED_SETTING, Pins
from pipekit.errors import ConnectFailed, StatementFailed
from pipekit.runner_contract import ResultColumn


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
        self.roll_back()
        try:
            found = self.link.fetch(self._pins.build_begin(self.link.backend_pid, also))
        except StatementFailed as error:
            if WATCHED_SETTING not in error.message:
                raise
            self._pins.forget_watching()
            self.roll_back()
            found = self.link.fetch(self._pins.build_begin(self.link.backend_pid, also))
        message, mend = self._pins.check(found)
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
