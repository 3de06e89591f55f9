# Rows that come into a PostgreSQL dest without staging: the text around them. Pure text; knows no connection.
"""What stands before and behind them in their one transaction."""

from pipekit.drivers.base import MergePlan
from pipekit.drivers.postgresql.merge import build_emptying
from pipekit.drivers.postgresql.names import quote_table, quote_text
from pipekit.drivers.postgresql.rebuild import build_make
from pipekit.drivers.postgresql.turns import build_turn
from pipekit.drivers.postgresql.undo import build_begin, build_end
from pipekit.runner_contract import Statement

# Sessions of a run have one name. Of another login's, or a pooler's, nothing is seen here: the lock's timeout ends it.
_READ_BY_US = """\
SELECT pg_catalog.count(*) FROM pg_catalog.pg_locks AS l
JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid AND a.pid <> pg_catalog.pg_backend_pid()
WHERE l.relation = CAST({dest} AS pg_catalog.regclass) AND l.granted AND a.datname = pg_catalog.current_database()
  AND a.application_name = pg_catalog.current_setting('application_name') AND a.application_name LIKE 'pipekit:%'"""
_HINT = "Use `load: auto` or `load: staged` on the module."


def build_emptying_sql(plan: MergePlan) -> tuple[Statement, ...]:
    """The turn, a look whether the source query holds the dest, and an empty dest."""
    dest = quote_text(quote_table(plan.dest))
    refusal = f"The source query reads {plan.dest}, which `load: direct` empties before the query has been read."
    look = Statement(sql=_READ_BY_US.format(dest=dest), name="read by us", value=True, refusal=refusal, hint=_HINT)
    return (*build_turn(plan), look, *build_begin(plan), *build_emptying(plan))


def build_filled_sql(plan: MergePlan) -> tuple[Statement, ...]:
    """What is checked late, and the indexes."""
    return (Statement(sql="SET CONSTRAINTS ALL IMMEDIATE"), *build_end(plan), *build_make(plan))
