# The PostgreSQL driver: gathers the text of its neighbours behind the contract. Pure text; knows no connection.
"""`PostgresDriver`."""

from collections.abc import Collection, Sequence

from pipekit.drivers import typetext
from pipekit.drivers.altering import Standing
from pipekit.drivers.bags import Bags
from pipekit.drivers.base import (
    Address,
    Driver,
    FedSequence,
    LedgerEntry,
    MergePlan,
    StagedColumn,
    TableColumn,
    TableFacts,
    TableInfo,
    TableName,
)
from pipekit.drivers.comparing import Digests
from pipekit.drivers.facts import Keeping, Look, MadeType, Rebuild, Reference, Swap
from pipekit.drivers.foreseen import Foreseen
from pipekit.drivers.postgresql import (
    altering,
    catalogue,
    digests,
    explain,
    facts,
    filling,
    foreseen,
    held,
    joins,
    keeping,
    keyed,
    ledger,
    merge,
    missing,
    names,
    rebuild,
    sequences,
    turns,
    types,
    undo,
    undoing,
    versions,
)
from pipekit.drivers.postgresql.swap import entrance
from pipekit.drivers.types import Type
from pipekit.drivers.undoing import Fires, Kept, Undo
from pipekit.drivers.vanishing import VanishingText
from pipekit.drivers.versions import VersionsText
from pipekit.models.altering import Change
from pipekit.runner_contract import Query, ResultColumn, Statement


