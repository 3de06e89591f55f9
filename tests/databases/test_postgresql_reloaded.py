# A source table that another session empties and fills anew while Pipekit asks for it: PostgreSQL.
"""Reading waits for such a table, and must then read what is in it."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from pipekit.drivers.postgresql.session import PostgresSession
from pipekit.errors import StatementFailed
from tests.databases.moving import OpenSession, run
from tests.patience import PATIENCE_S

ROWS = 50
_FUNCTION = "CREATE FUNCTION reads() RETURNS SETOF integer LANGUAGE {} AS 'BEGIN RETURN QUERY SELECT a FROM t; END'"

# What is made, and the query; each holds t in another way.
SHAPES = {
    "a table": ("", "SELECT a FROM t"),
    "a view of a view": (
        "CREATE VIEW v AS SELECT a FROM t; CREATE VIEW w AS SELECT * FROM v", "SELECT a FROM w",
    ),
    "a join": ("CREATE TABLE u AS SELECT 1 AS one", "SELECT t.a FROM u JOIN t ON t.a >= u.one"),
    "a subquery that is not needed at first": (
        "", f"SELECT g AS a FROM generate_series(1, {ROWS}) AS g WHERE (SELECT count(*) FROM t) > 0",
    ),
    "a function in SQL": (
        "CREATE FUNCTION reads() RETURNS SETOF integer LANGUAGE sql STABLE AS 'SELECT a FROM t'",
        "SELECT * FROM reads()",
    ),
    "a volatile function": (_FUNCTION.format("plpgsql VOLATILE"), "SELECT * FROM reads()"),
    "a stable function": (_FUNCTION.format("plpgsql STABLE"), "SELECT * FROM reads()"),
    "a stable function in a worker": (
        _FUNCTION.format("plpgsql STABLE PARALLEL SAFE"), "SELECT * FROM reads() AS a",
    ),
    "a partition": (
        "ALTER TABLE t RENAME TO p; CREATE TABLE t (a integer) PARTITION BY RANGE (a);"
        "ALTER TABLE t ATTACH PARTITION p FOR VALUES FROM (0) TO (1000)", "SELECT a FROM t WHERE a > 0",
    ),
    "a child": (
        "ALTER TABLE t RENAME TO p; CREATE TABLE t (a integer); ALTER TABLE p INHERIT t", "SELECT a FROM t",
    ),
}  # fmt: skip


@pytest.fixture
def reload(session: PostgresSession, open_session: OpenSession) -> Iterator[Callable[[str], None]]:
    """Begins to empty and fill a table, and commits once somebody waits for it."""
    threads: list[threading.Thread] = []
    waiting = "SELECT count(*) FROM pg_locks AS l JOIN pg_class AS c ON c.oid = l.relation WHERE NOT l.granted"

    def commit(writer: PostgresSession) -> None:
        until = time.monotonic() + PATIENCE_S
        while session.query(waiting).first_cell() == "0" and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(0.05)
        writer.link.run("COMMIT")

    def begin(table: str) -> None:
        writer = open_session()
        fill = f"TRUNCATE {table}; INSERT INTO {table} SELECT g FROM generate_series(1, {ROWS}) AS g"
        writer.link.run(f"BEGIN; {fill}")
        threads.append(threading.Thread(target=commit, args=(writer,)))
        threads[-1].start()

    yield begin
    for thread in threads:
        thread.join()


@contextlib.contextmanager
def _may_refuse() -> Iterator[None]:
    """What a function reads is known too late to be waited for, but not too late to be told."""
    try:
        yield
    except StatementFailed as refused:
        if not refused.transient or "t was emptied or rebuilt" not in refused.message:
            raise


@pytest.mark.parametrize("ask", ["copy", "query"])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_table_that_is_being_reloaded_is_read_whole_or_not_at_all(
    session: PostgresSession, open_session: OpenSession, reload: Callable[[str], None], shape: str, ask: str
) -> None:
    make, query = SHAPES[shape]
    run(session, f"CREATE TABLE t (a integer); INSERT INTO t SELECT g FROM generate_series(1, {ROWS}) AS g")
    run(session, make or "SELECT 1", "ANALYZE")
    reader = open_session(read_only=True)
    if "worker" in shape:
        reader.link.run("SET debug_parallel_query TO on")
    reload("p" if shape in ("a partition", "a child") else "t")
    with _may_refuse() if "stable" in shape or "volatile" in shape else contextlib.nullcontext():
        if ask == "query":
            rows = len(reader.query(query).rows)
        else:
            rows = sum(count for _, count in reader.source(query).open("copy-text").blocks)
        assert rows == ROWS
    assert len(reader.query(query).rows) == ROWS


def test_a_table_that_stands_still_is_no_reason_to_refuse(session: PostgresSession, open_session: OpenSession) -> None:
    run(session, "CREATE TABLE t AS SELECT 1 AS a", _FUNCTION.format("plpgsql STABLE"))
    reader = open_session(read_only=True)
    holder = open_session()
    holder.link.run("BEGIN; SELECT txid_current()")
    run(session, "CREATE TABLE later (a integer)", "GRANT SELECT ON t TO PUBLIC")
    assert [block for block, _ in reader.source("SELECT * FROM reads() AS a").open("copy-text").blocks] == [b"1\n"]
    holder.link.run("ROLLBACK")


def test_a_description_that_is_given_up_lets_go_of_its_tables(
    session: PostgresSession, open_session: OpenSession
) -> None:
    run(session, "CREATE TABLE t AS SELECT 1 AS a")
    source = open_session(read_only=True).source("SELECT a FROM t")
    with pytest.raises(StatementFailed, match="lock"):
        run(session, "SET LOCAL lock_timeout TO '100ms'", "TRUNCATE t")
    source.close()
    run(session, "SET LOCAL lock_timeout TO '100ms'", "TRUNCATE t")
