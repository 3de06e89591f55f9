# What a database says beside its answers: warnings of lost data end a query, a load and a merge. PostgreSQL over JDBC.
"""pipekit.drivers.jdbc, its look at SQLSTATE 01004 and 01534. PostgreSQL raises any warning that it is asked for."""

from collections.abc import Iterator
from typing import Any

import pytest

from pipekit.demo.postgres import LocalPostgres
from pipekit.drivers.jdbc.session import JdbcSession
from pipekit.drivers.jdbc.wire import connect
from pipekit.drivers.wire import Format
from pipekit.errors import RunnerError, StatementFailed
from tests.databases.jdbc import POSTGRESQL, build_load, load, make_endpoint, read, run, take

LOST = ("01004", "01534")
# Gives its number back, and warns at one of them.
WARN = """
CREATE FUNCTION warn(n int, at int, state text) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    IF n = at THEN RAISE WARNING 'a value was cut' USING ERRCODE = state; END IF;
    RETURN n;
END $$
"""
TRIGGER = """
CREATE FUNCTION warn_of_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM warn(new.a, 1500, TG_ARGV[0]);
    RETURN new;
END $$
"""


@pytest.fixture
def session(postgres: LocalPostgres, source_db: str) -> Iterator[JdbcSession]:
    one = connect(make_endpoint(POSTGRESQL, postgres.jdbc_url(source_db), username="postgres"))
    run(one, WARN, TRIGGER)
    yield one
    one.close()


def refuse(error: "pytest.ExceptionInfo[Any]", state: str) -> None:
    assert "warns that data was lost" in error.value.message
    assert "a value was cut" in error.value.message
    assert error.value.sqlstate == state


def query(at: int, state: str) -> str:
    return f"SELECT warn(n, {at}, '{state}') AS a FROM generate_series(1, 3000) AS n"


@pytest.mark.parametrize("state", LOST)
@pytest.mark.parametrize("at", [1, 2500])
def test_a_query_ends_with_it_wherever_it_comes(session: JdbcSession, at: int, state: str) -> None:
    with pytest.raises(StatementFailed) as caught:
        read(session, query(at, state))
    refuse(caught, state)


@pytest.mark.parametrize("format", ["copy-text", "arrow", "rows"])
@pytest.mark.parametrize("at", [1, 2500])
def test_a_source_ends_with_it_in_every_format(session: JdbcSession, at: int, format: Format) -> None:
    with pytest.raises(RunnerError) as caught:
        take(session, query(at, "01004"), format)
    refuse(caught, "01004")


@pytest.mark.parametrize("state", LOST)
def test_a_statement_of_a_merge_is_undone(session: JdbcSession, state: str) -> None:
    run(session, "CREATE TABLE t (a int)", "INSERT INTO t VALUES (7)")
    with pytest.raises(StatementFailed) as caught:
        run(session, "DELETE FROM t", f"INSERT INTO t {query(2500, state)}")
    refuse(caught, state)
    assert read(session, "SELECT a FROM t") == [("7",)]


@pytest.mark.parametrize("state", LOST)
def test_a_batch_of_prepared_inserts_is_undone(session: JdbcSession, state: str) -> None:
    make = f"CREATE TRIGGER warns BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION warn_of_row('{state}')"
    run(session, "CREATE TABLE t (a int)", make)
    block = "".join(f"{n}\n" for n in range(1, 2001)).encode()
    with pytest.raises(StatementFailed) as caught:
        load(session, build_load("t", ["a"]), "copy-text", (block, 2000))
    refuse(caught, state)
    assert read(session, "SELECT count(*) FROM t") == [("0",)]


def test_any_other_warning_is_none_of_this(session: JdbcSession) -> None:
    assert len(read(session, query(1, "01003"))) == 3000
    run(session, "CREATE TABLE t (a int)", f"INSERT INTO t {query(2500, '01000')}")
    assert read(session, "SELECT count(*) FROM t") == [("3000",)]
