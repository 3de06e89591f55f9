# A table of 298 columns, the same rows every time. Knows nothing of how they travel.
"""Ten types in turn, a fifth of the values NULL, rows of some 3 kB whose longer texts PostgreSQL moves out of line."""

from collections.abc import Callable

from bench.data import PICK, Fingerprint, take_fingerprint
from bench.servers import DATABASE, Servers

WIDE = "wide"
WIDTH = 298
# (type, a value of it that depends on the row's number i and the column's number)
_KINDS: tuple[tuple[str, Callable[[int], str]], ...] = (
    ("integer", lambda n: f"pg_temp.pick(i, {n}, 2000000000)::int"),
    ("bigint", lambda n: f"pg_temp.pick(i, {n}, 9000000000000)"),
    ("numeric(12,2)", lambda n: f"pg_temp.pick(i, {n}, 1000000000) / 100.0"),
    ("double precision", lambda n: f"pg_temp.pick(i, {n}, 1000000000) / 7.0"),
    ("date", lambda n: f"date '1990-01-01' + pg_temp.pick(i, {n}, 15000)::int"),
    ("timestamp", lambda n: f"timestamp '1990-01-01' + pg_temp.pick(i, {n}, 900000000) * interval '1.000001 s'"),
    ("boolean", lambda n: f"pg_temp.pick(i, {n}, 2) = 1"),
    ("varchar(20)", lambda n: f"substr(md5((i * {n})::text), 1, 5 + pg_temp.pick(i, {n}, 15)::int)"),
    ("char(8)", lambda n: f"substr(md5((i + {n})::text), 1, 8)"),
    ("text", lambda n: f"repeat(md5((i * {n} + 1)::text), 1 + pg_temp.pick(i, {n}, 4)::int)"),
)
COLUMNS_WIDE = ", ".join(f"c{n} {_KINDS[n % len(_KINDS)][0]}" for n in range(1, WIDTH + 1))


def fill_wide(servers: Servers, rows: int) -> Fingerprint:
    """Makes the source's table with rows and the dest's without; the source's fingerprint."""
    for server in (servers.source, servers.dest):
        server.run_sql(f"create table {WIDE} ({COLUMNS_WIDE})", DATABASE)
    values = (
        f"case when pg_temp.pick(i, {n + 1000}, 5) > 0 then {_KINDS[n % len(_KINDS)][1](n)} end"
        for n in range(1, WIDTH + 1)
    )
    sql = f"{PICK} insert into {WIDE} select {', '.join(values)} from generate_series(1, {rows}) as i;"
    servers.source.run_sql(f"{sql} vacuum (freeze, analyze) {WIDE}", DATABASE, timeout_s=3600)
    return take_fingerprint(servers.source, WIDE)
