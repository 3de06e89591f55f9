# The double of IBM i that the tests use, as a process with one large table. Knows nothing of measuring.
"""`python -m bench.ibmi_place ROWS`: prints Java's options that lead to it, serves until its standard input ends.

The rows go round in a ring whose bytes are made before the first question: serving a block is copying it.
"""

import datetime as dt
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

from tests.databases.ibmi import columns as c
from tests.databases.ibmi.answers import Answer, Saying, fail
from tests.databases.ibmi.host import Door, Host
from tests.databases.ibmi.replies import make_ring

HOST, TABLE = "ibmi", "LINEITEM"
# Both numbers of rows that are measured are multiples of it.
RING = 1_000
COLUMNS = (
    c.bigint("ORDERKEY"), c.integer("PARTKEY"), c.integer("SUPPKEY"), c.smallint("LINENUMBER"),
    c.decimal("QUANTITY", 15, 2), c.decimal("EXTENDEDPRICE", 15, 2), c.decimal("DISCOUNT", 15, 2),
    c.numeric("TAX", 15, 2), c.char("RETURNFLAG", 1), c.char("LINESTATUS", 1), c.date("SHIPDATE"), c.date("COMMITDATE"),
    c.timestamp("CHANGED"), c.char("SHIPINSTRUCT", 25), c.char("SHIPMODE", 10), c.varchar("COMMENT", 44),
)  # fmt: skip
# The table that takes them, in PostgreSQL.
DEST_COLUMNS = """
    orderkey bigint, partkey integer, suppkey integer, linenumber smallint, quantity numeric(15,2),
    extendedprice numeric(15,2), discount numeric(15,2), tax numeric(15,2), returnflag char(1), linestatus char(1),
    shipdate date, commitdate date, changed timestamp(6), shipinstruct char(25), shipmode char(10), comment varchar(44)
"""
_FIRST = re.compile(r"FETCH FIRST (\d+) ROWS ONLY")
_INSTRUCTIONS = ("DELIVER IN PERSON", "COLLECT COD", "NONE", "TAKE BACK RETURN")
_MODES = ("REG AIR", "AIR", "RAIL", "SHIP", "TRUCK", "MAIL", "FOB")


def list_rows() -> Iterator[tuple[Any, ...]]:
    """The rows of the ring; every fiftieth comment is NULL."""
    for i in range(RING):
        spread = i * 7919 % 104729
        yield (
            i // 4 + 1, spread + 1, spread % 10_000 + 1, i % 4 + 1,
            Decimal(spread % 50 + 1), Decimal(spread * 97 + 90_000) / 100, Decimal(spread % 11) / 100,
            Decimal(spread % 9) / 100, "ANR"[i % 3], "FO"[i % 2],
            dt.date(1992, 1, 2) + dt.timedelta(spread % 2526), dt.date(1992, 1, 31) + dt.timedelta(spread % 2466),
            dt.datetime(1993, 1, 1) + dt.timedelta(seconds=spread, microseconds=i * 13), _INSTRUCTIONS[i % 4],
            _MODES[i % 7], f"{spread:x} says {i * 7:o} of them {spread * i:x}"[:44] if i % 50 else None,
        )  # fmt: skip


def serve(rows: int) -> None:
    """Serves until nobody listens any more."""
    ring = make_ring(COLUMNS, list(list_rows()), rows)

    def say(sql: str) -> Answer:
        if TABLE not in sql:
            return fail(-204, "42704", "NOSUCH in SHOPLIB type *FILE not found.")
        first = _FIRST.search(sql)
        return replace(ring, count=int(first[1])) if first else ring

    with Door() as door:
        host = door.add(HOST, Host(lambda: Saying(say)))
        print(json.dumps(door.java_options), flush=True)
        sys.stdin.read()
    if host.faults:
        raise SystemExit("\n".join(host.faults))


if __name__ == "__main__":
    serve(int(sys.argv[1]))
