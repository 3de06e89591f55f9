# The Db2 for i driver: gathers the text of its neighbours behind the contract. Pure text; knows no connection.
"""`Db2iDriver`."""

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from pipekit.drivers.base import Address, Cast, Driver, StagedColumn, TableColumn, TableFacts, TableInfo, TableName
from pipekit.drivers.datenumbers import NumberDates
from pipekit.drivers.db2i import address, catalogue, marks, queries, types
from pipekit.drivers.db2i.product import DB2I
from pipekit.drivers.jdbc import around
from pipekit.drivers.jdbc.driver import JdbcDriver
from pipekit.drivers.jdbc.ledger import build_ledger_setup
from pipekit.drivers.jdbc.products import Product
from pipekit.drivers.tables import Mark
from pipekit.drivers.types import Type
from pipekit.drivers.unused import drop_unused
from pipekit.errors import Invalid, StatementFailed
from pipekit.runner_contract import Query, ResultColumn

# The SQLSTATE of that warning.
SUBSTITUTED = "01517"
RRN_NOTE = (
    "RRN is a row's place in its file: reorganising the file (RGZPFM) gives rows other numbers, and rows that are"
    " deleted may leave theirs to new ones (REUSEDLT). After a reorganisation run the module once with"
    " an earlier watermark, or rows are missed."
)


