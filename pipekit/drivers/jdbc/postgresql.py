# PostgreSQL behind its JDBC driver: gathers the text of its neighbours and of the native kind. Opens nothing.
"""`PostgresqlDriver`: rows travel over JDBC, while the catalogue is asked as the native kind asks it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from pipekit.drivers.base import MergePlan, TableColumn, TableFacts, TableName
from pipekit.drivers.jdbc.driver import JdbcDriver
from pipekit.drivers.jdbc.merge import MergeText
from pipekit.drivers.postgresql import catalogue, facts, turns
from pipekit.drivers.postgresql.driver import PostgresDriver
from pipekit.runner_contract import Query, QueryResult, Statement

_BOOLEANS = {"true": "t", "false": "f"}


@dataclass(frozen=True, slots=True)
class PostgresqlMerge(MergeText):
    """The statements of one merge."""

    def build_update(self, key: Sequence[str], scope: str = "", only: Sequence[str] = ()) -> Statement:
        """MERGE is too young, and not for every table."""
        first = self.quote(key[0])
        sets = ", ".join(f"{self.quote(c.dest.name)} = {self.value(c)}" for c in self.list_changed(key, only))
        match = self.match(key, "d", "s", self._nulls(key))
        tables = f"{self.dest} d\nSET {sets or f'{first} = d.{first}'}\nFROM {self.table(self.plan.staging)} s"
        return Statement(sql=f"UPDATE {tables}\nWHERE {match}{scope}", name="updated")


class PostgresqlDriver(JdbcDriver):
    """What stands around a dest, and whose turn it is, is the same however one connects."""

    schema_told: ClassVar[str] = PostgresDriver.schema_told
    schema_mend: ClassVar[str] = PostgresDriver.schema_mend

    def find_meant(self, query: Query, text: str) -> TableName:
        return self.parse_table(text)

    def find_table(self, query: Query, table: TableName) -> TableName | None:
        return catalogue.find_table(query, self.quote_literal(self.quote_table(table)))

    def find_session_schema(self, query: Query) -> str | None:
        return catalogue.find_session_schema(query)

    def get_columns(self, query: Query, table: TableName) -> list[TableColumn]:
        return catalogue.get_columns(_speak(query), self.quote_literal, table)

    def get_table_facts(self, query: Query, table: TableName) -> TableFacts:
        found = super().get_table_facts(query, table)
        if not found.exists or found.problem:
            return found
        return replace(facts.get_table_facts(_speak(query), self.quote_literal, table), can_truncate=False)

    def build_turn_sql(self, plan: MergePlan) -> tuple[Statement, ...]:
        return turns.build_turn(plan)

    def build_turn_row_sql(self, plan: MergePlan) -> str:
        return ""

    def build_merge_sql(self, plan: MergePlan) -> tuple[Statement, ...]:
        """What may be checked late is checked when all rows are there; what fires late fires before anybody looks."""
        late = (Statement(sql="SET CONSTRAINTS ALL DEFERRED"),) if plan.referring else ()
        due = (Statement(sql="SET CONSTRAINTS ALL IMMEDIATE"),) if plan.referring or plan.fires else ()
        return (*late, *super().build_merge_sql(plan), *due)

    def build_count_sql(self, plan: MergePlan) -> str:
        return f"SELECT COUNT(*) FROM {self._merge_text(plan).dest}"

    def _merge_text(self, plan: MergePlan) -> PostgresqlMerge:
        return PostgresqlMerge(self.product, plan, self.quote_identifier, self.quote_literal, self.quote_table)


def _speak(query: Query) -> Query:
    """Booleans as the server itself spells them."""

    def ask(sql: str) -> QueryResult:
        found = query(sql)
        return replace(found, rows=tuple(tuple(_BOOLEANS.get(c or "", c) for c in row) for row in found.rows))

    return ask
