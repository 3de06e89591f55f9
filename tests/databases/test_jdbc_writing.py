# Tests of writing over JDBC: every format into every database, and what is refused by column and row.
"""pipekit.drivers.jdbc.writing and the Java writer."""

import itertools
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from pipekit.demo.postgres import LocalPostgres
from pipekit.drivers.jdbc.session import JdbcSession
from pipekit.errors import Inexact, RunnerError, StatementFailed
from pipekit.runner_contract import Endpoint
from tests.databases.jdbc import (
    DERBY_CLIENT,
    POSTGRESQL,
    Open,
    build_load,
    load,
    make_embedded,
    make_endpoint,
    read,
    run,
    take,
)

_NUMBERS = itertools.count(1)
PRODUCTS = ("derby", "h2", "hsqldb", "postgresql", "derby-network")
TABLE = (
    "a SMALLINT, b INT, c BIGINT, d DECIMAL(12,2), e DOUBLE PRECISION, f BOOLEAN, g CHAR(3), h VARCHAR(20), "
    "i {clob}, j {blob}, k DATE, l TIME, m TIMESTAMP"
)
NAMES = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m"]


@pytest.fixture(scope="module")
def derby_network(derby_server: int) -> Endpoint:
    """One database for all tests; making one takes longer than most of them."""
    return make_endpoint(DERBY_CLIENT, f"jdbc:derby://127.0.0.1:{derby_server}/writing{next(_NUMBERS)};create=true")


@pytest.fixture(params=PRODUCTS)
def dest(request: pytest.FixtureRequest, open_jdbc: Open) -> JdbcSession:
    """A session with the empty table `t`."""
    product, number = request.param, next(_NUMBERS)
    if product == "postgresql":
        server: LocalPostgres = request.getfixturevalue("postgres")
        database: str = request.getfixturevalue("dest_db")
        session = open_jdbc(make_endpoint(POSTGRESQL, server.jdbc_url(database), username="postgres"))
    elif product == "derby-network":
        session = open_jdbc(request.getfixturevalue("derby_network"))
        for (table,) in read(session, "SELECT tablename FROM sys.systables WHERE tabletype = 'T'"):
            run(session, f'DROP TABLE "{table}"')
    else:
        session = open_jdbc(make_embedded(product, f"writing{number}"))
    large = {"clob": "TEXT", "blob": "BYTEA"} if product == "postgresql" else {"clob": "CLOB", "blob": "BLOB"}
    run(session, f"CREATE TABLE t ({TABLE.format(**large)})")
    return session


@pytest.fixture
def derby(open_jdbc: Open) -> JdbcSession:
    return open_jdbc(make_embedded("derby", f"writing{next(_NUMBERS)}"))


def name_columns(session: JdbcSession, names: list[str]) -> list[str]:
    """Names as the database stores unquoted ones."""
    return names if session.metadata.storesLowerCaseIdentifiers() else [name.upper() for name in names]


def put(session: JdbcSession, block: bytes, *, names: list[str] = NAMES, exact: bool = True) -> int:
    """Loads a block of COPY text, as PostgreSQL would send it."""
    types = ["bytea" if name == "j" else "boolean" if name == "f" else "" for name in names]
    planned = build_load("t", name_columns(session, names), types, exact)
    return load(session, planned, "copy-text", (block, block.count(b"\n")))


def refuse(session: JdbcSession, name: str, cell: str) -> RunnerError:
    """The error of a cell in the third row of four; nothing may have been stored."""
    before = read(session, "SELECT COUNT(*) FROM t")
    with pytest.raises(RunnerError) as caught:
        put(session, f"\\N\n\\N\n{cell}\n\\N\n".encode(), names=[name])
    assert read(session, "SELECT COUNT(*) FROM t") == before
    return caught.value


