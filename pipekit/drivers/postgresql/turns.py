# Whose turn it is to merge into a dest of PostgreSQL. Pure text; knows no connection.
"""Two runs that merge into one dest at once do not see each other's rows, and only a unique key would stop them."""

from pipekit.drivers.base import MergePlan
from pipekit.drivers.postgresql.names import quote_table, quote_text
from pipekit.drivers.postgresql.settings import PINNED
from pipekit.runner_contract import Statement

# Advisory locks are numbers; of the dest it is what its partitions have in common, and its name, which stays when
# another table takes its place.
DEST_LOCK = int.from_bytes(b"pdst")

# A view is also what it reads. In the order of their numbers, so that two merges never wait for each other.
_LOCKS = """\
WITH RECURSIVE part AS (
  SELECT CAST(CAST({dest} AS pg_catalog.regclass) AS pg_catalog.oid) AS id
  UNION
  SELECT d.refobjid FROM part JOIN pg_catalog.pg_class AS v ON v.oid = part.id AND v.relkind = 'v'
  JOIN pg_catalog.pg_rewrite AS r ON r.ev_class = v.oid
  JOIN pg_catalog.pg_depend AS d ON d.objid = r.oid
    AND d.classid = CAST('pg_catalog.pg_rewrite' AS pg_catalog.regclass)
    AND d.refclassid = CAST('pg_catalog.pg_class' AS pg_catalog.regclass)
), whole AS (
  SELECT coalesce(CAST(pg_catalog.pg_partition_root(CAST(part.id AS pg_catalog.regclass)) AS pg_catalog.oid), part.id)
    AS id FROM part
), held AS (
  SELECT pg_catalog.hashtext(CAST(whole.id AS text)) AS number FROM whole
  UNION SELECT pg_catalog.hashtext(pg_catalog.format('%I.%I', n.nspname, c.relname)) FROM whole
  JOIN pg_catalog.pg_class AS c ON c.oid = whole.id JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  ORDER BY number
)
SELECT pg_catalog.pg_advisory_xact_lock({lock}, held.number) FROM held"""


def build_turn(plan: MergePlan) -> tuple[Statement, ...]:
    """Waits as long as the other merge takes; rows that are only added have no need of it unless they are looked at."""
    if plan.strategy == "append" and not plan.fires:
        return ()
    dest = quote_text(quote_table(plan.dest))
    return (
        Statement(sql="SET LOCAL lock_timeout TO 0"),
        Statement(sql=_LOCKS.format(lock=DEST_LOCK, dest=dest)),
        Statement(sql=f"SET LOCAL lock_timeout TO '{PINNED['lock_timeout']}'"),
    )
