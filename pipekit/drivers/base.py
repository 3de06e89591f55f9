# The contract of a driver: SQL text in, SQL text out. Methods that must look take a `query` callable; no I/O here.
"""`Driver`: what Pipekit must know about one kind of database."""

import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from hashlib import sha256
from typing import ClassVar

from pipekit.drivers.altering import Altering
from pipekit.drivers.comparing import Comparing
from pipekit.drivers.datenumbers import Recasting
from pipekit.drivers.facts import FedSequence as FedSequence
from pipekit.drivers.facts import Look, MadeType, Reference
from pipekit.drivers.facts import MergePlan as MergePlan
from pipekit.drivers.facts import TableFacts as TableFacts
from pipekit.drivers.filling import Filling
from pipekit.drivers.foreseen import Foreseeing
from pipekit.drivers.moments import Moments
from pipekit.drivers.naming import Naming
from pipekit.drivers.sqltext import strip_query
from pipekit.drivers.swapping import Swapping
from pipekit.drivers.tables import Address as Address
from pipekit.drivers.tables import Cast as Cast
from pipekit.drivers.tables import LedgerEntry as LedgerEntry
from pipekit.drivers.tables import StagedColumn as StagedColumn
from pipekit.drivers.tables import TableColumn as TableColumn
from pipekit.drivers.tables import TableInfo as TableInfo
from pipekit.drivers.tables import TableName as TableName
from pipekit.drivers.types import Type, vary
from pipekit.drivers.typetext import check_type
from pipekit.drivers.undoing import Undoing
from pipekit.drivers.unused import drop_unused
from pipekit.drivers.vanishing import Vanishing
from pipekit.drivers.versions import Versioning
from pipekit.errors import Invalid
from pipekit.runner_contract import Query, ResultColumn, Statement


