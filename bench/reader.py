# A reader beside a run. Knows nothing of what the run does.
"""`watch_table`: asks for one row of a table over and over, and keeps the longest time it had to wait."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from bench.race import Watched
from bench.servers import DATABASE
from pipekit.demo.postgres import LocalPostgres

# So often that a wait is known to a hundredth of a second, so seldom that the reader costs next to nothing.
ASK_EVERY_S = 0.01


@contextmanager
def watch_table(server: LocalPostgres, table: str) -> Iterator[Watched]:
    """Reads while the block goes on. One place of the heap is asked for: as fast with indexes as without."""
    seen = Watched()
    ended = threading.Event()
    login = f"host=127.0.0.1 port={server.port} user=postgres dbname={DATABASE}"
    with psycopg.connect(login, autocommit=True) as session:
        thread = threading.Thread(target=_read, args=(session, table, seen, ended))
        thread.start()
        try:
            yield seen
        finally:
            ended.set()
            thread.join()


def _read(session: psycopg.Connection, table: str, seen: Watched, ended: threading.Event) -> None:
    sql = f"select count(*) from {table} where ctid = '(0,1)'".encode()
    while not ended.wait(ASK_EVERY_S):
        began = time.perf_counter()
        session.execute(sql)
        seen.longest_s = max(seen.longest_s, time.perf_counter() - began)
