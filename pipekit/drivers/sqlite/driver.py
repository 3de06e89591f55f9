# The SQLite driver: names, addresses, and which text goes where. Opens nothing; `wire` does.
"""SQLite as text: one file, no schemas, one writer at a time."""

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import ClassVar

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
from pipekit.drivers.datenumbers import NumberDates
from pipekit.drivers.facts import Keeping, Look, Rebuild, Reference
from pipekit.drivers.foreseen import Foreseen
from pipekit.drivers.sqlite import altering, around, catalogue, explain, indexes, typemap, undoing
from pipekit.drivers.sqlite.around import AroundText
from pipekit.drivers.sqlite.merge import MergeText, build_ledger_row, build_ledger_setup
from pipekit.drivers.sqlite.names import split_table
from pipekit.drivers.sqltext import strip_query
from pipekit.drivers.types import Type
from pipekit.drivers.undoing import Fires, Kept, Undo
from pipekit.drivers.unused import drop_unused
from pipekit.drivers.vanishing import VanishingText
from pipekit.drivers.versions import VersionsText
from pipekit.errors import Invalid, StatementFailed
from pipekit.models.altering import Change
from pipekit.runner_contract import Query, ResultColumn, Statement

_PREFIX = "jdbc:sqlite:"
_RENAMED = re.compile(r":\d+\Z")