class Driver(
    Naming, Filling, Foreseeing, Swapping, Comparing, Undoing, Vanishing, Versioning, Moments, Altering, Recasting, ABC
):
    """One kind of database as text. Text methods are pure; looking methods take `query` first."""

    kind: ClassVar[str]
    label: ClassVar[str]
    url_example: ClassVar[str]
    staging_schema: ClassVar[str] = "pipekit_staging"
    max_identifier_bytes: ClassVar[int]
    supports_comments: ClassVar[bool] = False
    extra: ClassVar[str] = ""  # that brings the library its wire stands on; "" is what is always installed
    # Reached over JDBC: needs a registered jar. `java_class` is the driver class where the registration names none; it
    # may open files of this machine as databases, not servers alone.
    needs_jar: ClassVar[bool] = False
    java_class: ClassVar[str] = ""
    may_be_embedded: ClassVar[bool] = False
    # DROP TABLE may commit what stands before it, so a merge does not drop its staging table itself.
    commits_ddl: ClassVar[bool] = False
    dirty_read: ClassVar[str] = ""  # behind a table that is looked at without waiting for a merge that holds a row
    is_embedded: ClassVar[bool] = False
    compares_bytes: ClassVar[bool] = False  # texts of a table that is made do, unless a column says otherwise
    trims_by_sql: ClassVar[bool] = False  # texts are trimmed by SQL around the query; other readers have an option
    any_value: ClassVar[bool] = False  # a column may hold values of other types than the one it declares
    keeps_lengths: ClassVar[bool] = False  # a text is never longer than the type of its column says
    has_bare_bytes: ClassVar[bool] = False  # bytes are told as `0x...` and written that way, without quotes
    nulls_bad_data: ClassVar[bool] = False  # its reader can take NULL for a value that the database cannot give
    keeps_rows: ClassVar[bool] = False  # the merge text knows `MergePlan.keeps`
    leaves_rows: ClassVar[bool] = False  # ... and `MergePlan.leaves`
    compares_rows: ClassVar[bool] = False  # ... which an update, whatever fires, always does
    type_examples: ClassVar[tuple[str, ...]] = ()
    type_pattern: ClassVar[re.Pattern[str]]  # what a type looks like that a person gives
    version_sql: ClassVar[str] = ""  # one cell: the server's version, for people; empty where there is no such query

    # -- addresses and names -------------------------------------------------------------------------------------------

    @abstractmethod
    def parse_url(self, jdbc_url: str) -> Address:
        """Checks a JDBC URL against the kind's allowed scheme and parameters; raises Invalid (field `jdbc_url`)."""

    def stays_open(self, address: Address) -> bool:
        """Whether a process may hold the database after its session there is closed, for as long as it lives."""
        return False

    def list_unused(self, jdbc_url: str) -> tuple[str, ...]:
        """Parameters of an address that concern another driver alone: they are left out, and change nothing."""
        return drop_unused(jdbc_url).names

    def check_template(self, jdbc_url: str, url_template: str) -> None:
        """Raises Invalid (field `jdbc_url`) for a URL that does not begin as its kind was registered."""

    def find_file(self, jdbc_url: str, servers: Collection[str] = ()) -> str | None:
        """The file that an address over JDBC names, as its driver reads it; None for a server.

        `servers` are words behind `jdbc:` of drivers that are not known here and speak to servers alone.
        """
        return None

    def find_word(self, jdbc_url: str) -> str:
        """What stands behind `jdbc:` where it says what a driver does that is not known here; else `""`."""
        return ""

    def build_connect_url(self, jdbc_url: str) -> str:
        """The URL a connection is opened with: a checked one, with the parameters Pipekit insists on."""
        return jdbc_url

    def quote_literal(self, text: str) -> str:
        """A text constant in standard SQL."""
        if "\0" in text:
            raise Invalid("A text constant cannot hold a NUL character.")
        return "'" + text.replace("'", "''") + "'"

    def staging_table(self, module_name: str) -> TableName:
        """`pipekit_staging.{module_name}` in the form this kind can hold."""
        return TableName(schema=self.staging_schema, name=module_name)

    def ledger_table(self) -> TableName:
        """The dest's ledger; it stands beside the staging tables."""
        return self.staging_table("pipekit_ledger")

    # -- types ---------------------------------------------------------------------------------------------------------

    def check_type(self, text: str) -> None:
        """Raises Invalid (field `dest_type`) for what is not one type of this kind, alone."""
        check_type(self.type_pattern, text, self.label, self.type_examples)

    @abstractmethod
    def to_neutral(self, type_text: str) -> Type:
        """The neutral type of this kind's own spelling; text for a type it cannot tell."""

    @abstractmethod
    def from_neutral(self, neutral: Type) -> str:
        """This kind's spelling of a neutral type, wide enough to hold every value of it."""

    def map_type(self, source_type: str, source: "Driver") -> str:
        """The column type that holds every value of another database's type; the same kind keeps its own spelling."""
        if source.kind == self.kind and source_type:
            return source_type
        return self.from_neutral(source.to_neutral(source_type))

    def trimmed_type(self, type_text: str) -> str:
        """The type of a source column once the blanks that fill it up are dropped, as `trim_char` asks."""
        return vary(type_text) if self.to_neutral(type_text).name == "char" else type_text

    def find_made_types(
        self, source: "Driver", ask_source: Query, ask_dest: Query, types: Sequence[str], *, creates: bool
    ) -> dict[str, MadeType]:
        """Of a source's types those that this dest does not have, and what stands for each in a table that is made.

        With `creates` a type of the same name is made where the kind can. Raises RunFailed where one is there that is
        another. Kinds that spell every type anew (`map_type`) lack none.
        """
        return {}

    def default_expression(self, column: TableColumn) -> str:
        """What a written source query selects for a column: its quoted name, or more where that is not enough."""
        return self.quote_identifier(column.name)

    def find_notes(self, sql: str) -> tuple[str, ...]:
        """What somebody who wrote this query should know about it, in sentences."""
        return ()

    @abstractmethod
    def stage_column(self, source: ResultColumn, source_driver: "Driver", dest: TableColumn) -> StagedColumn:
        """Decides how a source column is staged so that the dest holds it exactly or the run says why not."""

    # -- looking -------------------------------------------------------------------------------------------------------

    @abstractmethod
    def get_columns(self, query: Query, table: TableName) -> list[TableColumn]:
        """Columns in the table's order; empty when there is no such table."""

    @abstractmethod
    def column_inventory(self, query: Query, schema: str) -> dict[str, list[TableColumn]]:
        """Every table's columns of a schema in one look, for search and completion."""

    @abstractmethod
    def get_table_facts(self, query: Query, table: TableName) -> TableFacts:
        """Whether the table exists and how it may be emptied."""

    def list_sequences(self, query: Query, table: TableName, columns: Sequence[str]) -> tuple[FedSequence, ...]:
        """Sequences that number these columns of a table; none where a load moves them on by itself, or nothing can."""
        return ()

    def list_files(self, address: Address) -> tuple[str, ...]:
        """The files that sessions with an embedded database may open."""
        return (address.database,)

    def build_trimmed(self, column: ResultColumn, value: str) -> str:
        """A column's value of a query, without the blanks around it where it is text."""
        return f"TRIM({value})" if self.to_neutral(column.type).name in ("text", "char") else value

    def find_query_table(self, query: Query, text: str) -> TableName | None:
        """The table that a query means by a name, None where that depends on the session."""
        table = self.parse_table(text)
        return None if self.has_schemas and table.schema is None else table

    def introspect_query_columns(self, query: Query, sql: str) -> list[ResultColumn]:
        """A query's result columns with their types, found without fetching data."""
        return list(query(self._zero_row_wrap(sql)).columns)

    def _zero_row_wrap(self, sql: str) -> str:
        """The query as a derived table with a false predicate; the newline ends a trailing `--` comment."""
        return f"SELECT * FROM (\n{strip_query(sql)}\n) AS pipekit_query WHERE 1 = 0"

    def build_preview_sql(self, sql: str, limit: int) -> str:
        """The query's first rows."""
        return f"SELECT * FROM (\n{strip_query(sql)}\n) AS pipekit_query LIMIT {int(limit)}"

    def build_sample_sql(self, table: str, column: str, limit: int) -> str:
        """A column's first values, both written as in a query; with `any_value` also what each is: text, integer ..."""
        return self.build_preview_sql(f"SELECT {column} FROM {table}", limit)

    def build_select_columns_sql(self, sql: str, names: Sequence[str]) -> str:
        """The query cut to some of its columns."""
        return self.build_select_sql(sql, [self.quote_identifier(name) for name in names])

    def build_select_sql(self, sql: str, expressions: Sequence[str]) -> str:
        """These expressions over the query's rows."""
        return f"SELECT {', '.join(expressions)} FROM (\n{strip_query(sql)}\n) AS pipekit_query"

    def build_sum(self, value: str) -> str:
        """The sum of a column of numbers, in a type that holds it."""
        return f"SUM({value})"

    def build_bytes_sum(self, value: str) -> str:
        """The bytes of a column's texts in UTF-8, NULL where they cannot be told; `""` where the kind cannot."""
        return ""

    # -- tables --------------------------------------------------------------------------------------------------------

    def find_key_refusal(self, columns: Sequence[TableColumn]) -> str:
        """Why these columns of a table that is made cannot be its key or have an index, `""` when they can."""
        return ""

    def build_key_index_sql(self, table: TableName, names: Sequence[str]) -> tuple[str, ...]:
        """Makes a table that is made quick to search by a key that may repeat."""
        listed = ", ".join(map(self.quote_identifier, names))
        return (f"CREATE INDEX {self._key_index_name(table)} ON {self.quote_table(table)} ({listed})",)

    def _key_index_name(self, table: TableName) -> str:
        """No other index is called so by chance."""
        name = table.name.encode()
        return self.quote_identifier(f"{name[:40].decode(errors='ignore')}_key_{sha256(name).hexdigest()[:6]}")

    def build_create_table_sql(self, table: TableName, columns: Sequence[TableColumn]) -> tuple[str, ...]:
        """Makes a dest table, its key and comments included where the kind has them."""
        lines = ",\n  ".join([self._column_definition(column) for column in columns] + self._key_definition(columns))
        create = f"CREATE TABLE {self.quote_table(table)} (\n  {lines}\n)"
        comments = [self.build_comment_sql(table, c.name, c.comment) for c in columns if c.comment]
        return (create, *(text for text in comments if text))

    def fit_columns(self, columns: Sequence[TableColumn]) -> list[TableColumn]:
        """The columns of a table that is to be made, with other types where a row could not hold all of them."""
        return list(columns)

    def _key_definition(self, columns: Sequence[TableColumn]) -> list[str]:
        """One line for the columns of the key, none without any."""
        names = [self.quote_identifier(column.name) for column in columns if column.in_key]
        return [f"PRIMARY KEY ({', '.join(names)})"] if names else []

    def _column_definition(self, column: TableColumn) -> str:
        null = "" if column.nullable else " NOT NULL"
        return f"{self.quote_identifier(column.name)} {column.type}{null}"

    def build_add_column_sql(self, table: TableName, column: TableColumn) -> tuple[str, ...]:
        """Adds a column at the tail."""
        add = f"ALTER TABLE {self.quote_table(table)} ADD COLUMN {self._column_definition(column)}"
        comment = self.build_comment_sql(table, column.name, column.comment) if column.comment else ""
        return (add, comment) if comment else (add,)

    def build_comment_sql(self, table: TableName, column: str, comment: str) -> str:
        """Sets a column's comment; `""` where the kind has none."""
        return ""

    # -- staging -------------------------------------------------------------------------------------------------------

    @abstractmethod
    def find_setup_sql(self, query: Query) -> tuple[str, ...]:
        """Statements that make the staging schema and the ledger; empty when both are there."""

    @abstractmethod
    def build_staging_sql(
        self, staging: TableName, dest: TableName, columns: Sequence[StagedColumn]
    ) -> tuple[str, ...]:
        """Drops and creates the staging table with exactly these columns, in this order, like the dest's."""

    def build_mark_sql(self, staging: TableName, mark: str) -> tuple[str, ...]:
        """Marks the staging table itself as one run's, in the transaction that makes it; none where a kind cannot."""
        return ()

    def build_mark_check_sql(self, staging: TableName, mark: str) -> tuple[Statement, ...]:
        """Keeps the table from being replaced until the merge commits, and counts 1 under `mark` if it is marked so."""
        return ()

    def build_turn_sql(self, plan: MergePlan) -> tuple[Statement, ...]:
        """Lets no two runs merge into one dest at once, until the commit; none where the database's own locks do."""
        return ()

    def build_turn_row_sql(self, plan: MergePlan) -> str:
        """Makes the row on which turns are taken, before the merge and in its own transaction; `""` for none."""
        return ""

    def build_drop_table_sql(self, table: TableName) -> str:
        """Drops a table if it is there."""
        return f"DROP TABLE IF EXISTS {self.quote_table(table)}"

    def build_index_sql(self, plan: MergePlan) -> tuple[str, ...]:
        """Makes staging quick to search by the key, once it is filled; none where the database does without."""
        return ()

    def build_analyze_sql(self, plan: MergePlan) -> tuple[str, ...]:
        """What helps the planner before a merge that finds rows by `key` or `row_key`."""
        return ()

    # -- checks on staging ---------------------------------------------------------------------------------------------

    @abstractmethod
    def build_null_key_sql(self, plan: MergePlan) -> str:
        """One row: how many staged rows have a NULL in the key, and an example of the key as text."""

    @abstractmethod
    def build_repeated_key_sql(self, plan: MergePlan) -> str:
        """One row: how many keys stand more than once in staging, and an example of one as text."""

    def build_blank_key_sql(self, plan: MergePlan, padded: Collection[str]) -> str:
        """One row: how many dest rows have a staged key but for blanks at the end of the `padded` columns, and one.

        `""` where the database compares texts without such blanks.
        """
        return ""

    @abstractmethod
    def build_exactness_sql(self, plan: MergePlan) -> tuple[tuple[str, str], ...]:
        """(dest column, query) for each lossy column; the query gives (row number, value) of values that differ."""

    def is_of_a_value(self, sqlstate: str) -> bool:
        """Whether an error of this code speaks of a value that a type cannot hold, and not of the database itself."""
        return sqlstate.startswith(("22", "23"))

    # -- merge ---------------------------------------------------------------------------------------------------------

    @abstractmethod
    def build_merge_sql(self, plan: MergePlan) -> tuple[Statement, ...]:
        """The statements between the ledger row and the commit; they count `deleted`, `updated` and `inserted`.

        `full` counts `before` too, with `leaves` the rows that are there (`matched`), but for a key that is `unique`.
        """

    def build_count_sql(self, plan: MergePlan) -> str:
        """One cell: the rows of the dest."""
        return f"SELECT COUNT(*) FROM {self.quote_table(plan.dest)}"

    def build_children_sql(self, plan: MergePlan, reference: Reference) -> str:
        """One cell, asked before the merge: rows of the child that refer to dest rows which the merge deletes.

        Where it is `uncounted`, the dest rows that go. `""` where the kind cannot tell.
        """
        return ""

    def build_hold_sql(self, plan: MergePlan) -> str:
        """Locks the dest rows that go, so that nobody refers to one between the count of those who do and its end."""
        return ""

    def build_moved_sql(self, plan: MergePlan, reference: Reference) -> str:
        """As `build_children_sql`, for dest rows that stay and get another value in a referred column."""
        return ""

    def build_look(self, plan: MergePlan) -> Look | None:
        """What the dest holds against what was staged, asked after the merge; `append`: what it lacks."""
        return None

    def build_present_sql(self, plan: MergePlan) -> str:
        """One cell, for `append`: the dest's rows that are equal to a staged one; `""` where the kind cannot tell."""
        return ""

    def build_sequence_sql(self, plan: MergePlan, sequence: FedSequence, name: str) -> Statement:
        """A value named `name`: the steps a sequence was moved on; less than 0 says that it could not be."""
        raise NotImplementedError

    # -- ledger --------------------------------------------------------------------------------------------------------

    @abstractmethod
    def build_ledger_sql(self, entry: LedgerEntry) -> tuple[Statement, ...]:
        """The first statements of a merge: they write the run's row and count 1 under `ledger`; 0 if it is fenced."""

    @abstractmethod
    def build_fence_sql(self, entry: LedgerEntry) -> str:
        """Writes a row that shuts the run out of its merge, unless the run's own row is there already."""

    @abstractmethod
    def build_outcome_sql(self, run_key: str) -> str:
        """One row, `merged` or `fenced`, when the ledger knows the run; none when it does not."""

    # -- sessions ------------------------------------------------------------------------------------------------------

    def build_end_sessions_sql(self, application_name: str) -> str:
        """Ends the sessions of a run and counts those still there; `""` where the kind has no sessions."""
        return ""
