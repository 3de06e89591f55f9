# A session with SQL Server: queries as text, transactions, sources and sinks. Loaded in the runner child only.
"""`SqlServerSession`, the `Session` of this kind."""

from collections.abc import Sequence

from pipekit.drivers.sqlserver.load import SqlServerSink
from pipekit.drivers.sqlserver.querying import BEGIN, Querying
from pipekit.drivers.sqlserver.reading import SqlServerSource
from pipekit.drivers.wire import check_expectations, check_refusal
from pipekit.errors import StatementFailed
from pipekit.runner_contract import Expect, Load, Statement

_COMMIT = "COMMIT TRANSACTION"


class SqlServerSession(Querying):
    """One connection; see `drivers.wire.Session`.

    SQL Server has no sessions that cannot write: a read-only one reads within a transaction that is rolled back.
    """

    def execute(self, statements: Sequence[Statement], expect: Sequence[Expect], autocommit: bool) -> dict[str, int]:
        """One transaction, or each statement on its own; counts of one name add up."""
        counts: dict[str, int] = {}
        if autocommit:
            for statement in statements:
                self._execute_one(statement, counts)
            return counts
        if self.reads_only:
            raise StatementFailed("This session only reads.")
        self.link.run(BEGIN)
        try:
            for statement in statements:
                self._execute_one(statement, counts)
            if self.link.run("SELECT @@TRANCOUNT")[1] != 1:
                raise StatementFailed("A statement ended the transaction it is part of.")
            check_expectations(expect, counts)
            self.link.run(_COMMIT)
        except BaseException:
            self.roll_back()
            raise
        return counts

    def source(self, sql: str) -> SqlServerSource:
        """Describes a query for moving, without running it."""
        return SqlServerSource(self, sql)

    def sink(self, load: Load) -> SqlServerSink:
        """Prepares a staging table for loading."""
        return SqlServerSink(self.link, load)

    def _execute_one(self, statement: Statement, counts: dict[str, int]) -> None:
        count, cell = self.link.run(statement.sql)
        if not statement.name:
            return
        if statement.value:
            try:
                count = int(cell)
            except (TypeError, ValueError):
                raise StatementFailed(f"'{statement.name}' is not a whole number.", hint=statement.sql[:200]) from None
        counts[statement.name] = counts.get(statement.name, 0) + count
        check_refusal(statement, count, lambda sql: next(iter(self.query(sql).rows), ()))
