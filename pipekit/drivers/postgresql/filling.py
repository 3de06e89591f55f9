# Rows that come into a PostgreSQL dest without staging: the text around them. Pure text; knows no connection.
"""What stands before and behind them in their one transaction."""

import json

from pipekit.drivers.base import MergePlan
from pipekit.drivers.postgresql.late import has_plan
from pipekit.drivers.postgresql.merge import build_emptying
from pipekit.drivers.postgresql.names import quote_table, quote_text
from pipekit.drivers.postgresql.rebuild import build_make
from pipekit.drivers.postgresql.turns import build_turn
from pipekit.drivers.postgresql.undo import build_begin, build_end
from pipekit.drivers.sqltext import strip_query
from pipekit.runner_contract import Query, Statement

# Sessions of a run have one name. Of another login's, or a pooler's, nothing is seen here: the lock's timeout ends it.
_READ_BY_US = """\
SELECT pg_catalog.count(*) FROM pg_catalog.pg_locks AS l
JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid AND a.pid <> pg_catalog.pg_backend_pid()
WHERE l.relation = CAST({dest} AS pg_catalog.regclass) AND l.granted AND a.datname = pg_catalog.current_database()
  AND a.application_name = pg_catalog.current_setting('application_name') AND a.application_name LIKE 'pipekit:%'"""
NOT_BLANK = "is not empty any more."
_HINT = "Use `load: auto` or `load: staged` on the module."


def estimate_rows(query: Query, sql: str) -> int | None:
    """What the planner expects, which it keeps of what is no query."""
    if not has_plan(sql):
        return None
    found = query(f"EXPLAIN (FORMAT json)\n{strip_query(sql)}").first_cell()
    return int(json.loads(found or "[{}]")[0].get("Plan", {}).get("Plan Rows", 0))


def build_emptying_sql(plan: MergePlan) -> tuple[Statement, ...]:
    """The turn, a look whether the source query holds the dest, and an empty dest; of a blank one that it is empty."""
    dest = quote_text(quote_table(plan.dest))
    if plan.blank:
        size = f"SELECT pg_catalog.pg_relation_size(CAST({dest} AS pg_catalog.regclass))"
        found = Statement(sql=size, name="before", value=True, refusal=f"{plan.dest} {NOT_BLANK}")
        return (*build_turn(plan), found)
    refusal = f"The source query reads {plan.dest}, which `load: direct` empties before the query has been read."
    look = Statement(sql=_READ_BY_US.format(dest=dest), name="read by us", value=True, refusal=refusal, hint=_HINT)
    return (*build_turn(plan), look, *build_begin(plan), *build_emptying(plan))


def build_filled_sql(plan: MergePlan) -> tuple[Statement, ...]:
    """What is checked late, and the indexes. Of a blank dest first the rows that others have added meanwhile: they go,
    as by a merge, and more can only come after the commit.
    """
    return (
        *(_build_cleared(plan) if plan.blank else ()),
        Statement(sql="SET CONSTRAINTS ALL IMMEDIATE"),
        *build_end(plan),
        *build_make(plan),
    )


def _build_cleared(plan: MergePlan) -> tuple[Statement, ...]:
    """A row's xmin is the transaction that has made it, and here are no savepoints."""
    dest, ours = quote_table(plan.dest), "CAST(CAST(pg_catalog.txid_current() & 4294967295 AS text) AS xid)"
    return (
        Statement(sql=f"LOCK TABLE {dest} IN SHARE ROW EXCLUSIVE MODE"),
        Statement(sql=f"DELETE FROM {dest} WHERE xmin <> {ours}", name="deleted"),
    )
