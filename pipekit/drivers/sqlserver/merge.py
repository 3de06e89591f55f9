# The text of staging, its checks and the merge in SQL Server. Pure text; knows no connection.
"""How rows come into a dest table: staging, checks, merge.

Not by MERGE: it has a history of wrong results and deadlocks, it needs the same hints to be safe against a second
writer, and it counts everything it did as one number. The statements here lock the keys they looked for until the
commit (HOLDLOCK), so that nobody else adds one of them in between; UPDLOCK lets a second writer wait at its first look
instead of at its first write, where both would wait for each other.
"""

from collections.abc import Callable, Iterable, Sequence

from pipekit.drivers.base import MergePlan, StagedColumn, TableName
from pipekit.drivers.sqlserver.exact import build_changed, build_text
from pipekit.drivers.sqlserver.joins import (
    build_differs,
    build_match,
    build_row_match,
    build_staged,
    build_value,
    get_stage_type,
    list_columns,
    list_written,
)
from pipekit.drivers.sqlserver.keeping import build_keeping
from pipekit.drivers.sqlserver.names import quote_identifier, quote_table, quote_text
from pipekit.drivers.sqlserver.types import INCOMPARABLE, parse_type
from pipekit.errors import Invalid
from pipekit.runner_contract import Statement

_ROW = "pipekit_row"


def build_staging_sql(staging: TableName, columns: Sequence[StagedColumn]) -> tuple[str, ...]:
    """Drops and makes the staging table.

    Columns are spelled out: `SELECT ... INTO` would take the dest's identity along. Where values have to be proved
    exact, a last column counts the rows as they arrive, so that the one in the way can be named.
    """
    table = quote_table(staging)
    lines = [
        f"{quote_identifier(c.dest.name)} {get_stage_type(c)} {'NULL' if c.dest.nullable else 'NOT NULL'}"
        for c in columns
    ]
    if any(column.lossy for column in columns):
        lines.append(f"{_name_row(columns)} bigint IDENTITY(1,1) NOT NULL")
    body = ",\n  ".join(lines)
    return (f"DROP TABLE IF EXISTS {table}", f"CREATE TABLE {table} (\n  {body}\n)")


def build_null_key_sql(plan: MergePlan) -> str:
    """How many staged rows have a NULL in the key, and one of their keys."""
    null = " OR ".join(f"s.{quote_identifier(name)} IS NULL" for name in plan.key)
    example = _build_example(plan, lambda column: (build_staged(column), get_stage_type(column)))
    return f"SELECT COUNT_BIG(*), MIN({example})\nFROM {quote_table(plan.staging)} AS s\nWHERE {null}"


def build_repeated_key_sql(plan: MergePlan) -> str:
    """How many keys stand more than once in staging, and one of them; what the dest takes for equal counts as equal."""
    columns = list_columns(plan, plan.key)
    values = [build_value(column) for column in columns]
    named = ", ".join(f"{v} AS {quote_identifier(c.dest.name)}" for v, c in zip(values, columns, strict=True))
    example = _build_example(plan, lambda c: (f"r.{quote_identifier(c.dest.name)}", c.dest.type))
    return (
        f"SELECT COUNT_BIG(*), MIN({example})\nFROM (\n  SELECT {named}\n  FROM {quote_table(plan.staging)} AS s\n"
        f"  GROUP BY {', '.join(values)}\n  HAVING COUNT_BIG(*) > 1\n) AS r"
    )


def build_exactness_sql(plan: MergePlan) -> tuple[tuple[str, str], ...]:
    """For each lossy column the first staged row whose value the dest would change."""
    return tuple((c.dest.name, _build_exactness(plan, c)) for c in plan.columns if c.lossy)


def build_merge_sql(plan: MergePlan) -> tuple[Statement, ...]:
    """The merge between the ledger row and the commit. Raises Invalid for a key or an identity it cannot do."""
    for column in list_columns(plan, plan.key):
        if parse_type(column.dest.type).base in INCOMPARABLE:
            message = f"The merge key cannot hold '{column.dest.name}': {column.dest.type} cannot be compared."
            raise Invalid(message, field="merge_key")
    if plan.keeps:
        same = build_row_match(plan)
        return build_keeping(plan, _build_update(plan, same, plan.row_key), _build_missing_insert(plan, same))
    if plan.strategy == "full":
        return (*_build_emptying(plan), *_build_insert(plan, hint=" WITH (TABLOCK)"))
    if plan.strategy == "incremental":
        return (_build_delete(plan), *_build_insert(plan))
    if plan.strategy == "upsert":
        same = build_match(plan, plan.key, nulls=plan.null_keys)
        return (*_build_update(plan, same, plan.key), *_build_missing_insert(plan, same))
    return _build_insert(plan)


