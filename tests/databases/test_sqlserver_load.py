# Tests of loading SQL Server from PostgreSQL and SQLite through a real runner: what arrives, and what goes wrong.
"""pipekit.drivers.sqlserver.load."""

import datetime
import inspect
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow as pa
import pytest
from mssql_python.cursor import Cursor

from pipekit.demo.postgres import LocalPostgres
from pipekit.drivers.postgresql.session import PostgresSession
from pipekit.drivers.sqlserver.address import PACKET_BYTES
from pipekit.errors import Cancelled, Inexact, RunnerError, StatementFailed, TimedOut
from pipekit.runner.native import NativeRunner
from pipekit.runner_contract import Endpoint
from tests.databases.moving import run
from tests.databases.sqlservers import Place, build_load, open_place, take_provider
from tests.databases.tds.library import PROVIDERS
from tests.databases.tds.replies import Close, Count, Error, Hang
from tests.near import NearRunner
from tests.profiles import is_quick


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with open_place(tmp_path) as place:
        yield place


@pytest.fixture
def source(postgres: LocalPostgres, database: str) -> Endpoint:
    return Endpoint(kind="postgresql", jdbc_url=postgres.jdbc_url(database), username="postgres")


@pytest.fixture
def runner() -> Iterator[NativeRunner]:
    with (NearRunner if is_quick() else NativeRunner)() as runner:
        yield runner


COLUMNS = [
    ("id", "bigint", "bigint"),
    ("s", "smallint", "smallint"),
    ("i", "integer", "int"),
    ("r", "real", "real"),
    ("d", "double precision", "float"),
    ("n", "numeric(12,2)", "decimal(12,2)"),
    ("u", "numeric", "nvarchar(max)"),
    ("wide", "numeric(38,10)", "decimal(38,10)"),
    ("t", "text", "nvarchar(max)"),
    ("v", "character varying(40)", "nvarchar(80)"),
    ("b", "bytea", "varbinary(max)"),
    ("day", "date", "date"),
    ("at", "timestamp without time zone", "datetime2(7)"),
    ("tz", "timestamp with time zone", "datetimeoffset(6)"),
    ("clock", "time without time zone", "time(6)"),
    ("ok", "boolean", "bit"),
    ("g", "uuid", "uniqueidentifier"),
]
VALUES = """(1, -5, 2147483647, 0.1, 0.1, 12345678.90, 0.00000000000000000000000000001, -1234567890123456789.0123456789,
    E'tab\\there \\\\ back\\nline', 'wörd \U0001f600', '\\x00ff', '2024-02-29', '9999-12-31 23:59:59.999999',
    '2024-02-29 12:34:56.123456+00', '23:59:59.999999', true, 'ff384d6b-e23a-43a8-a836-ba4aa6fc1fc9'),
    (2, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null),
    (3, 0, 0, -1.5, 1e-300, -0.01, 1, 0, '', '\\N', '', '0001-01-01', '0001-01-01', '0001-01-01 00:00:00+00', '00:00',
    false, '00000000-0000-0000-0000-000000000000')"""


