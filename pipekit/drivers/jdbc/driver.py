# Databases that are reached over JDBC: gathers the text of its neighbours behind the contract. Opens nothing.
"""`JdbcDriver`."""

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import ClassVar

from pipekit.drivers import typetext
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
from pipekit.drivers.jdbc import altering, around, catalogue, ledger, names, types
from pipekit.drivers.jdbc.conditions import build_if_there
from pipekit.drivers.jdbc.foreseen import ForeseenText
from pipekit.drivers.jdbc.keeping import KeepingText
from pipekit.drivers.jdbc.merge import MergeText, build_staging
from pipekit.drivers.jdbc.phrases import END, END_BYTE
from pipekit.drivers.jdbc.places import find_file, find_word
from pipekit.drivers.jdbc.products import STANDARD, Product
from pipekit.drivers.jdbc.types import parse_type
from pipekit.drivers.jdbc.urls import check_template, parse_url
from pipekit.drivers.sqltext import strip_query
from pipekit.drivers.types import TEXT, Type
from pipekit.drivers.unused import Kept, drop_unused
from pipekit.drivers.vanishing import VanishingText
from pipekit.models.altering import Change
from pipekit.runner_contract import Query, ResultColumn, Statement


class JdbcDriver(Driver):
    """A database with a JDBC driver. What sets it apart from others stands in its `product`."""

    kind: ClassVar[str] = "jdbc"
    label: ClassVar[str] = STANDARD.label
    url_example: ClassVar[str] = STANDARD.url_example
    version_sql: ClassVar[str] = ""
    max_identifier_bytes: ClassVar[int] = STANDARD.max_name_bytes
    extra: ClassVar[str] = "jdbc"
    needs_jar: ClassVar[bool] = True
    may_be_embedded: ClassVar[bool] = True
    commits_ddl: ClassVar[bool] = True
    keeps_rows: ClassVar[bool] = True
    product: ClassVar[Product] = STANDARD
    type_pattern: ClassVar[re.Pattern[str]] = typetext.JDBC
    type_examples: ClassVar[tuple[str, ...]] = (
        "BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "REAL", "DOUBLE", "DECIMAL(10,2)", "DECIMAL", "DECFLOAT",
        "CHAR(3)", "VARCHAR(40)", "VARCHAR", "CLOB", "BINARY(16)", "VARBINARY(40)", "BLOB", "DATE", "TIME",
        "TIME(3) WITH TIME ZONE", "TIMESTAMP(6)", "TIMESTAMP(9)", "TIMESTAMP(6) WITH TIME ZONE", "UUID", "XML",
        "GEOMETRY",
    )  # fmt: skip

    # -- addresses and names -------------------------------------------------------------------------------------------

    def parse_url(self, jdbc_url: str) -> Address:
        return parse_url(self.product, self._drop_unused(jdbc_url).jdbc_url)

    def find_file(self, jdbc_url: str, servers: Collection[str] = ()) -> str | None:
        return find_file(self.product, self.build_connect_url(jdbc_url), servers) if self.may_be_embedded else None

    def find_word(self, jdbc_url: str) -> str:
        return "" if self.product.schemes else find_word(jdbc_url)

    def build_connect_url(self, jdbc_url: str) -> str:
        return self._drop_unused(jdbc_url).jdbc_url

    def list_unused(self, jdbc_url: str) -> tuple[str, ...]:
        return self._drop_unused(jdbc_url).names

    def _drop_unused(self, jdbc_url: str) -> Kept:
        """What the product's own driver may be told is passed on; of a product that is not known that is all."""
        if self.product.parameters is None:
            return Kept(jdbc_url=jdbc_url)
        return drop_unused(jdbc_url, self.product.parameters)

    def stays_open(self, address: Address) -> bool:
        """An embedded Derby keeps its files to itself until its process ends; so may what we do not know."""
        return not (address.host and self.product.schemes)

    def check_template(self, jdbc_url: str, url_template: str) -> None:
        """A known product that was registered without a form takes each of its own: a server, or a file."""
        if url_template != self.product.url_example or not self.product.schemes:
            check_template(url_template, jdbc_url)

    def quote_identifier(self, name: str) -> str:
        return names.quote_name(self.product, name)

    def read_table(self, text: str) -> tuple[tuple[str, bool], ...]:
        return names.read_table(self.product, text)

    def fold_name(self, name: str) -> str:
        return names.fold_name(self.product, name, self.product.fold)

    def find_meant(self, query: Query, text: str) -> TableName:
        """An address or a setting may tell a database to fold names in another way; its driver knows."""
        fold = catalogue.find_fold(query, self.product.fold)
        folded = [n if quoted else names.fold_name(self.product, n, fold) for n, quoted in self.read_table(text)]
        return TableName(schema=folded[0] if len(folded) == 2 else None, name=folded[-1])

    def find_table(self, query: Query, table: TableName) -> TableName | None:
        if self.product.named_sql:
            return catalogue.find_named(query, self.product.named_sql, self.quote_literal(self.quote_table(table)))
        schema = table.schema or self.find_session_schema(query)
        if catalogue.list_named(query, schema, table.name):
            return TableName(schema=schema, name=table.name)
        blind = self.product.case_blind_sql
        alike = catalogue.find_alike(query, blind, schema, table.name) if blind else None
        return TableName(schema=schema, name=alike) if alike else None

    def find_session_schema(self, query: Query) -> str | None:
        return catalogue.find_session_schema(query, self.product.schema_sql)

    def staging_table(self, module_name: str) -> TableName:
        if self.product.own_schema:
            return TableName(schema=None, name=f"{self.staging_schema}.{module_name}")
        return super().staging_table(module_name)

    # -- types ---------------------------------------------------------------------------------------------------------

    def to_neutral(self, type_text: str) -> Type:
        return types.to_neutral(type_text)

    def from_neutral(self, neutral: Type) -> str:
        return types.from_neutral(neutral, self.product.spellings)

    def map_type(self, source_type: str, source: Driver) -> str:
        """Also within a kind: a query's types are named by JDBC, a table's by the database."""
        if source.kind == self.kind and source_type:
            return catalogue.spell(self.product, source_type)
        return self.from_neutral(source.to_neutral(source_type))

    def stage_column(self, source: ResultColumn, source_driver: Driver, dest: TableColumn) -> StagedColumn:
        """As the dest: the load looks at every value before it binds it, and knows column and row.

        A double for a single is the exception, as the text that arrives, 0.1, is that of either.
        """
        if source_driver.to_neutral(source.type).name == "float64" and self.to_neutral(dest.type).name == "float32":
            stage_type = self.from_neutral(Type(name="float64"))
            return StagedColumn(source=source, dest=dest, stage_type=stage_type, lossy=True)
        if dest.type.upper().startswith("ENUM("):  # a text in capitals may become one of its texts
            stage_type = self.from_neutral(Type(name="text", length=self.product.spellings.max_text))
            return StagedColumn(source=source, dest=dest, stage_type=stage_type, lossy=True)
        return StagedColumn(source=source, dest=dest)

    # -- looking -------------------------------------------------------------------------------------------------------

    def list_schemas(self, query: Query) -> list[str]:
        return catalogue.list_schemas(query, self.staging_schema)

    def list_tables(self, query: Query, schema: str) -> list[TableInfo]:
        return catalogue.list_tables(query, schema)

    def get_columns(self, query: Query, table: TableName) -> list[TableColumn]:
        return catalogue.get_columns(query, self.product, table, self.quote_literal)

    def column_inventory(self, query: Query, schema: str) -> dict[str, list[TableColumn]]:
        return catalogue.column_inventory(query, self.product, schema)

    def get_table_facts(self, query: Query, table: TableName) -> TableFacts:
        facts = catalogue.get_table_facts(query, table)
        if not facts.exists or facts.problem:
            return facts
        place = TableName(schema=catalogue.find_schema(query, table), name=table.name)
        return replace(facts, **around.look_around(query, self.product, self.quote_literal, place))

    def introspect_query_columns(self, query: Query, sql: str) -> list[ResultColumn]:
        """The database prepares the query and describes it; nothing runs."""
        return catalogue.describe_query(query, strip_query(sql))

    def build_preview_sql(self, sql: str, limit: int) -> str:
        """The query itself: the driver is told how many rows to fetch, as each product limits in words of its own."""
        return strip_query(sql)

    def build_select_sql(self, sql: str, expressions: Sequence[str]) -> str:
        return f"SELECT {', '.join(expressions)} FROM (\n{strip_query(sql)}\n) pipekit_query"

    # -- tables and staging --------------------------------------------------------------------------------------------

    def find_key_refusal(self, columns: Sequence[TableColumn]) -> str:
        return types.find_key_refusal([self.to_neutral(column.type) for column in columns])

    def _key_index_name(self, table: TableName) -> str:
        name = super()._key_index_name(table)
        is_inside = table.schema and self.product.index_in_schema
        return f"{self.quote_identifier(table.schema)}.{name}" if table.schema and is_inside else name

    def build_add_column_sql(self, table: TableName, column: TableColumn) -> tuple[str, ...]:
        word = "ADD" if self.product.name in ("oracle", "sqlserver") else "ADD COLUMN"
        return (f"ALTER TABLE {self.quote_table(table)} {word} {self._column_definition(column)}",)

    def find_alter_refusal(self, what: Change, was: TableColumn, to: str) -> str:
        types = (self.to_neutral(was.type), self.to_neutral(to)) if what == "retype" else (TEXT, TEXT)
        return altering.find_refusal(self.product, what, types)

    def build_rename_sql(self, query: Query, table: TableName, column: str, name: str) -> tuple[Statement, ...]:
        names = {"table": self.quote_table(table), "column": column, "name": name}
        return altering.build(self.product, "rename", self.quote_identifier, **names)

    def build_retype_sql(self, query: Query, table: TableName, column: TableColumn) -> tuple[Statement, ...]:
        names = {"table": self.quote_table(table), "column": column.name, "type": column.type}
        return altering.build(self.product, "retype", self.quote_identifier, **names)

    def build_drop_column_sql(self, query: Query, table: TableName, column: str) -> tuple[Statement, ...]:
        names = {"table": self.quote_table(table), "column": column}
        return altering.build(self.product, "drop", self.quote_identifier, **names)

    def find_setup_sql(self, query: Query) -> tuple[str, ...]:
        """Looks for the schema and the ledger in the driver's catalogue."""
        table = self.ledger_table()
        if catalogue.get_table_facts(query, table).exists:
            return ()
        schemas = {row["schema"] for row in catalogue.ask(query, "schemas")}
        create = () if table.schema is None or table.schema in schemas else (self._build_create_schema(table.schema),)
        index = TableName(schema=table.schema if self.product.index_in_schema else None, name=f"{table.name}.module")
        quoted, index_name = self.quote_table(table), self.quote_table(index)
        return (*create, *ledger.build_ledger_setup(quoted, index_name, self.quote_identifier, self.product))

    def _build_create_schema(self, schema: str) -> str:
        return f"CREATE SCHEMA {self.quote_identifier(schema)}"

    def build_staging_sql(
        self, staging: TableName, dest: TableName, columns: Sequence[StagedColumn]
    ) -> tuple[str, ...]:
        drop, table = self.build_drop_table_sql(staging), self.quote_table(staging)
        return build_staging(drop, table, columns, self.quote_identifier)

    def build_drop_table_sql(self, table: TableName) -> str:
        """Where the product has no IF EXISTS, the wire looks whether the table is there."""
        if self.product.drops_if_exists:
            return super().build_drop_table_sql(table)
        return build_if_there(f"DROP TABLE {self.quote_table(table)}", table.schema, table.name)

    def build_turn_sql(self, plan: MergePlan) -> tuple[Statement, ...]:
        """By a row of the ledger; rows that are only added have no need of it unless they are looked at."""
        if plan.strategy == "append" and not plan.fires:
            return ()
        table = self.quote_table(self.ledger_table())
        return (ledger.build_turn(table, self.quote_identifier, self.quote_literal, str(plan.dest)),)

    def build_turn_row_sql(self, plan: MergePlan) -> str:
        if not self.build_turn_sql(plan):
            return ""
        table = self.quote_table(self.ledger_table())
        return ledger.build_turn_row(table, self.quote_identifier, self.quote_literal, self.product, str(plan.dest))

    def build_index_sql(self, plan: MergePlan) -> tuple[str, ...]:
        return self._merge_text(plan).build_index()

    # -- checks, merge, ledger -----------------------------------------------------------------------------------------

    def _merge_text(self, plan: MergePlan) -> MergeText:
        return MergeText(self.product, plan, self.quote_identifier, self.quote_literal, self.quote_table)

    def build_null_key_sql(self, plan: MergePlan) -> str:
        return self._merge_text(plan).build_null_key()

    def build_repeated_key_sql(self, plan: MergePlan) -> str:
        return self._merge_text(plan).build_repeated_key()

    def build_exactness_sql(self, plan: MergePlan) -> tuple[tuple[str, str], ...]:
        return self._merge_text(plan).build_exactness()

    def build_merge_sql(self, plan: MergePlan) -> tuple[Statement, ...]:
        return self._merge_text(plan).build()

    def build_foreseen(self, plan: MergePlan) -> Foreseen:
        return ForeseenText(self._merge_text(plan)).build()

    def build_children_sql(self, plan: MergePlan, reference: Reference) -> str:
        return KeepingText(self._merge_text(plan)).build_children(reference)

    def build_moved_sql(self, plan: MergePlan, reference: Reference) -> str:
        return KeepingText(self._merge_text(plan)).build_moved(reference)

    def build_vanishing(self, plan: MergePlan) -> VanishingText:
        return KeepingText(self._merge_text(plan)).build_vanishing()

    def build_look(self, plan: MergePlan) -> Look | None:
        return KeepingText(self._merge_text(plan)).build_look()

    def read_compared(self, text: str | None, type_text: str) -> str | None:
        if not text or not self.product.pads:
            return text
        if not parse_type(type_text).is_bits:
            return text.removesuffix(END)
        return text[: -len(END_BYTE)] if text.lower().endswith(END_BYTE) else text

    def build_bags(self, plan: MergePlan) -> Bags | None:
        return KeepingText(self._merge_text(plan)).build_bags()

    def build_present_sql(self, plan: MergePlan) -> str:
        return KeepingText(self._merge_text(plan)).build_present()

    def build_ledger_sql(self, entry: LedgerEntry) -> tuple[Statement, ...]:
        table = self.quote_table(self.ledger_table())
        return ledger.build_ledger_statements(table, self.quote_identifier, self.quote_literal, self.product, entry)

    def build_fence_sql(self, entry: LedgerEntry) -> str:
        table = self.quote_table(self.ledger_table())
        return ledger.build_ledger_row(table, self.quote_identifier, self.quote_literal, self.product, entry, "fenced")

    def build_outcome_sql(self, run_key: str) -> str:
        table = self.quote_table(self.ledger_table())
        return ledger.build_outcome(table, self.quote_identifier, self.quote_literal, run_key)


DRIVER = JdbcDriver()