ROW = (
    "-32768\t2147483647\t-9223372036854775808\t-1234567890.50\t-1.7976931348623157e308\tt\tab\t\\\\N é😀\\t\\n"
    "\tlong\t\\\\xdead00\t2024-02-29\t23:59:59\t2024-03-31 02:30:00.123456\n"
)
EXPECTED: tuple[Any, ...] = (
    *(-32768, 2**31 - 1, -(2**63), Decimal("-1234567890.50"), -1.7976931348623157e308, True, "ab ", "\\N é😀\t\n"),
    *("long", b"\xde\xad\x00", "2024-02-29", "23:59:59", "2024-03-31 02:30:00.123456"),
)


def test_copy_text_is_stored_exactly(dest: JdbcSession) -> None:
    assert put(dest, (ROW + "\t".join(["\\N"] * 13) + "\n").encode()) == 2
    ((row, empty),) = take(dest, "SELECT * FROM t ORDER BY a", "rows")
    assert {row, empty} == {EXPECTED, (None,) * 13}


def test_rows_of_plain_python_values_are_stored_exactly(dest: JdbcSession) -> None:
    planned = build_load("t", name_columns(dest, NAMES))
    row = (*EXPECTED[:6], "ab", *EXPECTED[7:])
    assert load(dest, planned, "rows", ([row], 1), ([(None,) * 13], 1)) == 2
    rows = [row for block in take(dest, "SELECT * FROM t", "rows") for row in block]
    assert set(rows) == {EXPECTED, (None,) * 13}


def test_batches_are_stored_exactly(dest: JdbcSession) -> None:
    put(dest, ROW.encode())
    (batch,) = take(dest, "SELECT * FROM t", "arrow")
    run(dest, "DELETE FROM t")
    assert load(dest, build_load("t", name_columns(dest, NAMES)), "arrow", (batch, 1)) == 1
    assert take(dest, "SELECT * FROM t", "rows") == [[EXPECTED]]


def test_a_batch_of_real_dates_and_zoned_timestamps_is_stored(derby: JdbcSession) -> None:
    run(derby, "CREATE TABLE t (a DATE, b TIMESTAMP, c TIMESTAMP, d VARCHAR(5))")
    batch = pa.RecordBatch.from_arrays(
        [
            pa.array([19_782], pa.date32()),
            pa.array([1_709_210_096_500_000], pa.timestamp("us")),
            pa.array([1_709_210_096_000_000_001], pa.timestamp("ns", "UTC")),
            pa.array([True]),
        ],
        names=list("ABCD"),
    )
    assert load(derby, build_load("t", list("ABCD")), "arrow", (batch, 1)) == 1
    row = ("2024-02-29", "2024-02-29 12:34:56.5", "2024-02-29 12:34:56.000000001", "true")
    assert read(derby, "SELECT * FROM t") == [row]


def test_many_rows_are_counted_as_they_are_written(dest: JdbcSession) -> None:
    seen: list[int] = []
    blocks = [("".join(f"{n}\t\\N\n" for n in range(i, i + 1500)).encode(), 1500) for i in range(0, 6000, 1500)]
    planned = build_load("t", name_columns(dest, ["b", "h"]))
    from pipekit.drivers.wire import Stream

    held = dest.sink(planned).load(Stream(format="copy-text", columns=(), blocks=iter(blocks)), seen.append)
    assert (held, seen) == (6000, [1500, 3000, 4500, 6000])
    assert read(dest, "SELECT COUNT(DISTINCT b) FROM t") == [("6000",)]


def test_a_table_of_three_hundred_columns_is_filled(derby: JdbcSession) -> None:
    names = [f"C{n}" for n in range(300)]
    run(derby, f"CREATE TABLE t ({', '.join(f'{name} VARCHAR(40)' for name in names)})")
    block = ("\t".join(["x" * 40] * 300) + "\n").encode() * 500
    assert load(derby, build_load("t", names), "copy-text", (block, 500)) == 500


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("a", "32768"),
        ("b", "2147483648"),
        ("b", "1.5"),
        ("b", "x"),
        ("c", "9223372036854775808"),
        ("d", "1.234"),
        ("d", "12345678901"),
        ("d", "NaN"),
        ("e", "0.12345678901234567890"),
        ("f", "maybe"),
        ("g", "abcd"),
        ("h", "x" * 21),
        ("h", "x" + " " * 20),
        ("j", "\\\\xzz"),
        ("k", "2023-02-29"),
        ("k", "infinity"),
        ("k", "2024-01-01 00:00:01"),
        ("l", "24:00:00"),
        ("m", "2024-01-01 00:00:00.1234567891"),
        ("m", "0044-03-15 00:00:00 BC"),
    ],
)
def test_what_a_column_cannot_hold_is_refused_by_column_and_row(dest: JdbcSession, name: str, cell: str) -> None:
    error = refuse(dest, name, cell)
    assert isinstance(error, Inexact)
    assert (error.column.lower(), error.row) == (name, 3)