@pytest.mark.parametrize("provider", PROVIDERS)
def test_postgresql_arrives_in_sql_server_as_it_was(
    place: Place, source: Endpoint, session: PostgresSession, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_provider(monkeypatch, provider)
    names = ", ".join(f"{name} {type_}" for name, type_, _ in COLUMNS)
    run(session, f"CREATE TABLE t ({names})", f"INSERT INTO t VALUES {VALUES}")
    place.make("t", [(name, stage) for name, _, stage in COLUMNS])
    with NativeRunner() as runner:
        loaded = runner.migrate(source, "SELECT * FROM t ORDER BY id", place.endpoint(), build_load("t", COLUMNS))
    assert (loaded.rows_read, loaded.rows_staged, loaded.format) == (3, 3, "copy-text")
    first, second, third = place.double.rows("t")
    assert first == (
        1, -5, 2147483647, 0.10000000149011612, 0.1, Decimal("12345678.90"), "0.00000000000000000000000000001",
        Decimal("-1234567890123456789.0123456789"), "tab\there \\ back\nline", "wörd \U0001f600", b"\x00\xff",
        datetime.date(2024, 2, 29), "9999-12-31 23:59:59.9999990",
        datetime.datetime(2024, 2, 29, 12, 34, 56, 123456, tzinfo=datetime.UTC),
        datetime.time(23, 59, 59, 999999), True,
        UUID("ff384d6b-e23a-43a8-a836-ba4aa6fc1fc9"),
    )  # fmt: skip
    assert second == (2, *[None] * 16)
    assert third[8:11] == ("", "\\N", b"")
    assert third[4] == 1e-300


def test_the_load_locks_the_table_and_keeps_nulls_under_the_runs_own_name(
    place: Place, source: Endpoint, runner: NativeRunner
) -> None:
    place.make("t", [("a]b", "int"), ("d'e", "nvarchar(9)"), ("pipekit_row", "bigint identity")])
    columns = [("d'e", "text", "nvarchar(9)"), ("a]b", "integer", "int")]
    dest = place.endpoint(application_name="pipekit:9")
    runner.migrate(source, 'SELECT \'x\' AS "d\'e", 1 AS "a]b"', dest, build_load("t", columns))
    assert [row[:2] for row in place.double.rows("t")] == [(1, "x")]
    [load] = place.double.loads()
    assert "TABLOCK" in load.statement
    assert "KEEP_NULLS" in load.statement
    assert {login.application for login in place.double.logins()} == {"pipekit:9"}


def test_the_bulk_copy_has_no_time_limit_of_its_own(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.make("t", [("a", "int")])
    given: list[dict[str, Any]] = []
    load = Cursor.bulkcopy_arrow

    def note(cursor: Cursor, *arguments: Any, **options: Any) -> Any:
        given.append(options)
        return load(cursor, *arguments, **options)

    monkeypatch.setattr(Cursor, "bulkcopy_arrow", note)
    assert inspect.signature(load).parameters["timeout"].default == 30
    with place.session() as session:
        assert session.link.load("dbo.t", [pa.record_batch({"a": pa.array([1], pa.int32())})], ["a"]) == 1
    assert [(options["timeout"], options["table_lock"]) for options in given] == [(0, True)]


def test_no_rows_load_nothing(place: Place, source: Endpoint, runner: NativeRunner) -> None:
    place.make("t", [("a", "int")])
    load = build_load("t", [("a", "integer", "int")])
    loaded = runner.migrate(source, "SELECT 1 AS a WHERE false", place.endpoint(), load)
    assert (loaded.rows_read, loaded.rows_staged) == (0, 0)


def test_sqlite_arrives_in_sql_server(place: Place, tmp_path: Path, runner: NativeRunner) -> None:
    with closing(sqlite3.connect(tmp_path / "source.db")) as db:
        db.execute("CREATE TABLE t (i INTEGER, r REAL, t TEXT, b BLOB, d DECIMAL(10,2), x)")
        db.execute("INSERT INTO t VALUES (1, 0.5, 'wörd', x'00ff', 12.25, 'mixed'), (NULL, NULL, '', x'', NULL, 7)")
        db.commit()
    source = Endpoint(kind="sqlite", jdbc_url="jdbc:sqlite:source.db", base_dir=str(tmp_path), read_only=True)
    columns = [
        ("i", "INTEGER", "bigint"),
        ("r", "REAL", "float"),
        ("t", "TEXT", "nvarchar(max)"),
        ("b", "BLOB", "varbinary(max)"),
        ("d", "DECIMAL(10,2)", "decimal(10,2)"),
        ("x", "", "nvarchar(20)"),
    ]
    place.make("t", [(name, stage) for name, _, stage in columns])
    loaded = runner.migrate(source, "SELECT * FROM t", place.endpoint(), build_load("t", columns))
    assert loaded.format == "rows"
    assert place.double.rows("t") == [
        (1, 0.5, "wörd", b"\x00\xff", Decimal("12.25"), "mixed"),
        (None, None, "", b"", None, "7"),
    ]


def test_long_values_pass_in_small_pieces(place: Place, source: Endpoint, runner: NativeRunner) -> None:
    place.make("t", [("g", "int"), ("t", "nvarchar(max)")])
    load = build_load("t", [("g", "integer", "int"), ("t", "text", "nvarchar(max)")])
    query = "SELECT g, repeat(chr(64 + g), 1000000) AS t FROM generate_series(1, 30) g"
    runner.migrate(source, query, place.endpoint(), load)
    assert sorted((row[0], set(row[1]), len(row[1])) for row in place.double.rows("t")) == [
        (g, {chr(64 + g)}, 1_000_000) for g in range(1, 31)
    ]


# -- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "source_type", "stage_type"),
    [
        ("1.505::numeric", "numeric", "decimal(10,2)"),
        ("'NaN'::numeric", "numeric", "decimal(10,2)"),
        ("'NaN'::float8", "double precision", "float"),
        ("'-Infinity'::float8", "double precision", "float"),
        ("0.1234567890123456789::numeric", "numeric", "float"),
        ("'infinity'::date", "date", "date"),
        ("'infinity'::timestamp", "timestamp without time zone", "datetime2(6)"),
        ("'20000-01-01'::date", "date", "date"),
        ("'0044-03-15 BC'::date", "date", "date"),
        ("'24:00'::time", "time without time zone", "time(6)"),
        ("'too long'::text", "text", "nvarchar(7)"),
        ("2147483648", "bigint", "int"),
        ("'2024-01-01 00:00:00.5'::timestamp", "timestamp without time zone", "datetime2(0)"),
    ],
)
def test_a_value_the_staging_column_cannot_hold_is_named_and_nothing_stays(
    place: Place, source: Endpoint, runner: NativeRunner, expression: str, source_type: str, stage_type: str
) -> None:
    place.make("t", [("g", "int"), ("v", stage_type)])
    load = build_load("t", [("g", "integer", "int"), ("v", source_type, stage_type)])
    query = f"SELECT g, CASE WHEN g = 20000 THEN {expression} END AS v FROM generate_series(1, 20001) g"
    with pytest.raises(Inexact, match="Column v, row 20000") as caught:
        runner.migrate(source, query, place.endpoint(), load)
    assert (caught.value.column, caught.value.row) == ("v", 20000)
    assert place.rows("t") == []


def test_a_source_that_fails_on_the_way_leaves_nothing(place: Place, source: Endpoint, runner: NativeRunner) -> None:
    place.make("t", [("a", "int")])
    load = build_load("t", [("a", "integer", "int")])
    query = "SELECT 1 / (200000 - g) AS a FROM generate_series(1, 300000) g"
    with pytest.raises(StatementFailed, match="division by zero"):
        runner.migrate(source, query, place.endpoint(), load)
    assert place.rows("t") == []


# -- what SQL Server refuses -------------------------------------------------------------------------------------------

MANY = "SELECT g AS a FROM generate_series(1, 100000) g"
FAULTS: list[tuple[Any, type[RunnerError], str, bool]] = [
    (Error(2627, "Violation of PRIMARY KEY constraint 'PK_t'.", 14), StatementFailed, "PK_t", False),
    (Error(547, "The INSERT statement conflicted with the CHECK constraint.", 16), StatementFailed, "CHECK", False),
    (
        Error(2628, "String or binary data would be truncated in table 't', column 'a'.", 16),
        Inexact,
        "column 'a'",
        False,
    ),
    (Error(4815, "Received an invalid column length from the bcp client for colid 1.", 16), Inexact, "column a", False),
    (Error(9002, "The transaction log for database 'shop' is full.", 17), StatementFailed, "log", False),
    (Error(1205, "Transaction was deadlocked and has been chosen as the victim.", 13), StatementFailed, "victim", True),
    (Close(), StatementFailed, "bulk load failed", True),
]


@pytest.mark.parametrize(("reply", "kind", "words", "transient"), FAULTS)
@pytest.mark.parametrize("early", [False, True])
def test_what_the_server_refuses_in_the_middle_is_told(
    place: Place,
    source: Endpoint,
    runner: NativeRunner,
    reply: Any,
    kind: type[RunnerError],
    words: str,
    transient: bool,
    early: bool,
) -> None:
    place.make("t", [("a", "int")])
    place.double.fail_load("t", after_rows=1000, reply=reply, early=early)
    load = build_load("t", [("a", "integer", "int")])
    with pytest.raises(kind, match=words) as caught:
        runner.migrate(source, MANY, place.endpoint(), load)
    assert caught.value.transient is transient
    assert place.double.rows("t") == []
    if isinstance(reply, Error):
        assert caught.value.sqlstate == str(reply.number)
    assert runner.migrate(source, "SELECT 1 AS a", place.endpoint(), load).rows_staged == 1


def test_the_count_of_a_load_is_that_of_the_library_which_does_not_pass_on_the_servers(
    place: Place, source: Endpoint, runner: NativeRunner
) -> None:
    place.make("t", [("a", "int")])
    place.double.fail_load("t", after_rows=1000, reply=Count(99_999))
    loaded = runner.migrate(source, MANY, place.endpoint(), build_load("t", [("a", "integer", "int")]))
    assert loaded.rows_staged == 100_000


def test_a_server_that_stops_reading_is_given_up_after_a_silence(place: Place, source: Endpoint) -> None:
    place.make("t", [("a", "int"), ("b", "nvarchar(max)")])
    place.double.fail_load("t", after_rows=1000, reply=Hang())
    load = build_load("t", [("a", "integer", "int"), ("b", "text", "nvarchar(max)")])
    query = "SELECT g AS a, repeat('x', 200) AS b FROM generate_series(1, 2000000) g"
    began = time.monotonic()
    with NativeRunner(silence_timeout_s=2.0) as runner, pytest.raises(TimedOut):
        runner.migrate(source, query, place.endpoint(), load)
    assert time.monotonic() - began >= 2


def test_a_load_is_cancelled_at_once_and_its_sessions_end(place: Place, source: Endpoint) -> None:
    place.make("t", [("a", "int"), ("b", "nvarchar(max)")])
    place.double.fail_load("t", after_rows=1000, reply=Hang(reads=True))
    load = build_load("t", [("a", "integer", "int"), ("b", "text", "nvarchar(max)")])
    query = "SELECT g AS a, repeat('x', 200) AS b FROM generate_series(1, 2000000) g"
    stop = threading.Event()
    threading.Timer(1.0, stop.set).start()
    with NativeRunner(stop=stop) as runner, pytest.raises(Cancelled):
        runner.migrate(source, query, place.endpoint(), load)
    place.double.wait_until(lambda double: not double.sessions())
    assert place.double.rows("t") == []


def test_progress_counts_the_rows_as_they_go(place: Place, source: Endpoint, runner: NativeRunner) -> None:
    place.make("t", [("a", "int"), ("s", "nvarchar(max)")])
    load = build_load("t", [("a", "integer", "int"), ("s", "text", "nvarchar(max)")])
    seen: list[int] = []
    query = "SELECT g AS a, pg_sleep(0.4)::text || repeat('x', 20000) AS s FROM generate_series(1, 5) g"
    runner.migrate(source, query, place.endpoint(), load, seen.append)
    assert seen == sorted(seen)
    assert len(seen) > 1
    assert seen[-1] <= 5


def test_a_load_goes_over_tls_where_its_session_does(place: Place, source: Endpoint, runner: NativeRunner) -> None:
    place.make("t", [("a", "int")])
    place.double.encrypt("db.example")
    dest = place.endpoint(jdbc_url=place.url_by_name("trustServerCertificate=true"))
    loaded = runner.migrate(
        source, "SELECT generate_series(1, 5000) AS a", dest, build_load("t", [("a", "integer", "int")])
    )
    assert (loaded.rows_staged, len(place.double.rows("t"))) == (5000, 5000)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("encrypted", [False, True])
def test_rows_go_in_packets_as_large_as_tls_takes(
    place: Place, source: Endpoint, session: PostgresSession, provider: str, encrypted: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    take_provider(monkeypatch, provider)
    run(session, "CREATE TABLE t AS SELECT g::text || repeat('x', 999) AS t FROM generate_series(1, 300) AS g")
    place.make("d", [("t", "nvarchar(max)")])
    url = place.double.jdbc_url
    if encrypted:
        place.double.encrypt("db.example")
        url = url.replace("encrypt=false", "encrypt=true;trustServerCertificate=true")
    load = build_load("d", [("t", "text", "nvarchar(max)")])
    with NativeRunner() as runner:
        assert runner.migrate(source, "SELECT * FROM t", place.endpoint(jdbc_url=url), load).rows_staged == 300
    assert {login.packet_size for login in place.double.logins()[-2:]} == {PACKET_BYTES}
    assert [text[:3] for (text,) in place.double.rows("d")[:2]] == ["1xx", "2xx"]