class SqliteDriver(Driver):
    """SQLite. The staging table is one name with a dot in it, in the dest's own file, so that one commit covers all."""

    kind: ClassVar[str] = "sqlite"
    label: ClassVar[str] = "SQLite"
    url_example: ClassVar[str] = "jdbc:sqlite:shop.db"
    version_sql: ClassVar[str] = "SELECT sqlite_version()"
    max_identifier_bytes: ClassVar[int] = 1000
    is_embedded: ClassVar[bool] = True
    compares_bytes: ClassVar[bool] = True
    trims_by_sql: ClassVar[bool] = True
    any_value: ClassVar[bool] = True
    leaves_rows: ClassVar[bool] = True
    can_rebuild: ClassVar[bool] = True
    can_undo: ClassVar[bool] = True
    can_version: ClassVar[bool] = True
    can_go_on: ClassVar[bool] = True
    number_dates: ClassVar[NumberDates | None] = typemap.NUMBER_DATES
    type_pattern: ClassVar[re.Pattern[str]] = typetext.SQLITE
    type_examples: ClassVar[tuple[str, ...]] = (
        "INTEGER", "BIGINT", "SMALLINT", "BOOLEAN", "REAL", "DOUBLE PRECISION", "DECIMAL(10,2)", "NUMERIC(30,10)",
        "NUMERIC", "TEXT", "VARCHAR(40)", "CHAR(3)", "CLOB", "BLOB", "DATE", "TIME", "TIMESTAMP", "DATETIME",
        "TIMESTAMPTZ", "",
    )  # fmt: skip

    # -- addresses and names -------------------------------------------------------------------------------------------

    def parse_url(self, jdbc_url: str) -> Address:
        """`jdbc:sqlite:FILE[?busy_timeout=MILLISECONDS&attach=FILE,FILE]`; relative files start at the base folder."""
        jdbc_url = drop_unused(jdbc_url).jdbc_url
        if not jdbc_url.startswith(_PREFIX):
            raise _bad_url(f"An SQLite URL starts with '{_PREFIX}'.")
        name, _, query = jdbc_url[len(_PREFIX) :].partition("?")
        if name == ":memory:" or not name:
            raise _bad_url("A database in memory ends with the process that made it, and each run is its own process.")
        if name.startswith((":", "file:")):
            raise _bad_url("The URL names a plain file; 'file:' and ':resource:' forms could switch locking off.")
        if "\0" in name:
            raise _bad_url("A file name cannot hold a NUL character.")
        return Address(database=name, options=dict(_parse_option(part) for part in query.split("&") if part))

    def list_files(self, address: Address) -> tuple[str, ...]:
        """The database's own file, and those that its sessions may attach."""
        return (address.database, *filter(None, address.options.get("attach", "").split(",")))

    def browse_fields(self) -> tuple[str, ...]:
        return ("table",)

    def quote_identifier(self, name: str) -> str:
        if not name or "\0" in name:
            raise Invalid("A name in SQLite has at least one character, and no NUL.")
        if len(name.encode("utf-8", "surrogatepass")) > self.max_identifier_bytes:
            raise Invalid(f"The name '{name[:40]}...' is longer than {self.max_identifier_bytes} bytes.")
        return '"' + name.replace('"', '""') + '"'

    def read_table(self, text: str) -> tuple[tuple[str, bool], ...]:
        parts = split_table(text)
        if len(parts) == 2 and parts[0][0].lower() == "main":
            parts = parts[1:]
        if len(parts) >= 2 and parts[0][0] == self.staging_schema:
            parts = [(".".join(name for name, _ in parts), True)]
        if len(parts) != 1:
            raise Invalid(f"SQLite has no schema '{parts[0][0]}'.", field="dest_table", hint="Name the table alone.")
        return tuple(parts)

    def find_table(self, query: Query, table: TableName) -> TableName | None:
        return catalogue.find_table(query, self.quote_literal(table.name))

    def staging_table(self, module_name: str) -> TableName:
        return TableName(schema=None, name=f"{self.staging_schema}.{module_name}")

    # -- types ---------------------------------------------------------------------------------------------------------

    def to_neutral(self, type_text: str) -> Type:
        return typemap.to_neutral(type_text)

    def from_neutral(self, neutral: Type) -> str:
        return typemap.from_neutral(neutral)

    def map_type(self, source_type: str, source: Driver) -> str:
        """Between two SQLite files the declared type stays, also an empty one: such a column changes no value."""
        return source_type if source.kind == self.kind else self.from_neutral(source.to_neutral(source_type))

    def build_trimmed(self, column: ResultColumn, value: str) -> str:
        """SQLite's columns hold what they like; only the value knows."""
        return f"CASE WHEN typeof({value}) = 'text' THEN TRIM({value}) ELSE {value} END"

    def stage_column(self, source: ResultColumn, source_driver: Driver, dest: TableColumn) -> StagedColumn:
        """Staged as the dest declares it, so that the load meets what the dest would do to a value, row by row.

        ANY, which keeps values as they are in a STRICT table, would not do so in the staging table; no type does.
        """
        keeps_all = typemap.bare_type(dest.type).upper() == "ANY"
        return StagedColumn(source=source, dest=dest, stage_type="BLOB" if keeps_all else None)

    def build_sample_sql(self, table: str, column: str, limit: int) -> str:
        return f"SELECT {column}, typeof({column}) FROM {table} LIMIT {int(limit)}"

    def build_bytes_sum(self, value: str) -> str:
        """Of texts only: how a number is written as text is another matter."""
        is_text = f"MIN(typeof({value}) IN ('text', 'null')) = 1"
        return f"CASE WHEN {is_text} THEN SUM(length(CAST({value} AS BLOB))) END"

    # -- looking -------------------------------------------------------------------------------------------------------

    def list_schemas(self, query: Query) -> list[str]:
        return ["main"]

    def list_tables(self, query: Query, schema: str) -> list[TableInfo]:
        return catalogue.list_tables(query)

    def get_columns(self, query: Query, table: TableName) -> list[TableColumn]:
        return catalogue.list_columns(query, self.quote_literal(table.name))

    def column_inventory(self, query: Query, schema: str) -> dict[str, list[TableColumn]]:
        return catalogue.list_all_columns(query)

    def get_table_facts(self, query: Query, table: TableName) -> TableFacts:
        literal = self.quote_literal(table.name)
        facts = catalogue.get_facts(query, table.name, literal)
        if not facts.exists or facts.problem:
            return facts
        keys, is_sole = around.list_keys(query, literal, self.get_columns(query, table))
        return replace(
            facts,
            keys=keys,
            sole_key=is_sole,
            can_compare=True,
            referring=around.list_references(query, table.name, literal),
            fires=around.list_firing(query, literal),
        )

    def list_query_tables(self, query: Query, sql: str) -> tuple[TableName, ...]:
        return explain.list_query_tables(query, sql)

    def introspect_query_columns(self, query: Query, sql: str) -> list[ResultColumn]:
        """The columns under their own names: a derived table would rename the second `a` to `a:1`.

        A query with a limit of its own takes no second one; it is wrapped, and SQLite's renaming undone.
        """
        try:
            return list(query(f"{strip_query(sql)}\nLIMIT 0").columns)
        except StatementFailed:
            return _restore_names(list(query(self._zero_row_wrap(sql)).columns))

    def build_select_columns_sql(self, sql: str, names: Sequence[str]) -> str:
        """The names stand with their table: a lone quoted name that is not there would be a text constant."""
        chosen = ", ".join(f"pipekit_query.{self.quote_identifier(name)}" for name in names)
        return f"SELECT {chosen} FROM (\n{strip_query(sql)}\n) AS pipekit_query"

    # -- tables and staging --------------------------------------------------------------------------------------------

    def _column_definition(self, column: TableColumn) -> str:
        words = (self.quote_identifier(column.name), column.type, "" if column.nullable else "NOT NULL")
        return " ".join(word for word in words if word)

    def find_setup_sql(self, query: Query) -> tuple[str, ...]:
        name = self.quote_literal(self.ledger_table().name)
        found = query(f"SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = {name}").first_cell()
        return () if found == "1" else build_ledger_setup(self.ledger_table(), self.quote_identifier)

    def build_staging_sql(
        self, staging: TableName, dest: TableName, columns: Sequence[StagedColumn]
    ) -> tuple[str, ...]:
        staged = [
            TableColumn(
                name=column.dest.name,
                type=column.dest.type if column.stage_type is None else column.stage_type,
                nullable=column.dest.nullable,
            )
            for column in columns
        ]
        return (self.build_drop_table_sql(staging), *self.build_create_table_sql(staging, staged))

    # -- columns that change -------------------------------------------------------------------------------------------

    def find_alter_refusal(self, what: Change, was: TableColumn, to: str) -> str:
        return ""

    def find_standing(self, query: Query, table: TableName, column: str) -> tuple[Standing, ...]:
        return altering.find_standing(query, self.quote_literal(table.name), column)

    def build_rename_sql(self, query: Query, table: TableName, column: str, name: str) -> tuple[Statement, ...]:
        return altering.build_rename(table, column, name, self.quote_identifier)

    def build_retype_sql(self, query: Query, table: TableName, column: TableColumn) -> tuple[Statement, ...]:
        return altering.build_retype(query, table.name, column, self.quote_identifier, self.quote_literal)

    def build_drop_column_sql(self, query: Query, table: TableName, column: str) -> tuple[Statement, ...]:
        return altering.build_drop(query, table.name, column, self.quote_identifier, self.quote_literal)

    def build_fitting_looks(
        self, table: TableName, was: TableColumn, to: str, key: tuple[str, ...]
    ) -> tuple[Statement, ...]:
        return altering.build_fitting_looks(table, was, to, key, (self.quote_identifier, self.quote_literal))

    # -- checks, merge, ledger -----------------------------------------------------------------------------------------

    def _merge_text(self, plan: MergePlan) -> MergeText:
        return MergeText(plan, self.quote_identifier, self.quote_literal)

    def build_null_key_sql(self, plan: MergePlan) -> str:
        return self._merge_text(plan).build_null_key()

    def build_repeated_key_sql(self, plan: MergePlan) -> str:
        return self._merge_text(plan).build_repeated_key()

    def build_blank_key_sql(self, plan: MergePlan, padded: Collection[str]) -> str:
        return self._merge_text(plan).build_blank_key(padded)

    def build_exactness_sql(self, plan: MergePlan) -> tuple[tuple[str, str], ...]:
        """None: the load compares every value with what the column makes of it, and knows the row."""
        return ()

    def estimate_rows(self, query: Query, sql: str) -> int | None:
        return catalogue.estimate_rows(query, sql)

    def find_rebuild(self, query: Query, table: TableName) -> Rebuild:
        return indexes.find_rebuild(query, table, self.quote_identifier, self.quote_literal)

    def find_onward_obstacle(self, query: Query) -> str:
        """With a rollback journal a transaction that outgrows SQLite's memory shuts readers out until it ends."""
        mode = query("PRAGMA main.journal_mode").first_cell()
        return "" if mode == "wal" else f"readers of a file without a write-ahead log would wait (its journal: {mode})"

    def build_onward_sql(self, plan: MergePlan) -> tuple[Statement, ...]:
        return self._merge_text(plan).build_onward()

    def list_filled(self, columns: Sequence[StagedColumn]) -> tuple[str, ...]:
        """A column that may be the row's number, which SQLite makes up for a NULL; others it keeps as declared."""
        return tuple(
            column.dest.name
            for column in columns
            if column.dest.in_key and not column.dest.nullable and column.dest.type.strip().upper() == "INTEGER"
        )

    def build_merge_sql(self, plan: MergePlan) -> tuple[Statement, ...]:
        return self.build_around(plan, (), ())

    def build_around(
        self, plan: MergePlan, before: Sequence[Statement], behind: Sequence[Statement]
    ) -> tuple[Statement, ...]:
        """Within what keeps the rows that are changed, so that all can be taken back."""
        changes = self.build_versions_sql(plan) if plan.history else self._merge_text(plan).build()
        begin, end = undoing.build_begin(plan, self.quote_identifier), undoing.build_end(plan, self.quote_identifier)
        return (*begin, *before, *changes, *behind, *end)

    def find_unkept(self, query: Query, plan: MergePlan, keeping: Keeping) -> str:
        return undoing.find_unkept(keeping.names)

    def find_kept(self, query: Query, images: TableName) -> Kept | None:
        return undoing.find_kept(query, images, self.get_columns(query, images), self.quote_identifier)

    def find_triggers(self, query: Query, dest: TableName) -> tuple[Fires, ...]:
        return undoing.find_triggers(query, self.quote_literal(dest.name), self.quote_identifier)

    def build_touched_sql(self, undo: Undo, later: Kept) -> str:
        return undoing.UndoText(undo, self.quote_identifier, self.quote_literal).build_touched(later)

    def build_undo_sql(self, undo: Undo, triggers: Sequence[Fires]) -> tuple[Statement, ...]:
        return undoing.UndoText(undo, self.quote_identifier, self.quote_literal).build(triggers)

    def build_drop_images_sql(self, images: TableName) -> tuple[str, ...]:
        return (self.build_drop_table_sql(images),)

    def build_foreseen(self, plan: MergePlan) -> Foreseen:
        return self._merge_text(plan).build_foreseen()

    def build_children_sql(self, plan: MergePlan, reference: Reference) -> str:
        return self._around_text(plan).build_children(reference)

    def build_moved_sql(self, plan: MergePlan, reference: Reference) -> str:
        return self._around_text(plan).build_moved(reference)

    def build_index_sql(self, plan: MergePlan) -> tuple[str, ...]:
        return self._around_text(plan).build_index()

    def build_versions(self, plan: MergePlan) -> VersionsText:
        return self._merge_text(plan).build_versions(self.build_vanishing(plan))

    def _write_flag(self, flag: bool) -> str:
        return str(int(flag))

    def build_vanishing(self, plan: MergePlan) -> VanishingText:
        return self._around_text(plan).build_vanishing()

    def _write_moment(self, literal: str, type_text: str) -> str:
        """Times are texts here; a cast to a type that SQLite does not know would make numbers of them."""
        return literal

    def build_look(self, plan: MergePlan) -> Look | None:
        return self._around_text(plan).build_look()

    def build_remainder(self, value: str, divisor: int) -> str:
        return f"{value} % {divisor}"

    def read_compared(self, text: str | None, type_text: str) -> str | None:
        return around.read_quoted(text)

    def build_bags(self, plan: MergePlan) -> Bags:
        return self._around_text(plan).build_bags()

    def build_present_sql(self, plan: MergePlan) -> str:
        return self._around_text(plan).build_present()

    def _around_text(self, plan: MergePlan) -> AroundText:
        return AroundText(plan, self.quote_identifier, self.quote_literal)

    def build_ledger_sql(self, entry: LedgerEntry) -> tuple[Statement, ...]:
        table = self.quote_table(self.ledger_table())
        return (Statement(sql=build_ledger_row(table, entry, "merged", self.quote_literal), name="ledger"),)

    def build_fence_sql(self, entry: LedgerEntry) -> str:
        return build_ledger_row(self.quote_table(self.ledger_table()), entry, "fenced", self.quote_literal)

    def build_outcome_sql(self, run_key: str) -> str:
        table = self.quote_table(self.ledger_table())
        return f"SELECT state FROM {table} WHERE run_key = {self.quote_literal(run_key)}"


def _bad_url(message: str) -> Invalid:
    return Invalid(message, field="jdbc_url", hint=f"For example: {SqliteDriver.url_example}")


def _parse_option(part: str) -> tuple[str, str]:
    name, _, value = part.partition("=")
    if name == "attach":
        return name, value
    if name != "busy_timeout":
        raise _bad_url(
            f"The parameter '{name}' is not allowed in an SQLite URL; 'busy_timeout' (in ms) and 'attach' are."
        )
    if not value.isascii() or not value.isdigit() or len(value) > 9:
        raise _bad_url(f"'busy_timeout' is a number of milliseconds, not '{value}'.")
    return name, value


def _restore_names(columns: list[ResultColumn]) -> list[ResultColumn]:
    """`a`, `a:1` -> `a`, `a`."""
    seen: set[str] = set()
    restored = []
    for column in columns:
        base = _RENAMED.sub("", column.name)
        name = base if base.lower() in seen else column.name
        seen.add(name.lower())
        restored.append(ResultColumn(name=name, type=column.type))
    return restored


DRIVER = SqliteDriver()
