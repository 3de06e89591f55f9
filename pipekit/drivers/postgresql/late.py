# Tables that a query of PostgreSQL locks only once it runs, and may have read as they were before. Pure text.
"""Rows that are read belong to one moment; a table must be held before that moment comes.

COPY takes its snapshot before it waits for a lock. A table that another session empties and fills anew in one
transaction, as `full` does, would be read as empty. So everything that describing and planning lock is held first.
What a STABLE function reads is locked only while the query runs; whether such a table was rebuilt after the snapshot,
its own entry in the catalogue tells. Locks of parallel workers are gone with them, so where somebody has made such a
function PARALLEL SAFE there are none. On a standby the catalogue tells nothing.
"""

import re
from collections.abc import Sequence

from pipekit.drivers.sqltext import READINGS, tokens

_PLANNED = re.compile(r"\(|(select|with|values|table)\b", re.IGNORECASE)

_ALONE = """\
SELECT pg_catalog.set_config('max_parallel_workers_per_gather', '0', true) WHERE EXISTS (
  SELECT FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_language AS l ON l.oid = p.prolang
  WHERE p.oid >= 16384 AND p.provolatile = 's' AND p.proparallel = 's' AND l.lanname NOT IN ('internal', 'c')
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
      WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid AND d.deptype = 'e'))"""

_HELD = """\
SELECT pg_catalog.txid_current_snapshot(), pg_catalog.txid_snapshot_xmax(pg_catalog.txid_current_snapshot()),
  (SELECT coalesce(pg_catalog.array_agg(DISTINCT relation), '{}') FROM pg_catalog.pg_locks
   WHERE pid = pg_catalog.pg_backend_pid() AND locktype = 'relation')"""

# A row's xmin has 32 bits: `after` counts from the end of the snapshot, round the corner for what is before it.
_LATE = """\
SELECT CAST(CAST(c.oid AS pg_catalog.regclass) AS text)
FROM pg_catalog.pg_locks AS l JOIN pg_catalog.pg_class AS c ON c.oid = l.relation,
  LATERAL (SELECT (CAST(CAST(c.xmin AS text) AS bigint) - {end}) & 4294967295) AS made (after)
WHERE l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'relation' AND l.relation <> ALL ('{held}'::oid[])
  AND (made.after < pg_catalog.txid_snapshot_xmax(pg_catalog.txid_current_snapshot()) - {end}
    OR NOT pg_catalog.txid_visible_in_snapshot({end} - 4294967296 + made.after, '{snapshot}'))
LIMIT 1"""


def build_hold_sql(query: str) -> str:
    """Has a query planned, which locks partitions and children, then gives the row that `build_late_sql` takes."""
    return f"{_ALONE};\nEXPLAIN (COSTS off)\n{query}\n;\n{_HELD}" if has_plan(query) else _HELD


def build_late_sql(held: Sequence[str | None]) -> str:
    """The name of a table that was locked since and rebuilt meanwhile; no row when there is none."""
    snapshot, end, tables = [cell or "" for cell in held]
    return _LATE.format(snapshot=snapshot, end=int(end), held=tables)


def tell_late(table: str) -> str:
    """What is wrong with rows that were read from such a table."""
    return f"{table} was emptied or rebuilt while the query waited for it inside a function; its rows may be missing."


def has_plan(sql: str) -> bool:
    """Whether the statement can be explained: SHOW and its like cannot."""
    words = (sql[start:] for kind, start, _ in tokens(sql, READINGS[0]) if kind not in ("space", "comment"))
    return bool(_PLANNED.match(next(words, "")))
