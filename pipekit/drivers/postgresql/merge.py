# The text of staging, its checks and the merge in PostgreSQL. Pure text; knows no connection.
"""How rows come into a dest table: staging, checks, merge."""

from collections.abc import Callable, Collection, Iterable, Sequence

from pipekit.drivers.base import MergePlan, StagedColumn, TableName
from pipekit.drivers.postgresql.changed import build_changed
from pipekit.drivers.postgresql.joins import WHOLE_ROWS, build_key_list, build_value, list_key_columns, name_dest
from pipekit.drivers.postgresql.keeping import build_keeping
from pipekit.drivers.postgresql.keyed import build_incremental, build_insert, build_upsert
from pipekit.drivers.postgresql.names import quote_identifier, quote_table
from pipekit.drivers.postgresql.rebuild import build_lock, build_make
from pipekit.drivers.postgresql.undo import build_begin, build_end
from pipekit.drivers.rebuilding import build_drop
from pipekit.runner_contract import Statement

# Nothing tends a table that lives for one run.
_STORAGE = f"{WHOLE_ROWS}, autovacuum_enabled = false"


def build_staging_sql(staging: TableName, dest: TableName, columns: Sequence[StagedColumn]) -> tuple[str, ...]:
    """Drops and makes the staging table; it takes types, domains and collations from the dest's own columns."""
    table = quote_table(staging)
    chosen = ",\n  ".join(_build_staged(column) for column in columns)
    like = f"SELECT\n  {chosen}\nFROM {quote_table(dest)}\nWITH NO DATA"
    create = f"CREATE UNLOGGED TABLE {table} WITH ({_STORAGE}) AS\n{like}"
    fixed = [f"ALTER COLUMN {quote_identifier(c.dest.name)} SET NOT NULL" for c in columns if not c.dest.nullable]
    alter = (f"ALTER TABLE {table} " + ", ".join(fixed),) if fixed else ()
    return (f"DROP TABLE IF EXISTS {table}", create, *alter)


def build_mark_check_sql(staging: TableName, mark: str, literal: Callable[[str], str]) -> tuple[Statement, ...]:
    """First the lock, then the look: what is seen then stays until the commit."""
    table = quote_table(staging)
    count = (
        "SELECT pg_catalog.count(*) FROM pg_catalog.pg_class AS c\n"
        "JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace\n"
        f"WHERE n.nspname = {literal(staging.schema or '')} AND c.relname = {literal(staging.name)}\n"
        f"  AND pg_catalog.obj_description(c.oid, 'pg_class') = {literal(mark)}"
    )
    return (
        Statement(sql=f"LOCK TABLE {table} IN ACCESS SHARE MODE"),
        Statement(sql=count, name="mark", value=True),
    )


def build_null_key_sql(plan: MergePlan) -> str:
    """How many staged rows have a NULL in the key, and one of their keys."""
    keys = [quote_identifier(name) for name in plan.key]
    return (
        f"SELECT pg_catalog.count(*), pg_catalog.min({_build_example(plan, keys)})\n"
        f"FROM {quote_table(plan.staging)}\nWHERE {' OR '.join(f'{key} IS NULL' for key in keys)}"
    )


def build_repeated_key_sql(plan: MergePlan) -> str:
    """How many keys stand more than once in staging, and one of them."""
    keys = [quote_identifier(name) for name in plan.key]
    nullable = [c for c in list_key_columns(plan) if c.dest.nullable and not plan.null_keys]
    known = " AND ".join(f"s.{quote_identifier(column.dest.name)} IS NOT NULL" for column in nullable)
    return (
        f"SELECT pg_catalog.count(*), pg_catalog.min({_build_example(plan, keys)})\n"
        f"FROM (\n  SELECT {build_key_list(plan)}\n  FROM {quote_table(plan.staging)} AS s\n"
        f"{f'  WHERE {known}{chr(10)}' if known else ''}"
        f"  GROUP BY {', '.join(str(number + 1) for number in range(len(keys)))}\n"
        "  HAVING pg_catalog.count(*) > 1\n) AS repeated"
    )