@pytest.mark.parametrize("cell", ["NaN", "Infinity", "-Infinity"])
@pytest.mark.parametrize("product", ["derby", "derby-network"])
def test_a_number_that_is_none_is_refused_by_column_and_row_where_the_database_has_none(
    open_jdbc: Open, derby_network: Endpoint, product: str, cell: str
) -> None:
    """The driver over the network tells the row only: it sends what it got."""
    name = f"none{next(_NUMBERS)}"
    session = open_jdbc(make_embedded("derby", name) if product == "derby" else derby_network)
    run(session, f"CREATE TABLE {name} (n INT, r REAL, v VARCHAR(20), d DOUBLE)")
    block = "".join(f"{n}\t1.5\tNaN\t{cell if n == 1502 else 2.5}\n" for n in range(1, 2001)).encode()
    with pytest.raises(Inexact) as caught:
        load(session, build_load(name, ["N", "R", "V", "D"]), "copy-text", (block[:14], 1), (block[14:], 1999))
    assert (caught.value.column, caught.value.row) == ("D", 1502), caught.value.message
    assert "Column D, row 1502" in caught.value.message
    assert read(session, f"SELECT COUNT(*) FROM {name}") == [("0",)]


def test_a_row_that_the_database_refuses_is_named(dest: JdbcSession) -> None:
    run(dest, "CREATE TABLE strict (a INT NOT NULL PRIMARY KEY)")
    planned = build_load("strict", name_columns(dest, ["a"]))
    for second in ("1501\n1501\n", "1501\n\\N\n"):
        block = "".join(f"{n}\n" for n in range(1501)) + second
        with pytest.raises(StatementFailed, match="Row 1503") as caught:
            load(dest, planned, "copy-text", (block.encode(), 1503))
        assert caught.value.row == 1503
        assert caught.value.sqlstate.startswith("23")
        assert read(dest, "SELECT COUNT(*) FROM strict") == [("0",)]


def test_a_source_that_fails_leaves_the_table_as_it_was(dest: JdbcSession) -> None:
    def blocks() -> Iterator[tuple[bytes, int]]:
        yield b"1\n", 1
        raise StatementFailed("the source failed")

    from pipekit.drivers.wire import Stream

    sink = dest.sink(build_load("t", name_columns(dest, ["b"])))
    with pytest.raises(StatementFailed, match="the source failed"):
        sink.load(Stream(format="copy-text", columns=(), blocks=blocks()), lambda rows: None)
    assert read(dest, "SELECT COUNT(*) FROM t") == [("0",)]


def test_without_exactness_the_database_may_round(derby: JdbcSession) -> None:
    run(derby, "CREATE TABLE t (b INT, d DECIMAL(12,2), e REAL, k DATE)")
    put(derby, b"1.5\t1.235\t0.123456789\t2024-01-01 12:00:00\n", names=["b", "d", "e", "k"], exact=False)
    assert read(derby, "SELECT b, d, k FROM t") == [("2", "1.24", "2024-01-01")]


def test_bytes_of_a_fixed_length_are_not_padded_in_silence(derby: JdbcSession) -> None:
    run(derby, "CREATE TABLE t (j CHAR(4) FOR BIT DATA)")
    assert refuse(derby, "j", "\\\\xdead").column == "J"
    assert put(derby, b"\\\\xdeadbeef\n", names=["j"]) == 1


