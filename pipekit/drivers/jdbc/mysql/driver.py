# The drivers of MySQL and MariaDB: gather the text of their neighbours behind the contract. Open nothing.
"""`MysqlDriver`."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from pipekit.drivers import typetext
from pipekit.drivers.base import (
    Address,
    Driver,
    MergePlan,
    StagedColumn,
    TableColumn,
    TableFacts,
    TableInfo,
    TableName,
)
from pipekit.drivers.jdbc.driver import JdbcDriver
from pipekit.drivers.jdbc.ledger import build_ledger_setup
from pipekit.drivers.jdbc.mysql import altering, catalogue, merge, types
from pipekit.drivers.jdbc.mysql.address import build_connect_url
from pipekit.drivers.jdbc.mysql.rowsize import fit_row
from pipekit.drivers.types import Type
from pipekit.drivers.vanishing import VanishingText
from pipekit.errors import Invalid
from pipekit.models.altering import Change
from pipekit.runner_contract import Query, ResultColumn, Statement


class MysqlDriver(JdbcDriver):
    """MySQL and MariaDB, by MariaDB's driver or by MySQL's own."""

    supports_comments: ClassVar[bool] = True
    type_pattern: ClassVar[re.Pattern[str]] = typetext.MYSQL
    schema_told: ClassVar[str] = "its address names no database"
    schema_mend: ClassVar[str] = "name the database in the address"

    # -- addresses and names -------------------------------------------------------------------------------------------

    def parse_url(self, jdbc_url: str) -> Address:
        address = super().parse_url(jdbc_url)
        self.build_connect_url(jdbc_url)
        return address

    def build_connect_url(self, jdbc_url: str) -> str:
        return build_connect_url(super().build_connect_url(jdbc_url))

    def quote_literal(self, text: str) -> str:
        """One with a backslash is spelled by its bytes: what a backslash means depends on the server's `sql_mode`."""
        if "\\" not in text:
            return super().quote_literal(text)
        if "\0" in text:
            raise Invalid("A text constant cannot hold a NUL character.")
        return f"CONVERT(X'{text.encode().hex().upper()}' USING utf8mb4)"

    def find_meant(self, query: Query, text: str) -> TableName:
        """The server compares names by its own setting, in the catalogue's queries too."""
        return self.parse_table(text)

    def find_table(self, query: Query, table: TableName) -> TableName | None:
        return catalogue.find_table(query, self.quote_literal, table)

    def find_session_schema(self, query: Query) -> str | None:
        return catalogue.find_session_schema(query)

    def find_alter_refusal(self, what: Change, was: TableColumn, to: str) -> str:
        plain = replace(was, type=altering.drop_characters(was.type))
        return super().find_alter_refusal(what, plain, altering.drop_characters(to))

    def build_retype_sql(self, query: Query, table: TableName, column: TableColumn) -> tuple[Statement, ...]:
        return altering.build_retype(query, self.quote_table(table), self.quote_identifier(column.name), column)

    # -- types ---------------------------------------------------------------------------------------------------------

    def to_neutral(self, type_text: str) -> Type:
        return types.to_neutral(type_text)

    def map_type(self, source_type: str, source: Driver) -> str:
        if isinstance(source, MysqlDriver) and source_type:
            return types.map_type(source_type, self.product.spellings)
        return self.from_neutral(source.to_neutral(source_type))

    def stage_column(self, source: ResultColumn, source_driver: Driver, dest: TableColumn) -> StagedColumn:
        """As the dest; a double for a single is compared, as the text that arrives, 0.1, is that of either."""
        if source_driver.to_neutral(source.type).name == "float64" and self.to_neutral(dest.type).name == "float32":
            return StagedColumn(source=source, dest=dest, stage_type="DOUBLE", lossy=True)
        return StagedColumn(source=source, dest=dest)

    # -- looking -------------------------------------------------------------------------------------------------------

    def list_schemas(self, query: Query) -> list[str]:
        return catalogue.list_schemas(query, self.staging_schema)

    def list_tables(self, query: Query, schema: str) -> list[TableInfo]:
        return catalogue.list_tables(query, self.quote_literal, schema)

    def get_columns(self, query: Query, table: TableName) -> list[TableColumn]:
        return catalogue.get_columns(query, self.quote_literal, table)

    def column_inventory(self, query: Query, schema: str) -> dict[str, list[TableColumn]]:
        return catalogue.column_inventory(query, self.quote_literal, schema)

    def get_table_facts(self, query: Query, table: TableName) -> TableFacts:
        return catalogue.get_table_facts(query, self.quote_literal, table)

    # -- tables and staging --------------------------------------------------------------------------------------------

    def build_create_table_sql(self, table: TableName, columns: Sequence[TableColumn]) -> tuple[str, ...]:
        create, *_ = super().build_create_table_sql(table, columns)
        return (f"{create} {merge.TABLE_OPTIONS}",)

    def fit_columns(self, columns: Sequence[TableColumn]) -> list[TableColumn]:
        return [replace(column, type=type_) for column, type_ in zip(columns, fit_row(columns), strict=True)]

    def _column_definition(self, column: TableColumn) -> str:
        comment = f" COMMENT {self.quote_literal(column.comment)}" if column.comment else ""
        null = merge.spell_null(column.nullable and not column.in_key)
        return f"{self.quote_identifier(column.name)} {column.type}{null}{comment}"

    def find_setup_sql(self, query: Query) -> tuple[str, ...]:
        table = self.ledger_table()
        if catalogue.get_columns(query, self.quote_literal, table):
            return ()
        schema = self.quote_identifier(table.schema or "")
        create = f"CREATE DATABASE IF NOT EXISTS {schema} DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
        name = self.quote_identifier("pipekit_ledger.module")
        ledger, index = build_ledger_setup(self.quote_table(table), name, self.quote_identifier, self.product)
        return (create, f"{ledger} {merge.TABLE_OPTIONS}", index)

    def build_staging_sql(
        self, staging: TableName, dest: TableName, columns: Sequence[StagedColumn]
    ) -> tuple[str, ...]:
        drop, table = self.build_drop_table_sql(staging), self.quote_table(staging)
        return merge.build_staging(drop, table, columns, self.quote_identifier)

    def build_analyze_sql(self, plan: MergePlan) -> tuple[str, ...]:
        """Without it the server may take a table that was just filled for an empty one."""
        return (f"ANALYZE TABLE {self.quote_table(plan.staging)}",)

    def build_vanishing(self, plan: MergePlan) -> VanishingText:
        text = super().build_vanishing(plan)
        return replace(text, update=lambda sets, where: f"UPDATE {text.dest}\nSET {sets}\nWHERE {where}")

    def _write_moment(self, literal: str, type_text: str) -> str:
        return literal

    def _merge_text(self, plan: MergePlan) -> merge.MysqlMerge:
        return merge.MysqlMerge(self.product, plan, self.quote_identifier, self.quote_literal, self.quote_table)
