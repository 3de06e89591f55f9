# The text of merges by a key in PostgreSQL: rows that are deleted, updated, left or added. Pure text.
"""`incremental` and `upsert`.

Where the plan says that rows may be left, those that differ in nothing are not written. Each shape looks for a staged
key once or twice: at once, by an INSERT of what differs that turns into an update where the key is there, or by an
update and an insert of the rest. What differs may be looked for apart from the INSERT: the server does that in several
processes, which it never does for a statement that writes into a table.
"""

from pipekit.drivers.base import MergePlan
from pipekit.drivers.postgresql.differing import build_differs
from pipekit.drivers.postgresql.joins import (
    NO_NESTED_LOOPS,
    WHOLE_ROWS,
    build_counted,
    build_index_choice,
    build_join_choice,
    build_key_list,
    build_same_value,
    build_value,
    is_written,
    list_key_columns,
    name_dest,
)
from pipekit.drivers.postgresql.names import quote_identifier, quote_table, quote_text
from pipekit.drivers.rebuilding import build_drop
from pipekit.errors import Invalid
from pipekit.runner_contract import Query, Statement

# Its files go with the session, or with the server's next start: a crash leaves nothing that has no name.
_DIFFERING = "pg_temp.pipekit_differing"
# Processes search staged rows as they lie: that is as good as sorted where the dest is at hand in memory and they come
# in the order of the key or nearly so. What they find is written twice, which pays where less than half of it differs.
_NEARLY = 0.9
_SAMPLED = 5_000
_MAY_SEARCH = """\
SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMPORARY')
  AND CAST(pg_catalog.current_setting('max_parallel_workers_per_gather') AS integer) > 0
  AND pg_catalog.pg_total_relation_size(CAST({dest} AS pg_catalog.regclass))
    <= pg_catalog.pg_size_bytes(pg_catalog.current_setting('effective_cache_size'))
  AND EXISTS (SELECT FROM pg_catalog.pg_stats AS p WHERE p.schemaname = {schema} AND p.tablename = {table}
    AND p.attname = {column} AND pg_catalog.abs(p.correlation) >= {nearly})
  AND (SELECT 2 * pg_catalog.count(*) FILTER ({where}) < pg_catalog.count(*)
    FROM {staging} AS s TABLESAMPLE SYSTEM ({percent}) REPEATABLE (1)
    {join})"""


def build_incremental(plan: MergePlan) -> tuple[Statement, ...]:
    """Rows of the staged keys are deleted, unless they may be updated."""
    if plan.leaves:
        return build_upsert(plan)
    return (build_join_choice(plan.dest), *_build_deletes(plan), *build_drop(plan), build_insert(plan))


def build_upsert(plan: MergePlan) -> tuple[Statement, ...]:
    """First the keys without a NULL, then, where NULLs match, those with one."""
    _check_identity(plan)
    if plan.at_once:
        return (build_index_choice(plan), *_build_at_once(plan))
    missing = f"NOT EXISTS (SELECT FROM {name_dest(plan)} AS d WHERE "
    equal, same, null = build_equal(plan, ""), build_same(plan, ""), build_null_staged(plan)
    if not plan.null_keys:
        choice = build_index_choice(plan) if plan.leaves and plan.unique else build_join_choice(plan.dest)
        return (choice, *_build_update(plan, equal), build_insert(plan, f"\nWHERE {missing}{equal})"))
    return (
        build_join_choice(plan.dest),
        *_build_update(plan, equal),
        build_insert(plan, f"\nWHERE NOT ({null}) AND {missing}{equal})"),
        NO_NESTED_LOOPS,
        *_build_update(plan, f"({null}) AND {same}"),
        build_insert(plan, f"\nWHERE ({null}) AND {missing}{same})"),
    )


def may_search_apart(query: Query, plan: MergePlan, rows: int) -> bool:
    """Whether processes of the server's may look for what differs of so many rows, and gain by it; staging has been
    analyzed.
    """
    staging = plan.staging
    join, where = _build_differing(plan)
    sql = _MAY_SEARCH.format(
        staging=quote_table(staging),
        percent=min(100.0, 100 * _SAMPLED / rows),
        join=join,
        where=where,
        dest=quote_text(quote_table(plan.dest)),
        schema=quote_text(staging.schema or ""),
        table=quote_text(staging.name),
        column=quote_text(plan.key[0]),
        nearly=_NEARLY,
    )
    return query(sql).first_cell() == "t"


def build_proof(plan: MergePlan) -> str:
    """A unique index on staging like the dest's own: rows are sorted in memory, and by several processes."""
    if not plan.unique or any(column.stage_type for column in list_key_columns(plan)):
        return ""
    return f"CREATE UNIQUE INDEX ON {quote_table(plan.staging)} ({', '.join(map(quote_identifier, plan.key))})"


def build_insert(plan: MergePlan, where: str = "") -> Statement:
    """An identity column of the dest that is fed keeps the source's values."""
    text = f"{_build_into(plan)}\nSELECT {_build_values(plan)}\nFROM {quote_table(plan.staging)} AS s{where}"
    return Statement(sql=text, name="inserted")


def _build_into(plan: MergePlan, alias: str = "") -> str:
    overriding = " OVERRIDING SYSTEM VALUE" if any(column.dest.identity for column in plan.columns) else ""
    names = ", ".join(quote_identifier(column.dest.name) for column in plan.columns)
    return f"INSERT INTO {quote_table(plan.dest)}{alias} ({names}){overriding}"


def _build_values(plan: MergePlan) -> str:
    return ", ".join(build_value(column) for column in plan.columns)