def build_blank_key_sql(plan: MergePlan, padded: Collection[str]) -> str:
    """How many dest rows have a staged key but for blanks at its end, and one of them."""
    same, other = [], []
    for column in list_key_columns(plan):
        dest, staged = f"d.{quote_identifier(column.dest.name)}", build_value(column)
        blank = column.dest.name in padded
        same.append(f"rtrim({dest}) = rtrim({staged})" if blank else f"{dest} = {staged}")
        other += [f"{dest} <> {staged}"] if blank else []
    example = _build_example(plan, [f"d.{quote_identifier(name)}" for name in plan.key])
    return (
        f"SELECT pg_catalog.count(*), pg_catalog.min({example})\n"
        f"FROM {name_dest(plan)} AS d JOIN {quote_table(plan.staging)} AS s ON {' AND '.join(same)}\n"
        f"WHERE {' OR '.join(other)}"
    )


def build_exactness_sql(plan: MergePlan) -> tuple[tuple[str, str], ...]:
    """For each lossy column the first staged row whose value the dest would change."""
    return tuple(
        (column.dest.name, _build_exactness(plan.staging, column)) for column in plan.columns if _is_converted(column)
    )


def build_merge_sql(
    plan: MergePlan, before: Sequence[Statement] = (), behind: Sequence[Statement] = ()
) -> tuple[Statement, ...]:
    """The merge between the ledger row and the commit, with what else changes the dest.

    What may be checked late is checked when all rows are there; what fires late fires before anybody looks.
    """
    late = (Statement(sql="SET CONSTRAINTS ALL DEFERRED"),) if plan.referring else ()
    due = (Statement(sql="SET CONSTRAINTS ALL IMMEDIATE"),) if plan.referring or plan.fires else ()
    due = due or ((Statement(sql="SET CONSTRAINTS ALL IMMEDIATE"),) if plan.rebuild else ())
    lock = build_lock(plan) if plan.strategy != "full" else ()
    changes = (*before, *_build_strategy(plan), *behind)
    return (*lock, *build_begin(plan), *late, *changes, *due, *build_end(plan), *build_make(plan))


def _build_strategy(plan: MergePlan) -> tuple[Statement, ...]:
    if plan.history:
        return ()
    if plan.keeps:
        return build_keeping(plan, build_insert(plan).sql)
    if plan.strategy == "full":
        return (*build_emptying(plan), build_insert(plan))
    if plan.strategy == "incremental":
        return build_incremental(plan)
    if plan.strategy == "upsert":
        return build_upsert(plan)
    return (*build_drop(plan), build_insert(plan))


def _is_converted(column: StagedColumn) -> bool:
    return column.lossy and column.stage_type is not None


def _build_staged(column: StagedColumn) -> str:
    name = quote_identifier(column.dest.name)
    return name if column.stage_type is None else f"CAST(NULL AS {column.stage_type}) AS {name}"


def _build_exactness(staging: TableName, column: StagedColumn) -> str:
    table, name = quote_table(staging), quote_identifier(column.dest.name)
    changed = build_changed(f"s.{name}", column.stage_type or column.dest.type, column.dest.type)
    row_number = f"(SELECT pg_catalog.count(*) FROM {table} AS before WHERE before.ctid <= s.ctid)"
    return f"SELECT {row_number}, CAST(s.{name} AS text)\nFROM {table} AS s\nWHERE {changed}\nLIMIT 1"


def _build_example(plan: MergePlan, keys: Iterable[str]) -> str:
    pairs = [
        f"'{name.replace(chr(39), chr(39) * 2)} = ' || coalesce(CAST({key} AS text), 'NULL')"
        for name, key in zip(plan.key, keys, strict=True)
    ]
    return " || ', ' || ".join(pairs)


def build_emptying(plan: MergePlan) -> tuple[Statement, ...]:
    """Counts once: after TRUNCATE the rows that were there are the rows that were deleted."""
    dest = name_dest(plan)
    if not plan.can_truncate:
        count = Statement(sql=f"SELECT pg_catalog.count(*) FROM {dest}", name="before", value=True)
        return (count, Statement(sql=f"DELETE FROM {dest}", name="deleted"))
    count_sql = f"SELECT pg_catalog.set_config('pipekit.rows', CAST(pg_catalog.count(*) AS text), true) FROM {dest}"
    return (
        Statement(sql=f"LOCK TABLE {dest} IN ACCESS EXCLUSIVE MODE"),
        Statement(sql=count_sql, name="before", value=True),
        Statement(sql="SELECT pg_catalog.current_setting('pipekit.rows')", name="deleted", value=True),
        *build_drop(plan),
        Statement(sql=f"TRUNCATE TABLE {dest}"),
    )
