# Values between servers of different age: PostgreSQL 15 and the newest. They arrive as they were, or are refused.
"""Binary COPY where both servers read it alike, text elsewhere."""

from collections.abc import Iterator

import pytest

from pipekit.demo.postgres import LocalPostgres
from pipekit.drivers.postgresql.session import PostgresSession
from pipekit.drivers.postgresql.wire import connect
from pipekit.drivers.wire import Format
from pipekit.errors import Inexact, StatementFailed
from pipekit.runner_contract import Endpoint
from tests.databases.moving import Mover, run
from tests.databases.test_postgresql_types import TORTURE

LARGEST = "'178956970 years 7 mons 2147483647 days 2562047788:00:54.775807'"
# Beside what every server knows: values of the newest one, and one that looks like such a value.
MORE = {
    "interval": [LARGEST, "'infinity'", "'-infinity'"],
    "interval[]": ["ARRAY[interval '1 day', 'infinity']", f"ARRAY[interval {LARGEST}]"],
    "numeric[]": ["ARRAY[numeric 'Infinity', NULL, '-Infinity', 'NaN']"],
    "jsonb": ['\'{"a": 1e400, "b": "\\u00e9"}\''],
    "timetz": ["'00:00:00+15:59:59'"],
}


@pytest.fixture(params=["older", "newer"])
def mover(request: pytest.FixtureRequest, postgres: LocalPostgres, old_postgres: LocalPostgres) -> Iterator[Mover]:
    """From the newest server to the older one, and the other way."""
    ends = [postgres, old_postgres] if request.param == "older" else [old_postgres, postgres]
    source, dest = [connect(Endpoint(kind="postgresql", jdbc_url=e.jdbc_url(), username="postgres")) for e in ends]
    run(dest, "DROP TABLE IF EXISTS arrived; CREATE SCHEMA IF NOT EXISTS public")
    yield Mover(source, dest, "arrived")
    source.close()
    dest.close()


def choose_format(mover: Mover, sql: str) -> Format:
    """As the runner's child does."""
    source = mover.source.source(sql)
    sink = mover.dest.sink(mover.build_load(mover.stage(source.columns)))
    signature = source.type_signature()
    return "copy-binary" if signature and signature == sink.type_signature() else "copy-text"


def knows(session: PostgresSession, sql: str) -> bool:
    try:
        return bool(session.query(sql).rows)
    except StatementFailed:
        return False


IN_BINARY = [
    "text", "text[]", "character(5)", "bpchar", "character varying(12)", "name", "boolean", "bytea", "bigint", "real",
    "double precision", "numeric", "numeric(38,10)", "numeric[]", "date", "time", "timetz", "timestamp", "timestamptz",
    "interval", "interval[]", "json", "jsonb", "uuid", "inet", "cidr", "macaddr",
]  # fmt: skip


@pytest.mark.parametrize("type_text", [name for name in IN_BINARY if name in TORTURE or name in MORE])
def test_a_value_arrives_in_a_server_of_another_age_or_is_refused(mover: Mover, type_text: str) -> None:
    run(mover.dest, f"CREATE TABLE arrived (v {type_text})")
    for value in (*TORTURE.get(type_text, ()), *MORE.get(type_text, ())):
        sql = f"SELECT ({value})::{type_text} AS v"
        if not knows(mover.source, sql):
            continue
        told = mover.source.query(f"SELECT v::text FROM ({sql}) AS q").first_cell() or ""
        format = choose_format(mover, sql)
        if type_text.startswith("interval") and ("infinity" in told or LARGEST.strip("'") in told):
            with pytest.raises(Inexact, match="interval"):
                mover.move(sql, format)
            continue
        mover.merge(mover.build_plan(mover.move(sql, format), "full"))
        assert mover.dest.query("SELECT v::text FROM arrived").first_cell() == told


def test_only_intervals_depend_on_the_servers_age(mover: Mover) -> None:
    run(mover.dest, "CREATE TABLE arrived (a integer, b interval)")
    assert choose_format(mover, "SELECT 1 AS a") == "copy-binary"
    assert choose_format(mover, "SELECT 1 AS a, interval '1 day' AS b") == "copy-text"
