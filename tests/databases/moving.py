# Moving a query's rows from one PostgreSQL session to another, as the engine and the runner do it together.
"""`Mover`: staging, load, checks and merge between two sessions, without an engine."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from typing import Any

from pipekit.drivers.base import MergePlan, StagedColumn, TableName
from pipekit.drivers.postgresql.driver import DRIVER
from pipekit.drivers.postgresql.session import PostgresSession
from pipekit.drivers.wire import Format, Stream
from pipekit.models import Strategy
from pipekit.runner_contract import Load, LoadColumn, ResultColumn, Statement

OpenSession = Callable[..., PostgresSession]

STAGING = DRIVER.staging_table("moved")


def run(session: PostgresSession, *statements: str) -> None:
    """Runs statements in one transaction."""
    session.execute([Statement(sql=sql) for sql in statements], (), False)


class Mover:
    """Two sessions and a dest table."""

    def __init__(self, source: PostgresSession, dest: PostgresSession, table: str) -> None:
        self.source = source
        self.dest = dest
        self.table: TableName = DRIVER.parse_table(table)
        run(dest, *DRIVER.find_setup_sql(dest.query))

    def stage(self, columns: Sequence[ResultColumn]) -> tuple[StagedColumn, ...]:
        """Makes the staging table for source columns that meet the dest's by name."""
        dest = {column.name: column for column in DRIVER.get_columns(self.dest.query, self.table)}
        staged = tuple(DRIVER.stage_column(column, DRIVER, dest[column.name]) for column in columns)
        run(self.dest, *DRIVER.build_staging_sql(STAGING, self.table, staged))
        return staged

    def build_load(self, staged: Sequence[StagedColumn], exact: bool = True) -> Load:
        """How the staged columns are loaded."""
        columns = tuple(
            LoadColumn(
                source_name=column.source.name,
                source_type=column.source.type,
                stage_name=column.dest.name,
                stage_type=column.stage_type or column.dest.type,
            )
            for column in staged
        )
        return Load(table=DRIVER.quote_table(STAGING), columns=columns, exact=exact)

    def load(self, stream: Stream, staged: Sequence[StagedColumn], exact: bool = True) -> int:
        """Fills the staging table."""
        try:
            return self.dest.sink(self.build_load(staged, exact)).load(stream, lambda rows: None)
        finally:
            # Left to the collector it would end the next COPY of the same connection, whenever that happens.
            if isinstance(stream.blocks, Generator):
                stream.blocks.close()

    def move(self, sql: str, format: Format = "copy-text") -> tuple[StagedColumn, ...]:
        """Stages a query's rows in a format; the source's count and the sink's must agree."""
        source = self.source.source(sql)
        staged = self.stage(source.columns)
        stream = source.open(format)
        assert self.load(stream, staged) == stream.total
        return staged

    def build_plan(
        self, staged: tuple[StagedColumn, ...], strategy: Strategy, key: tuple[str, ...] = (), null_keys: bool = False
    ) -> MergePlan:
        """The merge of what is staged."""
        plan = MergePlan(strategy=strategy, staging=STAGING, dest=self.table, columns=staged)
        facts = DRIVER.get_table_facts(self.dest.query, self.table)
        return replace(plan, key=key, null_keys=null_keys, can_truncate=facts.can_truncate)

    def merge(self, plan: MergePlan) -> dict[str, int]:
        """Runs the merge and returns its counts."""
        return self.dest.execute(DRIVER.build_merge_sql(plan), (), False)

    def find_inexact(self, plan: MergePlan) -> list[tuple[str, str | None, str | None]]:
        """(column, row, value) of what the exactness statements find."""
        found = []
        for column, sql in DRIVER.build_exactness_sql(plan):
            found += [(column, row[0], row[1]) for row in self.dest.query(sql).rows]
        return found


def build_rows_stream(rows: list[tuple[Any, ...]], names: Sequence[str], block: int) -> Stream:
    """Rows as another kind of database sends them."""
    columns = tuple(ResultColumn(name=name) for name in names)
    blocks = ((rows[i : i + block], len(rows[i : i + block])) for i in range(0, len(rows), block))
    return Stream(format="rows", columns=columns, blocks=iter(blocks))


def load_rows(mover: Mover, rows: list[tuple[Any, ...]], *, exact: bool = True, block: int = 1000) -> int:
    """Loads rows into staging made like `arrived`, all columns of it."""
    columns = DRIVER.get_columns(mover.dest.query, mover.table)
    staged = mover.stage([ResultColumn(name=column.name, type=column.type) for column in columns])
    return mover.load(build_rows_stream(rows, [column.name for column in columns], block), staged, exact)
