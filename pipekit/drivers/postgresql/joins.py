# How staging and dest are joined in PostgreSQL: key comparisons, and which joins the planner may use. Pure text.
"""Joins whose cost grows with the rows, whatever the dest's statistics say.

A nested loop over two tables costs the product of their rows. The planner takes one when it believes that the dest has
next to no rows: a table that was vacuumed while it was empty, or when all but a few rows had been deleted. An index
does not look better to it then, so nothing is lost by forbidding the loop; a dest it knows to be large is left to it.
"""

from collections.abc import Mapping

from pipekit.drivers.base import MergePlan, StagedColumn, TableName
from pipekit.drivers.postgresql.names import quote_identifier, quote_table, quote_text
from pipekit.drivers.postgresql.types import IDENTICAL, build_cast, parse_type
from pipekit.runner_contract import Statement

# With this many rows to expect, hashing is the cheaper plan of the two by far, or an index is.
_MANY = 1000

# An index serves better than a hash while the dest is so many times as large as what is staged, and lies in memory; one
# that does not, while it is that many times as large.
_TIMES, _TIMES_ON_DISK = 8, 100

# The dest, its partitions and children; of a view what it reads. `rows` is at most what the planner will expect: the
# rows per page of its last look, times the pages of now.
_CHOICE = """\
WITH RECURSIVE part AS (
  SELECT CAST(CAST({dest} AS pg_catalog.regclass) AS pg_catalog.oid) AS id
  UNION
  SELECT next.id FROM part, LATERAL (
    SELECT i.inhrelid FROM pg_catalog.pg_inherits AS i WHERE i.inhparent = part.id
    UNION ALL
    SELECT d.refobjid FROM pg_catalog.pg_class AS v
    JOIN pg_catalog.pg_rewrite AS r ON r.ev_class = v.oid
    JOIN pg_catalog.pg_depend AS d ON d.objid = r.oid AND d.classid = CAST('pg_catalog.pg_rewrite' AS regclass)
      AND d.refclassid = CAST('pg_catalog.pg_class' AS regclass)
    WHERE v.oid = part.id AND v.relkind = 'v'
  ) AS next (id)
), expected AS (
  SELECT pg_catalog.sum(
    p.pages * CASE WHEN c.reltuples >= 0 AND c.relpages > 0 THEN c.reltuples / c.relpages ELSE 1 END) AS rows{more}
  FROM part JOIN pg_catalog.pg_class AS c ON c.oid = part.id AND c.relkind IN ('r', 'm'),
    LATERAL (SELECT pg_catalog.pg_relation_size(c.oid)
      / CAST(pg_catalog.current_setting('block_size') AS integer)) AS p (pages)
)
SELECT pg_catalog.set_config('enable_nestloop', 'off', true) FROM expected WHERE coalesce(rows, 0) < {many}"""

_SIZE = """,
    pg_catalog.sum(pg_catalog.pg_relation_size(c.oid)) AS bytes"""
_INDEX = """
UNION ALL
SELECT pg_catalog.set_config(j.name, 'off', true)
FROM expected, (VALUES ('enable_hashjoin'), ('enable_mergejoin')) AS j (name)
WHERE rows >= {many} AND bytes > pg_catalog.pg_relation_size({staging}) * CASE
  WHEN bytes <= pg_catalog.pg_size_bytes(pg_catalog.current_setting('effective_cache_size')) THEN {times}
  ELSE {times_on_disk} END"""

# Where the server has memory staged rows are sorted by their key in it: on disk that takes a third of the merge.
_MOST_SORTED_KB = 131_072
_MEMORY = """
UNION ALL
SELECT pg_catalog.set_config('work_mem', greatest(now.kb, least({most}, now.shared / 4, now.wanted)) || 'kB', true)
FROM (SELECT pg_catalog.pg_size_bytes(pg_catalog.current_setting('work_mem')) / 1024 AS kb,
  pg_catalog.pg_size_bytes(pg_catalog.current_setting('shared_buffers')) / 1024 AS shared,
  pg_catalog.pg_relation_size({staging}) / 512 AS wanted) AS now"""