def _check_identity(plan: MergePlan) -> None:
    for column in plan.columns:
        if column.dest.identity and is_written(column, plan.key):
            message = f"upsert cannot change '{column.dest.name}': it is GENERATED ALWAYS AS IDENTITY, not in the key."
            raise Invalid(message, field="merge_strategy", hint="Use incremental, or put the column into the key.")


def build_equal(plan: MergePlan, value: str = "s.{name}", alias: str = "d") -> str:
    """Keys that are equal and not NULL: a plain `=`, so that the planner may hash."""
    return " AND ".join(f"{alias}.{quote_identifier(name)} = {_key_value(plan, name, value)}" for name in plan.key)


def build_same(plan: MergePlan, value: str = "s.{name}") -> str:
    """Keys that are the same with a NULL among them."""
    by_name = {column.dest.name: column for column in plan.columns}
    null = " OR ".join(f"d.{quote_identifier(name)} IS NULL" for name in plan.key)
    same = " AND ".join(
        build_same_value(f"d.{quote_identifier(name)}", _key_value(plan, name, value), by_name[name])
        for name in plan.key
    )
    return f"({null}) AND {same}"


def _key_value(plan: MergePlan, name: str, value: str) -> str:
    if value:
        return value.format(name=quote_identifier(name))
    return next(build_value(column) for column in plan.columns if column.dest.name == name)


def build_null_staged(plan: MergePlan) -> str:
    return " OR ".join(f"s.{quote_identifier(name)} IS NULL" for name in plan.key)


def list_delete_sources(plan: MergePlan) -> tuple[str, ...]:
    """The staged keys `s`, and by which dest rows `d` meet them: those without a NULL, then those with one."""
    start = f"(SELECT DISTINCT {build_key_list(plan)} FROM {quote_table(plan.staging)} AS s"
    first = f"{start}) AS s\nWHERE {build_equal(plan)}"
    if not plan.null_keys:
        return (first,)
    return (first, f"{start} WHERE {build_null_staged(plan)}) AS s\nWHERE {build_same(plan)}")


def _build_deletes(plan: MergePlan) -> tuple[Statement, ...]:
    texts = (f"DELETE FROM {name_dest(plan)} AS d\nUSING {source}" for source in list_delete_sources(plan))
    first, *more = (Statement(sql=text, name="deleted") for text in texts)
    return (first, NO_NESTED_LOOPS, *more) if more else (first,)


def _build_at_once(plan: MergePlan) -> tuple[Statement, ...]:
    """Only what differs is written, or locked. A row that is new has no xmax: nothing has locked it before."""
    key = ", ".join(map(quote_identifier, plan.key))
    written = [quote_identifier(column.dest.name) for column in plan.columns if is_written(column, plan.key)]
    sets = ", ".join(f"{name} = excluded.{name}" for name in written)
    differing = "\n" + "\n".join(_build_differing(plan))
    staged = f"\nSELECT s.*\nFROM {quote_table(plan.staging)} AS s"
    search = f"CREATE TEMPORARY TABLE {_DIFFERING} WITH ({WHOLE_ROWS}) ON COMMIT DROP AS{staged}{differing}"
    source = f"{_build_sorted(plan, _DIFFERING)} AS s" if plan.apart else f"{_build_sorted(plan)} AS s{differing}"
    text = f"""\
{_build_into(plan, " AS d")}
SELECT {_build_values(plan)}
FROM {source}
ON CONFLICT ({key}) DO {f"UPDATE SET {sets}" if sets else "NOTHING"}
RETURNING d.xmax = 0 AS added"""
    return (
        *((Statement(sql=search),) if plan.apart else ()),
        *build_counted(
            f"written AS (\n{text}\n)", {"updated": "written WHERE NOT added", "inserted": "written WHERE added"}
        ),
    )


def _build_differing(plan: MergePlan) -> tuple[str, str]:
    """What joins a staged row `s` with the dest's `o`, and the condition that it is new or differs."""
    join = f"LEFT JOIN {name_dest(plan)} AS o ON {build_equal(plan, '', 'o')}"
    return join, f"WHERE o.{quote_identifier(plan.key[0])} IS NULL OR {build_differs(plan, 'o', plan.key)}"


def _build_sorted(plan: MergePlan, table: str = "") -> str:
    """Staged rows in the order of the key: what is looked for next lies beside what was found."""
    key = ", ".join(build_value(column) for column in list_key_columns(plan))
    return f"(SELECT s.* FROM {table or quote_table(plan.staging)} AS s ORDER BY {key})"


def _build_update(plan: MergePlan, where: str) -> tuple[Statement, ...]:
    """With nothing but the key to write, the matches are counted."""
    changed = [column for column in plan.columns if is_written(column, plan.key)]
    dest, staging = f"{name_dest(plan)} AS d", f"{quote_table(plan.staging)} AS s"
    count = f"SELECT pg_catalog.count(*)\nFROM {dest}, {staging}\nWHERE {where}"
    counted = Statement(sql=count, name="matched" if plan.leaves else "updated", value=True)
    if not changed:
        return (counted,)
    assigned = ", ".join(f"{quote_identifier(c.dest.name)} = {build_value(c)}" for c in changed)
    update = f"UPDATE {dest}\nSET {assigned}\nFROM "
    if not plan.leaves:
        return (Statement(sql=f"{update}{staging}\nWHERE {where}", name="updated"),)
    source = f"{_build_sorted(plan)} AS s" if plan.unique else staging
    differing = Statement(
        sql=f"{update}{source}\nWHERE {where}\n  AND ({build_differs(plan, 'd', plan.key)})", name="updated"
    )
    return (differing,) if plan.unique else (counted, differing)
