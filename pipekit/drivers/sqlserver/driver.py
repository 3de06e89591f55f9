# The SQL Server driver: gathers the text of its neighbours behind the contract. Pure text; knows no connection.
"""`SqlServerDriver`."""

from collections.abc import Sequence

from pipekit.drivers import typetext
from pipekit.drivers.altering import Standing
from pipekit.drivers.bags import Bags
from pipekit.drivers.base import (
    Address,
    Driver,
    LedgerEntry,
    MergePlan,
    StagedColumn,
    TableColumn,
    TableFacts,
    TableInfo,
    TableName,
)
from pipekit.drivers.facts import Look, Reference
from pipekit.drivers.foreseen import Foreseen
from pipekit.drivers.sqlserver import (
    address,
    altering,
    catalogue,
    facts,
    faults,
    foreseen,
    held,
    keeping,
    ledger,
    merge,
    names,
    types,
)
from pipekit.drivers.sqlserver.query import build_derived
from pipekit.drivers.sqltext import strip_query
from pipekit.drivers.types import Type
from pipekit.drivers.vanishing import VanishingText
from pipekit.drivers.versions import VersionsText
from pipekit.errors import Invalid
from pipekit.models.altering import Change
from pipekit.runner_contract import Query, ResultColumn, Statement


class SqlServerDriver(Driver):
    """SQL Server 2016 SP1 and later, and Azure SQL."""

    kind = "sqlserver"
    can_version = True
    label = "SQL Server"
    url_example = address.URL_EXAMPLE
    version_sql = "SELECT CAST(SERVERPROPERTY('ProductVersion') AS nvarchar(128))"
    max_identifier_bytes = names.LONGEST_NAME
    supports_comments = True
    keeps_rows = True
    compares_rows = True
    keeps_lengths = True
    has_bare_bytes = True
    number_dates = types.NUMBER_DATES
    extra = "mssql"
    dirty_read = " WITH (NOLOCK)"
    type_pattern = typetext.SQLSERVER
    type_examples = (
        "bit", "tinyint", "smallint", "int", "bigint", "decimal(12,2)", "decimal(38,10)", "money", "smallmoney", "real",
        "float", "date", "time(7)", "datetime", "datetime2(3)", "datetime2(7)", "smalldatetime", "datetimeoffset(7)",
        "char(3)", "varchar(40)", "varchar(max)", "nchar(3)", "nvarchar(40)", "nvarchar(max)", "text", "ntext",
        "binary(16)", "varbinary(100)", "varbinary(max)", "image", "uniqueidentifier", "xml", "rowversion",
        "sql_variant", "hierarchyid", "geography",
    )  # fmt: skip

    # -- addresses and names -------------------------------------------------------------------------------------------

    def parse_url(self, jdbc_url: str) -> Address:
        return address.parse_url(jdbc_url)

    def quote_identifier(self, name: str) -> str:
        return names.quote_identifier(name)

    def read_table(self, text: str) -> tuple[tuple[str, bool], ...]:
        return names.read_table(text)

    def find_table(self, query: Query, table: TableName) -> TableName | None:
        return catalogue.find_table(query, table)

    def find_session_schema(self, query: Query) -> str | None:
        return catalogue.find_session_schema(query)

    # -- types ---------------------------------------------------------------------------------------------------------

    def to_neutral(self, type_text: str) -> Type:
        return types.to_neutral(type_text)

    def from_neutral(self, neutral: Type) -> str:
        return types.from_neutral(neutral)

    def map_type(self, source_type: str, source: Driver) -> str:
        """A rowversion cannot be fed and is kept in binary(8); lengths of another kind count characters, not units."""
        if source.kind != self.kind or not source_type:
            return self.from_neutral(types.widen_foreign(source.to_neutral(source_type)))
        return "binary(8)" if types.parse_type(source_type).base == "rowversion" else source_type

    def default_expression(self, column: TableColumn) -> str:
        """The path of a hierarchyid says all of it; the other objects have no text that does."""
        name = self.quote_identifier(column.name)
        return f"{name}.ToString()" if types.parse_type(column.type).base == "hierarchyid" else name

    def stage_column(self, source: ResultColumn, source_driver: Driver, dest: TableColumn) -> StagedColumn:
        """A type that the load can fill exactly, see `types`."""
        own = source_driver.kind == self.kind
        refused = types.find_dest_refusal(dest.type) or (types.find_refusal(source.type) if own else "")
        if refused:
            return StagedColumn(source=source, dest=dest, refused=refused)
        column = types.parse_type(dest.type)
        staged = types.choose_staged(types.parse_type(source.type) if own else None, column)
        neutral = source_driver.to_neutral(source.type)
        if source_driver.keeps_lengths and neutral.name in ("text", "char"):
            staged = types.limit_staged(staged, column, (neutral if own else types.widen_foreign(neutral)).length)
        return StagedColumn(source=source, dest=dest, stage_type=staged.type or None, lossy=staged.lossy)

    # -- looking -------------------------------------------------------------------------------------------------------

    def list_schemas(self, query: Query) -> list[str]:
        return catalogue.list_schemas(query, self.staging_schema)

    def list_tables(self, query: Query, schema: str) -> list[TableInfo]:
        return catalogue.list_tables(query, schema)

    def get_columns(self, query: Query, table: TableName) -> list[TableColumn]:
        return catalogue.get_columns(query, table)

    def column_inventory(self, query: Query, schema: str) -> dict[str, list[TableColumn]]:
        return catalogue.column_inventory(query, schema)

    def get_table_facts(self, query: Query, table: TableName) -> TableFacts:
        return facts.get_table_facts(query, table)

    def introspect_query_columns(self, query: Query, sql: str) -> list[ResultColumn]:
        return catalogue.describe_query(query, sql)

    def build_preview_sql(self, sql: str, limit: int) -> str:
        """The query itself: the runner stops reading at the limit.

        As a derived table, a query whose columns have no names, or one name twice, would be refused.
        """
        return strip_query(sql)

    def build_select_sql(self, sql: str, expressions: Sequence[str]) -> str:
        return build_derived(sql, ", ".join(expressions))

    def build_sum(self, value: str) -> str:
        """The sum of an int is an int, and overflows."""
        return f"SUM(CAST({value} AS decimal(38, 10)))"

    # -- tables and staging --------------------------------------------------------------------------------------------

    def find_key_refusal(self, columns: Sequence[TableColumn]) -> str:
        return types.find_key_refusal([column.type for column in columns])

    def _column_definition(self, column: TableColumn) -> str:
        null = "NULL" if column.nullable else "NOT NULL"
        return f"{self.quote_identifier(column.name)} {column.type} {null}"

    def _key_definition(self, columns: Sequence[TableColumn]) -> list[str]:
        for column in columns:
            if column.in_key and not types.is_indexable(column.type):
                message = (
                    f"The primary key cannot hold '{column.name}': {column.type} has no limit or cannot be compared."
                )
                raise Invalid(
                    message, field="dest_type", hint="A key has at most 900 bytes: nvarchar(450), for example."
                )
        return super()._key_definition(columns)

    def build_add_column_sql(self, table: TableName, column: TableColumn) -> tuple[str, ...]:
        add = f"ALTER TABLE {self.quote_table(table)} ADD {self._column_definition(column)}"
        comment = self.build_comment_sql(table, column.name, column.comment) if column.comment else ""
        return (add, comment) if comment else (add,)

    def build_comment_sql(self, table: TableName, column: str, comment: str) -> str:
        return catalogue.build_comment_sql(table, column, comment)

    def find_setup_sql(self, query: Query) -> tuple[str, ...]:
        return ledger.find_setup_sql(query, self.ledger_table())

    def build_staging_sql(
        self, staging: TableName, dest: TableName, columns: Sequence[StagedColumn]
    ) -> tuple[str, ...]:
        return merge.build_staging_sql(staging, columns)

    # -- checks and merge ----------------------------------------------------------------------------------------------

    def build_null_key_sql(self, plan: MergePlan) -> str:
        return merge.build_null_key_sql(plan)

    def build_repeated_key_sql(self, plan: MergePlan) -> str:
        return merge.build_repeated_key_sql(plan)

    def build_exactness_sql(self, plan: MergePlan) -> tuple[tuple[str, str], ...]:
        return merge.build_exactness_sql(plan)

    def is_of_a_value(self, sqlstate: str) -> bool:
        return sqlstate in faults.VALUE_NUMBERS

    def build_merge_sql(self, plan: MergePlan) -> tuple[Statement, ...]:
        return self.build_versions_sql(plan) if plan.history else merge.build_merge_sql(plan)

    def build_foreseen(self, plan: MergePlan) -> Foreseen:
        return foreseen.build_foreseen(plan)

    def build_count_sql(self, plan: MergePlan) -> str:
        return f"SELECT COUNT_BIG(*) FROM {self.quote_table(plan.dest)}"

    def build_hold_sql(self, plan: MergePlan) -> str:
        return keeping.build_hold_sql(plan)

    def build_children_sql(self, plan: MergePlan, reference: Reference) -> str:
        return keeping.build_children_sql(plan, reference)

    def build_moved_sql(self, plan: MergePlan, reference: Reference) -> str:
        return keeping.build_moved_sql(plan, reference)

    # -- columns that change -------------------------------------------------------------------------------------------

    def find_alter_refusal(self, what: Change, was: TableColumn, to: str) -> str:
        return ""

    def find_standing(self, query: Query, table: TableName, column: str) -> tuple[Standing, ...]:
        return altering.find_standing(query, table, column)

    def build_rename_sql(self, query: Query, table: TableName, column: str, name: str) -> tuple[Statement, ...]:
        return altering.build_rename(table, column, name)

    def build_retype_sql(self, query: Query, table: TableName, column: TableColumn) -> tuple[Statement, ...]:
        was = next(item.type for item in self.get_columns(query, table) if item.name == column.name)
        return altering.build_retype(table, column, was)

    def build_drop_column_sql(self, query: Query, table: TableName, column: str) -> tuple[Statement, ...]:
        return altering.build_drop(table, column)

    def build_alter_lock(self, table: TableName) -> tuple[Statement, ...]:
        return altering.build_lock(table)

    def build_fitting_looks(
        self, table: TableName, was: TableColumn, to: str, key: tuple[str, ...]
    ) -> tuple[Statement, ...]:
        return altering.build_fitting_looks(table, was, to, key)

    # -- versions and rows that are gone -------------------------------------------------------------------------------

    def build_versions(self, plan: MergePlan) -> VersionsText:
        return keeping.build_versions(plan)

    def _write_flag(self, flag: bool) -> str:
        return str(int(flag))

    def build_vanishing(self, plan: MergePlan) -> VanishingText:
        return keeping.build_vanishing(plan)

    def _write_moment(self, literal: str, type_text: str) -> str:
        """With a T between, a time reads alike in every language of a session."""
        return f"CAST({literal.replace(' ', 'T', 1)} AS {type_text})"

    def build_look(self, plan: MergePlan) -> Look:
        return held.build_look(plan)

    def build_remainder(self, value: str, divisor: int) -> str:
        return f"{value} % {divisor}"

    def read_compared(self, text: str | None, type_text: str) -> str | None:
        return text and text.removesuffix(held.MARK)

    def build_bags(self, plan: MergePlan) -> Bags:
        return held.build_bags(plan)

    def build_present_sql(self, plan: MergePlan) -> str:
        return held.build_present_sql(plan)

    # -- ledger and sessions -------------------------------------------------------------------------------------------

    def build_ledger_sql(self, entry: LedgerEntry) -> tuple[Statement, ...]:
        return ledger.build_ledger_sql(self.ledger_table(), entry)

    def build_fence_sql(self, entry: LedgerEntry) -> str:
        return ledger.build_fence_sql(self.ledger_table(), entry)

    def build_outcome_sql(self, run_key: str) -> str:
        return ledger.build_outcome_sql(self.ledger_table(), run_key)

    def build_end_sessions_sql(self, application_name: str) -> str:
        return ledger.build_end_sessions_sql(application_name)


DRIVER = SqlServerDriver()