# Of a table of staged rows: they stay whole up to a page, and wide ones load a third faster.
WHOLE_ROWS = "toast_tuple_target = 8160"

# Rows with a NULL in the key: no index finds them, and how many there are no statistics say for certain.
NO_NESTED_LOOPS = Statement(sql="SET LOCAL enable_nestloop TO off")


def name_dest(plan: MergePlan) -> str:
    """The dest in FROM, UPDATE, DELETE and TRUNCATE; tables that inherit from it are not part of it."""
    return f"{'ONLY ' if plan.only else ''}{quote_table(plan.dest)}"


def build_value(column: StagedColumn, alias: str = "s") -> str:
    """A staged value as the dest takes it."""
    value = f"{alias}.{quote_identifier(column.dest.name)}"
    return value if column.stage_type is None else build_cast(value, column.stage_type, column.dest.type)


def list_key_columns(plan: MergePlan) -> list[StagedColumn]:
    """The columns of the merge key, in its order."""
    by_name = {column.dest.name: column for column in plan.columns}
    return [by_name[name] for name in plan.key]


def build_key_list(plan: MergePlan) -> str:
    """The merge key of staged rows, as the dest takes it and under its names."""
    return ", ".join(f"{build_value(c)} AS {quote_identifier(c.dest.name)}" for c in list_key_columns(plan))


def is_written(column: StagedColumn, key: tuple[str, ...]) -> bool:
    """Whether an update writes a column: a key that is equal may still be another value, 1.0 and 1.00 for one."""
    if column.dest.name not in key:
        return True
    return not column.dest.identity and parse_type(column.dest.type).base not in IDENTICAL


def build_join_choice(dest: TableName) -> Statement:
    """Forbids nested loops for the rest of the transaction where the planner may take a large dest for an empty one."""
    return Statement(sql=_CHOICE.format(dest=quote_text(quote_table(dest)), many=_MANY, more=""))


def build_index_choice(plan: MergePlan) -> Statement:
    """The same, and forbids all else where a large dest is best searched by the index on its key.

    The planner expects each search to read pages of its own; staged rows come in the key's order, sorted in memory.
    """
    text = (_CHOICE + _INDEX + _MEMORY.replace("{most}", str(_MOST_SORTED_KB))).replace("{more}", _SIZE)
    staging, dest = quote_text(quote_table(plan.staging)), quote_text(quote_table(plan.dest))
    return Statement(
        sql=text.format(dest=dest, staging=staging, many=_MANY, times=_TIMES, times_on_disk=_TIMES_ON_DISK)
    )


def build_counted(parts: str, counted: Mapping[str, str]) -> tuple[Statement, ...]:
    """One statement of several parts, and its counts: `counted` says which rows of which part each is of."""
    kept = ", ".join(
        f"pg_catalog.set_config('pipekit.{name}', CAST((SELECT pg_catalog.count(*) FROM {part}) AS text), true)"
        for name, part in counted.items()
    )
    asked = (f"SELECT pg_catalog.current_setting('pipekit.{name}')" for name in counted)
    return (
        Statement(sql=f"WITH {parts}\nSELECT {kept}"),
        *(Statement(sql=sql, name=name, value=True) for name, sql in zip(counted, asked, strict=True)),
    )


def build_same_value(dest: str, staged: str, column: StagedColumn) -> str:
    """Equality of two values in which NULL equals NULL, in a form that can be hashed: arrays compare like that.

    Of an array type there is no array of arrays that would keep NULL apart from empty.
    """
    if not column.dest.nullable:
        return f"{dest} = {staged}"
    if column.dest.type.endswith("[]"):
        empty = f"CAST('{{}}' AS {column.dest.type})"
        return f"coalesce({dest}, {empty}) = coalesce({staged}, {empty}) AND ({dest} IS NULL) = ({staged} IS NULL)"
    return f"ARRAY[{dest}] = ARRAY[{staged}]"