class Db2iDriver(JdbcDriver):
    """Db2 for i 7.2 and later, by IBM's Toolbox driver (jt400)."""

    kind: ClassVar[str] = "db2i"
    label: ClassVar[str] = DB2I.label
    url_example: ClassVar[str] = DB2I.url_example
    version_sql: ClassVar[str] = DB2I.version_sql
    max_identifier_bytes: ClassVar[int] = DB2I.max_name_bytes
    java_class: ClassVar[str] = DB2I.java_class
    may_be_embedded: ClassVar[bool] = False
    staging_schema: ClassVar[str] = "PIPEKIT"
    supports_comments: ClassVar[bool] = True
    nulls_bad_data: ClassVar[bool] = True
    number_dates: ClassVar[NumberDates | None] = types.NUMBER_DATES
    product: ClassVar[Product] = DB2I
    type_examples: ClassVar[tuple[str, ...]] = (
        "SMALLINT", "INTEGER", "BIGINT", "REAL", "DOUBLE", "DECIMAL(7,0)", "DECIMAL(31,10)", "NUMERIC(63,2)",
        "DECFLOAT(34)", "CHAR(3) CCSID 37", "VARCHAR(40) CCSID 37", "VARCHAR(40) CCSID 1208", "CHAR(8) FOR BIT DATA",
        "CLOB(1048576) CCSID 37", "GRAPHIC(10) CCSID 1200", "VARGRAPHIC(40) CCSID 1200", "DBCLOB(1048576) CCSID 1200",
        "BINARY(16)", "VARBINARY(40)", "BLOB(1048576)", "DATE", "TIME", "TIMESTAMP(0)", "TIMESTAMP(6)", "TIMESTAMP(12)",
        "XML", "ROWID",
    )  # fmt: skip

    # -- addresses -----------------------------------------------------------------------------------------------------

    def parse_url(self, jdbc_url: str) -> Address:
        return address.parse_url(jdbc_url)

    def build_connect_url(self, jdbc_url: str) -> str:
        return address.build_connect_url(jdbc_url)

    def list_unused(self, jdbc_url: str) -> tuple[str, ...]:
        return drop_unused(jdbc_url).names

    def read_table(self, text: str) -> tuple[tuple[str, bool], ...]:
        """Raises Invalid for LIBRARY/TABLE, which a name in quotes may look like as well."""
        if "/" in text and '"' not in text:
            hint = f"Write {text.replace('/', '.')}."
            raise Invalid(f"'{text}' is no name of a table.", field="table", hint=hint)
        return super().read_table(text)

    def find_meant(self, query: Query, text: str) -> TableName:
        return self.parse_table(text)

    def find_table(self, query: Query, table: TableName) -> TableName | None:
        return catalogue.find_table(query, self.quote_literal, table)

    def find_session_schema(self, query: Query) -> str | None:
        return catalogue.find_session_schema(query)

    # -- types ---------------------------------------------------------------------------------------------------------

    def to_neutral(self, type_text: str) -> Type:
        return types.to_neutral(type_text)

    def list_casts(self, column: TableColumn) -> tuple[Cast, ...]:
        return types.list_casts(self.quote_identifier(column.name), column.type) or super().list_casts(column)

    def list_marks(self, query: Query, table: TableName, columns: Sequence[TableColumn]) -> tuple[Mark, ...]:
        """For what holds rows itself: a view has no places and no journal."""
        if not catalogue.holds_rows(query, self.quote_literal, table):
            return ()
        journal = catalogue.find_journal(query, self.quote_literal, table)
        return marks.list_marks(self.quote_identifier, self.quote_literal, table, columns, journal)

    def find_notes(self, sql: str) -> tuple[str, ...]:
        return (RRN_NOTE,) if queries.has_call(sql, "RRN") else ()

    def stage_column(self, source: ResultColumn, source_driver: Driver, dest: TableColumn) -> StagedColumn:
        """Text for a column of one code page is staged in Unicode, so that a substitute is found out."""
        refused = types.find_refusal(dest.type)
        if refused:
            return StagedColumn(source=source, dest=dest, refused=refused)
        is_text = source_driver.to_neutral(source.type).name not in ("bytes",)
        is_same = source_driver.kind == self.kind and source.type == dest.type
        if is_text and types.has_own_characters(dest.type) and not is_same:
            twin = types.build_unicode_twin(dest.type)
            return StagedColumn(source=source, dest=dest, stage_type=twin, lossy=True)
        return super().stage_column(source, source_driver, dest)

    def is_of_a_value(self, sqlstate: str) -> bool:
        """Also that a substitute was put for a character, which a cast into a code page warns of."""
        return super().is_of_a_value(sqlstate) or sqlstate == SUBSTITUTED

    def build_sum(self, value: str) -> str:
        """The sum of an INTEGER is an INTEGER, and overflows."""
        return f"SUM(CAST({value} AS DECIMAL(31, 8)))"

    # -- looking -------------------------------------------------------------------------------------------------------

    def list_schemas(self, query: Query) -> list[str]:
        return catalogue.list_schemas(query, self.quote_literal, self.staging_schema)

    def list_tables(self, query: Query, schema: str) -> list[TableInfo]:
        return catalogue.list_tables(query, self.quote_literal, schema)

    def get_columns(self, query: Query, table: TableName) -> list[TableColumn]:
        columns = catalogue.get_columns(query, self.quote_literal, table)
        bits = [column for column in columns if types.is_bit_text(column.type)]
        return self._find_translated(query, table, columns, bits) if bits else columns

    def _find_translated(
        self, query: Query, table: TableName, columns: list[TableColumn], bits: Sequence[TableColumn]
    ) -> list[TableColumn]:
        """The columns as the connection reads them: with `translate binary=true` those of CCSID 65535 are text.

        QSYS2 does not know what the connection does; one row of the table tells.
        """
        names = ", ".join(self.quote_identifier(column.name) for column in bits)
        try:
            told = query(queries.build_limited(f"SELECT {names} FROM {self.quote_table(table)}", 1)).columns
        except StatementFailed:
            return columns
        texts = {column.name: column.type for column in told if self.to_neutral(column.type).name in ("char", "text")}
        return [replace(column, type=texts.get(column.name, column.type)) for column in columns]

    def column_inventory(self, query: Query, schema: str) -> dict[str, list[TableColumn]]:
        return catalogue.column_inventory(query, self.quote_literal, schema)

    def get_table_facts(self, query: Query, table: TableName) -> TableFacts:
        facts = catalogue.get_table_facts(query, self.quote_literal, table)
        if not facts.exists or facts.problem or table.schema is None:
            return facts
        return replace(facts, **around.look_around(query, self.product, self.quote_literal, table))

    def introspect_query_columns(self, query: Query, sql: str) -> list[ResultColumn]:
        """By one row: a query with WITH cannot be wrapped here."""
        columns = list(query(queries.build_limited(sql, 1)).columns)
        for column in columns:
            refused = types.find_refusal(column.type)
            if refused:
                raise StatementFailed(f"The column '{column.name}' cannot be read: {refused}.")
        return columns

    def build_preview_sql(self, sql: str, limit: int) -> str:
        return queries.build_limited(sql, limit)

    def build_select_sql(self, sql: str, expressions: Sequence[str]) -> str:
        return queries.build_nested(sql, ", ".join(expressions))

    # -- tables --------------------------------------------------------------------------------------------------------

    def build_add_column_sql(self, table: TableName, column: TableColumn) -> tuple[str, ...]:
        add = super().build_add_column_sql(table, column)
        comment = self.build_comment_sql(table, column.name, column.comment) if column.comment else ""
        return (*add, comment) if comment else add

    def build_comment_sql(self, table: TableName, column: str, comment: str) -> str:
        """As the column's text label, of which 50 characters are kept: the place where an IBM i shows it."""
        label = " ".join(comment.split())[:50]
        name = f"{self.quote_table(table)}.{self.quote_identifier(column)}"
        return f"LABEL ON COLUMN {name} TEXT IS {self.quote_literal(label)}"

    def find_setup_sql(self, query: Query) -> tuple[str, ...]:
        """CREATE SCHEMA makes a library with a journal, so what is made in it is journaled."""
        table = self.ledger_table()
        no_schema, no_ledger = catalogue.find_missing(query, self.quote_literal, table)
        if not no_ledger:
            return ()
        create = (self._build_create_schema(self.staging_schema),) if no_schema else ()
        index = self.quote_table(TableName(schema=table.schema, name=f"{table.name}.module"))
        return (*create, *build_ledger_setup(self.quote_table(table), index, self.quote_identifier, self.product))


DRIVER = Db2iDriver()