def _name_row(columns: Iterable[StagedColumn]) -> str:
    taken = {column.dest.name.casefold() for column in columns}
    name = _ROW
    while name in taken:
        name += "_"
    return quote_identifier(name)


def _build_exactness(plan: MergePlan, column: StagedColumn) -> str:
    staged, stage_type, row = build_staged(column), get_stage_type(column), f"s.{_name_row(plan.columns)}"
    return (
        f"SELECT TOP (1) {row}, {build_text(staged, stage_type)}\nFROM {quote_table(plan.staging)} AS s\n"
        f"WHERE {build_changed(staged, stage_type, column.dest.type)}\nORDER BY {row}"
    )


def _build_example(plan: MergePlan, read: Callable[[StagedColumn], tuple[str, str]]) -> str:
    """A key as text; `read` gives a column's expression and type."""
    pairs = []
    for column in list_columns(plan, plan.key):
        expression, type_text = read(column)
        shown = f"COALESCE({build_text(expression, type_text, '200')}, N'NULL')"
        pairs.append(f"{quote_text(f'{column.dest.name} = ')}, {shown}")
    listed = ", N', ', ".join(pairs)
    return f"CONCAT({listed})"


def _build_insert(plan: MergePlan, where: str = "", hint: str = "") -> tuple[Statement, ...]:
    """An identity column of the dest that is fed keeps the source's values."""
    dest = quote_table(plan.dest)
    names = ", ".join(quote_identifier(column.dest.name) for column in plan.columns)
    values = ", ".join(map(build_value, plan.columns))
    text = f"INSERT INTO {dest}{hint} ({names})\nSELECT {values}\nFROM {quote_table(plan.staging)} AS s{where}"
    insert = Statement(sql=text, name="inserted")
    if not any(column.dest.identity for column in plan.columns):
        return (insert,)
    switch = f"SET IDENTITY_INSERT {dest}"
    return (Statement(sql=f"{switch} ON"), insert, Statement(sql=f"{switch} OFF"))


def _build_emptying(plan: MergePlan) -> tuple[Statement, ...]:
    """TRUNCATE gives no count: the rows are counted before, under the lock that it needs anyway."""
    dest = quote_table(plan.dest)
    if not plan.can_truncate:
        return (Statement(sql=f"DELETE FROM {dest} WITH (TABLOCK)", name="deleted"),)
    count = f"SELECT COUNT_BIG(*) FROM {dest} WITH (TABLOCKX, HOLDLOCK)"
    return (Statement(sql=count, name="deleted", value=True), Statement(sql=f"TRUNCATE TABLE {dest}"))


def _build_delete(plan: MergePlan) -> Statement:
    staging = f"{quote_table(plan.staging)} AS s"
    text = (
        f"DELETE d FROM {quote_table(plan.dest)} AS d WITH (HOLDLOCK)\n"
        f"WHERE EXISTS (SELECT 1 FROM {staging} WHERE {build_match(plan, plan.key, nulls=plan.null_keys)})"
    )
    return Statement(sql=text, name="deleted")


def _build_update(plan: MergePlan, equal: str, key: tuple[str, ...]) -> tuple[Statement, ...]:
    """Counts the rows that meet, by a key, then writes those that differ.

    A row that is the same is not written: it would get a new rowversion, fire triggers and fill the log. The count
    comes first because it also takes the locks.
    """
    dest, staging = quote_table(plan.dest), f"{quote_table(plan.staging)} AS s"
    count = f"SELECT COUNT_BIG(*)\nFROM {dest} AS d WITH (UPDLOCK, HOLDLOCK)\nJOIN {staging} ON {equal}"
    counted = Statement(sql=count, name="matched" if plan.leaves else "updated", value=True)
    columns = list_written(plan, key)
    for column in columns:
        if column.dest.identity:
            message = f"{plan.strategy} cannot change '{column.dest.name}': an identity column that is not in the key."
            hint = "Use incremental, or put the column into the key."
            raise Invalid(message, field="merge_strategy", hint=hint)
    if not columns:
        return (counted,)
    assigned = ", ".join(f"{quote_identifier(c.dest.name)} = {build_value(c)}" for c in columns)
    update = f"UPDATE d SET {assigned}\nFROM {dest} AS d\nJOIN {staging} ON {equal}\nWHERE {build_differs(columns)}"
    return (counted, Statement(sql=update, name="updated" if plan.leaves else ""))


def _build_missing_insert(plan: MergePlan, equal: str) -> tuple[Statement, ...]:
    missing = f"SELECT 1 FROM {quote_table(plan.dest)} AS d WITH (UPDLOCK, HOLDLOCK) WHERE {equal}"
    return _build_insert(plan, f"\nWHERE NOT EXISTS ({missing})")