def test_text_that_is_not_utf8_is_refused(derby: JdbcSession) -> None:
    run(derby, "CREATE TABLE t (h VARCHAR(5))")
    with pytest.raises(Inexact, match="Column H, row 2"):
        put(derby, b"ok\n\xff\n", names=["h"])


def test_values_of_the_wrong_kind_in_rows_are_refused(derby: JdbcSession) -> None:
    run(derby, "CREATE TABLE t (h VARCHAR(5), b INT)")
    for row in ((b"x", 1), ("\ud83d", 1)):
        with pytest.raises(Inexact, match="Column H, row 2"):
            load(derby, build_load("t", ["H", "B"]), "rows", ([("x", 1), row], 2))


def test_names_that_need_quotes_are_quoted(dest: JdbcSession) -> None:
    run(dest, 'CREATE TABLE odd ("select" INT, "a ""b" INT)')
    planned = build_load("odd", ["select", 'a "b'])
    assert load(dest, planned, "copy-text", (b"1\t2\n", 1)) == 1


def test_types_with_zones_documents_and_ids_are_stored_in_h2(open_jdbc: Open) -> None:
    h2 = open_jdbc(make_embedded("h2", "zones"))
    run(h2, "CREATE TABLE t (a TIMESTAMP(6) WITH TIME ZONE, b TIME(0) WITH TIME ZONE, c UUID, d JSON)")
    row = ("2024-02-29 12:00:00.5+05:30", "12:00:00-03:00", "123e4567-e89b-12d3-a456-426614174000", '{"a":1.50}')
    assert load(h2, build_load("t", list("ABCD")), "copy-text", ("\t".join(row).encode() + b"\n", 1)) == 1
    assert read(h2, "SELECT * FROM t") == [row]


def test_types_only_postgresql_knows_are_stored_through_its_driver(
    open_jdbc: Open, postgres: LocalPostgres, dest_db: str
) -> None:
    session = open_jdbc(make_endpoint(POSTGRESQL, postgres.jdbc_url(dest_db), username="postgres"))
    run(session, "CREATE TABLE t (a uuid, b json, c inet, d timestamptz, e timetz, f numeric, g interval, h time)")
    row = (
        *("123e4567-e89b-12d3-a456-426614174000", '{"a": 1.50, "a": 2}', "10.0.0.1/8", "2024-03-31 01:30:00.000001Z"),
        *("12:00:00.1+02:00", "123456789012345678901234567890.123", "1 mon", "00:00:00.000001"),
    )
    assert load(session, build_load("t", list("abcdefgh")), "copy-text", ("\t".join(row).encode() + b"\n", 1)) == 1
    assert read(session, "SELECT * FROM t") == [row]


def test_a_session_moves_from_its_own_database_into_it(dest: JdbcSession) -> None:
    run(dest, "CREATE TABLE s (b INT)", "INSERT INTO s VALUES (1), (2)")
    stream = dest.source("SELECT b FROM s;").open("copy-text")
    assert dest.sink(build_load("t", name_columns(dest, ["b"]))).load(stream, lambda rows: None) == 2
    assert stream.total == 2


@pytest.mark.parametrize("product", ["derby", "h2", "hsqldb"])
def test_every_type_moves_from_one_product_to_another(dest: JdbcSession, open_jdbc: Open, product: str) -> None:
    source = open_jdbc(make_embedded(product, f"moving{next(_NUMBERS)}"))
    run(source, f"CREATE TABLE t ({TABLE.format(clob='CLOB', blob='BLOB')})")
    put(source, (ROW + "\t".join(["\\N"] * 13) + "\n").encode())
    opened = source.source("SELECT * FROM t")
    planned = build_load("t", name_columns(dest, NAMES), [column.type for column in opened.columns])
    assert dest.sink(planned).load(opened.open("copy-text"), lambda rows: None) == 2
    assert {row for block in take(dest, "SELECT * FROM t", "rows") for row in block} == {EXPECTED, (None,) * 13}