class PostgresDriver(Driver):
    """PostgreSQL 12 and later."""

    kind = "postgresql"
    can_version = True
    label = "PostgreSQL"
    url_example = names.URL_EXAMPLE
    schema_told = "its search_path leads to none that exists"
    schema_mend = "set currentSchema in the address"
    version_sql = "SELECT current_setting('server_version')"
    max_identifier_bytes = names.MAX_IDENTIFIER_BYTES
    supports_comments = True
    compares_bytes = True
    trims_by_sql = True
    keeps_rows = True
    keeps_lengths = True
    can_swap = True
    can_rebuild = True
    leaves_rows = True
    can_fill = True
    busy_state = "55P03"
    can_undo = True
    number_dates = types.NUMBER_DATES
    type_pattern = typetext.POSTGRESQL
    type_examples = (
        "smallint", "integer", "bigint", "boolean", "real", "double precision", "numeric", "numeric(10,2)",
        "numeric(38,10)", "money", "text", "character varying(40)", "character(3)", "bytea", "date",
        "time without time zone", "time with time zone", "timestamp without time zone",
        "timestamp(3) without time zone", "timestamp with time zone", "interval", "uuid", "json", "jsonb", "xml",
        "integer[]", "inet", "int4range",
    )  # fmt: skip

    # -- addresses and names -------------------------------------------------------------------------------------------

    def parse_url(self, jdbc_url: str) -> Address:
        return names.parse_url(jdbc_url)

    def quote_identifier(self, name: str) -> str:
        return names.quote_identifier(name)

    def read_table(self, text: str) -> tuple[tuple[str, bool], ...]:
        return names.read_table(text)

    def fold_name(self, name: str) -> str:
        return names.fold_name(name)

    def find_table(self, query: Query, table: TableName) -> TableName | None:
        return catalogue.find_table(query, self.quote_literal(self.quote_table(table)))

    def find_session_schema(self, query: Query) -> str | None:
        return catalogue.find_session_schema(query)

    # -- types ---------------------------------------------------------------------------------------------------------

    def to_neutral(self, type_text: str) -> Type:
        return types.to_neutral(type_text)

    def from_neutral(self, neutral: Type) -> str:
        return types.from_neutral(neutral)

    def trimmed_type(self, type_text: str) -> str:
        return types.drop_padding(type_text)

    def stage_column(self, source: ResultColumn, source_driver: Driver, dest: TableColumn) -> StagedColumn:
        """Equal and wider types are staged as the dest's; another PostgreSQL type as its own, and cast by the merge.

        Values of another kind of database are checked one by one while they are loaded, against the dest's own type.
        """
        if source_driver.kind != self.kind:
            return _stage_foreign(source_driver.to_neutral(source.type), source, dest)
        one, two = types.parse_type(source.type), types.parse_type(dest.type)
        stage_type = source.type if one.is_built_in else "text"
        under = types.parse_type(dest.under or dest.type).base
        if one.base in types.PADDED and under in types.STRINGS.difference(types.PADDED):
            stage_type = "text"  # a cast from character(n) would drop its blanks
        if source.type in ("", dest.type) or types.is_exact_widening(one, two) or stage_type == dest.type:
            return StagedColumn(source=source, dest=dest)
        return StagedColumn(source=source, dest=dest, stage_type=stage_type, lossy=True)

    def find_made_types(
        self, source: Driver, ask_source: Query, ask_dest: Query, types: Sequence[str], *, creates: bool
    ) -> dict[str, MadeType]:
        if source.kind != self.kind:
            return {}
        return missing.find_made_types(ask_source, ask_dest, self.quote_literal, types, creates=creates)

    def build_bytes_sum(self, value: str) -> str:
        """`octet_length` alone counts the blanks that fill up a char(n)."""
        is_utf8 = "pg_catalog.current_setting('server_encoding') = 'UTF8'"
        return f"CASE WHEN {is_utf8} THEN SUM(pg_catalog.octet_length({value})) END"

    # -- looking -------------------------------------------------------------------------------------------------------

    def list_schemas(self, query: Query) -> list[str]:
        return catalogue.list_schemas(query, self.quote_literal, self.staging_schema)

    def list_tables(self, query: Query, schema: str) -> list[TableInfo]:
        return catalogue.list_tables(query, self.quote_literal, schema)

    def get_columns(self, query: Query, table: TableName) -> list[TableColumn]:
        return catalogue.get_columns(query, self.quote_literal, table)

    def column_inventory(self, query: Query, schema: str) -> dict[str, list[TableColumn]]:
        return catalogue.column_inventory(query, self.quote_literal, schema)

    def get_table_facts(self, query: Query, table: TableName) -> TableFacts:
        return facts.get_table_facts(query, self.quote_literal, table)

    def find_query_table(self, query: Query, text: str) -> TableName | None:
        return catalogue.find_table(query, self.quote_literal(text))

    def list_looks(self, table: TableName) -> tuple[str, ...]:
        return (
            catalogue.build_find_sql(self.quote_literal(self.quote_table(table))),
            facts.build_facts_sql(self.quote_literal, table),
            catalogue.build_columns_sql(self.quote_literal, table),
            sequences.build_list_sql(self.quote_literal, table),
            ledger.build_setup_look(self.quote_literal, self.ledger_table()),
        )

    def list_sequences(self, query: Query, table: TableName, columns: Sequence[str]) -> tuple[FedSequence, ...]:
        return sequences.list_sequences(query, self.quote_literal, table, columns)

    def find_swap(self, query: Query, table: TableName) -> Swap:
        return entrance.find_swap(query, self.quote_literal, table)

    def find_rebuild(self, query: Query, table: TableName) -> Rebuild:
        return rebuild.find_rebuild(query, self.quote_literal, table)

    def may_search_apart(self, query: Query, plan: MergePlan, rows: int) -> bool:
        return keyed.may_search_apart(query, plan, rows)

    def build_proof_sql(self, plan: MergePlan) -> str:
        return keyed.build_proof(plan)

    def tell_rebuilt(self, message: str) -> str:
        return rebuild.tell_rebuilt(message)

    def find_setup_sql(self, query: Query) -> tuple[str, ...]:
        return ledger.find_setup_sql(query, self.quote_literal, self.ledger_table())

    # -- tables and staging --------------------------------------------------------------------------------------------

    def find_key_refusal(self, columns: Sequence[TableColumn]) -> str:
        unordered = [column.type for column in columns if types.parse_type(column.type).base in types.UNORDERED]
        return f"{unordered[0]} has no order" if unordered else ""

    def build_key_index_sql(self, table: TableName, names: Sequence[str]) -> tuple[str, ...]:
        """PostgreSQL finds a name that is free."""
        return (f"CREATE INDEX ON {self.quote_table(table)} ({', '.join(map(self.quote_identifier, names))})",)

    def build_comment_sql(self, table: TableName, column: str, comment: str) -> str:
        name = f"{self.quote_table(table)}.{self.quote_identifier(column)}"
        return f"COMMENT ON COLUMN {name} IS {self.quote_literal(comment)}"

    def build_staging_sql(
        self, staging: TableName, dest: TableName, columns: Sequence[StagedColumn]
    ) -> tuple[str, ...]:
        return merge.build_staging_sql(staging, dest, columns)

    def build_swap_table_sql(self, plan: MergePlan) -> tuple[str, ...]:
        return entrance.build_table_sql(plan)

    def build_fitting_sql(self, plan: MergePlan) -> tuple[str, ...]:
        return entrance.build_fitting_sql(plan)

    def name_fitted(self, plan: MergePlan, text: str) -> str:
        return entrance.name_fitted(plan, text)

    def build_mark_sql(self, staging: TableName, mark: str) -> tuple[str, ...]:
        return (f"COMMENT ON TABLE {self.quote_table(staging)} IS {self.quote_literal(mark)}",)

    def build_mark_check_sql(self, staging: TableName, mark: str) -> tuple[Statement, ...]:
        return merge.build_mark_check_sql(staging, mark, self.quote_literal)

    def build_turn_sql(self, plan: MergePlan) -> tuple[Statement, ...]:
        return turns.build_turn(plan)

    def build_analyze_sql(self, plan: MergePlan) -> tuple[str, ...]:
        """Of the key alone: nothing else decides how rows are found, and all columns take three times as long."""
        key = ", ".join(map(self.quote_identifier, plan.key or plan.row_key))
        return (f"ANALYZE {self.quote_table(plan.staging)} ({key})",)

    # -- checks and merge ----------------------------------------------------------------------------------------------

    def build_null_key_sql(self, plan: MergePlan) -> str:
        return merge.build_null_key_sql(plan)

    def build_repeated_key_sql(self, plan: MergePlan) -> str:
        return merge.build_repeated_key_sql(plan)

    def build_blank_key_sql(self, plan: MergePlan, padded: Collection[str]) -> str:
        return merge.build_blank_key_sql(plan, padded)

    def build_exactness_sql(self, plan: MergePlan) -> tuple[tuple[str, str], ...]:
        return merge.build_exactness_sql(plan)

    def is_of_a_value(self, sqlstate: str) -> bool:
        """Also what a domain or a cast of somebody's own raises, and a cast that there is not; a right is no value."""
        return sqlstate.startswith(("22", "23", "P0", "42")) and sqlstate != "42501"

    def build_merge_sql(self, plan: MergePlan) -> tuple[Statement, ...]:
        if plan.history:
            return merge.build_merge_sql(plan, self.build_versions_sql(plan))
        return entrance.build_swap(plan) if plan.swap else merge.build_merge_sql(plan)

    def build_foreseen(self, plan: MergePlan) -> Foreseen:
        return foreseen.build_foreseen(plan)

    def estimate_rows(self, query: Query, sql: str) -> int | None:
        return filling.estimate_rows(query, sql)

    def list_query_tables(self, query: Query, sql: str) -> tuple[TableName, ...]:
        return explain.list_query_tables(query, sql)

    def build_around(
        self, plan: MergePlan, before: Sequence[Statement], behind: Sequence[Statement]
    ) -> tuple[Statement, ...]:
        """Within what keeps the rows that are changed, so that all can be taken back."""
        return merge.build_merge_sql(plan, before, behind)

    # -- columns that change -------------------------------------------------------------------------------------------

    def find_alter_refusal(self, what: Change, was: TableColumn, to: str) -> str:
        return ""

    def find_standing(self, query: Query, table: TableName, column: str) -> tuple[Standing, ...]:
        return altering.find_standing(query, table, column)

    def build_rename_sql(self, query: Query, table: TableName, column: str, name: str) -> tuple[Statement, ...]:
        return altering.build_rename(table, column, name)

    def build_retype_sql(self, query: Query, table: TableName, column: TableColumn) -> tuple[Statement, ...]:
        was = next(item.type for item in self.get_columns(query, table) if item.name == column.name)
        return altering.build_retype(query, table, column, was)

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
        return versions.build_versions(plan)

    def _override(self, plan: MergePlan) -> str:
        return " OVERRIDING SYSTEM VALUE" if any(column.dest.identity for column in plan.columns) else ""

    def build_vanishing(self, plan: MergePlan) -> VanishingText:
        return keeping.build_vanishing(plan)

    def build_emptying_sql(self, plan: MergePlan) -> tuple[Statement, ...]:
        return filling.build_emptying_sql(plan)

    def build_filled_sql(self, plan: MergePlan) -> tuple[Statement, ...]:
        return filling.build_filled_sql(plan)

    def build_sequence_sql(self, plan: MergePlan, sequence: FedSequence, name: str) -> Statement:
        return sequences.build_move_sql(plan, sequence, name)

    def build_count_sql(self, plan: MergePlan) -> str:
        return f"SELECT pg_catalog.count(*) FROM {joins.name_dest(plan)}"

    def build_children_sql(self, plan: MergePlan, reference: Reference) -> str:
        return keeping.build_children_sql(plan, reference)

    def build_hold_sql(self, plan: MergePlan) -> str:
        return keeping.build_hold_sql(plan)

    def build_moved_sql(self, plan: MergePlan, reference: Reference) -> str:
        return keeping.build_moved_sql(plan, reference)

    def build_look(self, plan: MergePlan) -> Look | None:
        return held.build_look(plan, self.quote_literal)

    def build_bags(self, plan: MergePlan) -> Bags:
        return held.build_bags(plan, self.quote_literal)

    def build_digests(self, source_kind: str, plan: MergePlan, seed: int) -> Digests | None:
        return digests.build_digests(plan, seed) if source_kind == self.kind else None

    def build_present_sql(self, plan: MergePlan) -> str:
        return held.build_present_sql(plan, self.quote_literal)

    # -- undo ----------------------------------------------------------------------------------------------------------

    def find_unkept(self, query: Query, plan: MergePlan, keeping: Keeping) -> str:
        return undo.find_unkept(query, plan, keeping)

    def find_kept(self, query: Query, images: TableName) -> Kept | None:
        return undoing.find_kept(query, images)

    def find_triggers(self, query: Query, dest: TableName) -> tuple[Fires, ...]:
        return undoing.find_triggers(query, dest)

    def build_touched_sql(self, undo: Undo, later: Kept) -> str:
        return undoing.build_touched_sql(undo, later)

    def build_undo_sql(self, undo: Undo, triggers: Sequence[Fires]) -> tuple[Statement, ...]:
        return undoing.build_undo_sql(undo, triggers)

    def build_drop_images_sql(self, images: TableName) -> tuple[str, ...]:
        return undoing.build_drop_images_sql(images)

    # -- ledger and sessions -------------------------------------------------------------------------------------------

    def build_ledger_sql(self, entry: LedgerEntry) -> tuple[Statement, ...]:
        return ledger.build_ledger_sql(self.ledger_table(), self.quote_literal, entry)

    def build_fence_sql(self, entry: LedgerEntry) -> str:
        return ledger.build_fence_sql(self.ledger_table(), self.quote_literal, entry)

    def build_outcome_sql(self, run_key: str) -> str:
        return ledger.build_outcome_sql(self.ledger_table(), self.quote_literal, run_key)

    def build_end_sessions_sql(self, application_name: str) -> str:
        return ledger.build_end_sessions_sql(self.quote_literal, application_name)


def _stage_foreign(neutral: Type, source: ResultColumn, dest: TableColumn) -> StagedColumn:
    """As the dest, except where PostgreSQL would round inside a value that is not looked into: those it compares."""
    type_ = types.parse_type(dest.under or dest.type)
    if type_.base == "record":
        return StagedColumn(source=source, dest=dest, stage_type="text", lossy=True)
    if neutral.name == "char" and neutral.length and type_.base == "character" and not type_.dimensions:
        length, limit = neutral.length, type_.arguments[0]
        if length != limit:  # blanks at the end only fill it up, on either side
            return StagedColumn(source=source, dest=dest, stage_type=f"character({length})", lossy=length > limit)
    rounds_inside = type_.arguments and (type_.dimensions or type_.base == "interval")
    if rounds_inside or type_.fields:
        return StagedColumn(source=source, dest=dest, stage_type=type_.plain(), lossy=True)
    return StagedColumn(source=source, dest=dest, checked=not types.holds_text_of(type_, neutral))


DRIVER = PostgresDriver()
