# Whose turn it is to merge into a dest of PostgreSQL. Pure text; knows no connection.
"""Two runs that merge into one dest at once do not see each other's rows, and only a unique key would stop them."""

from pipekit.drivers.base import MergePlan
from pipekit.drivers.postgresql.names import quote_table
from pipekit.drivers.postgresql.settings import PINNED
from pipekit.runner_contract import Statement

# Advisory locks are numbers; of the dest it is what its partitions have in common.
DEST_LOCK = int.from_bytes(b"pdst")

_TURN = """\
SELECT pg_catalog.set_config('lock_timeout', '0', true),
  pg_catalog.pg_advisory_xact_lock({lock}, pg_catalog.hashtext(CAST(CAST(
    coalesce(pg_catalog.pg_partition_root({dest}), {dest}) AS pg_catalog.oid) AS text))),
  pg_catalog.set_config('lock_timeout', '{again}', true)"""


def build_turn(plan: MergePlan) -> tuple[Statement, ...]:
    """Waits as long as the other merge takes; rows that are only added have no need of it unless they are looked at."""
    if plan.strategy == "append" and not plan.fires:
        return ()
    dest = "CAST('" + quote_table(plan.dest).replace("'", "''") + "' AS pg_catalog.regclass)"
    return (Statement(sql=_TURN.format(lock=DEST_LOCK, dest=dest, again=PINNED["lock_timeout"])),)
