# Tests of the TDS double with the real mssql-python: what the double says is understood, what it is told is decoded.
"""tests/databases/tds, under both native providers of the library."""

import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.databases.tds.double import ROOT, TdsDouble, lend_double
from tests.databases.tds.library import (
    PROVIDERS,
    Failed,
    Library,
    count_arrow,
    execute,
    fetch,
    fetch_twice_pooled,
    load,
    load_broken,
    read_arrow,
    require_provider,
    run_batch,
)
from tests.databases.tds.replies import Close, Count, Error, Hang, Info, MadeRows, RepeatedRows, Rows
from tests.databases.tds.samples import EXACT

REQUIRED = os.environ.get("CI") == "true"
pa = import_module("pyarrow") if REQUIRED else pytest.importorskip("pyarrow")
if not REQUIRED and find_spec("mssql_python") is None:
    pytest.skip("mssql-python is not installed", allow_module_level=True)

DUPLICATE = Error(2627, "Violation of PRIMARY KEY constraint 'PK_t'.", severity=14, line=3)

IDS = [text for text, _ in EXACT]


@pytest.fixture(scope="module", params=PROVIDERS)
def library(request: pytest.FixtureRequest) -> Iterator[Library]:
    """The library with each provider; skipped where a provider lacks a library of the system, unless in CI."""
    require_provider(request.param)
    with Library(request.param) as library:
        yield library


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TdsDouble]:
    """A double for tests that only need a table, as starting one takes longer than they do."""
    with TdsDouble(tmp_path_factory.mktemp("shared")) as double:
        yield double


@pytest.fixture
def double(tmp_path: Path) -> Iterator[TdsDouble]:
    with lend_double(tmp_path) as double:
        yield double


def to_python(values: Any) -> list[Any]:
    """The values of an Arrow column; unique identifiers come as text."""
    return [UUID(value) if isinstance(value, str) and len(value) == 36 else value for value in values.to_pylist()]


def make_table(double: TdsDouble, rows: int = 1000) -> Any:
    """An empty table `t` and Arrow rows for it."""
    double.add_table("t", [("id", "int not null"), ("name", "nvarchar(50)")])
    names = [None if number % 7 == 0 else f"name {number}" for number in range(rows)]
    return pa.table({"id": pa.array(range(rows), pa.int32()), "name": pa.array(names, pa.string())})


# -- types -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "values"), EXACT, ids=IDS)
def test_a_type_is_read_as_it_is(library: Library, shared: TdsDouble, text: str, values: list[Any]) -> None:
    shared.add_table("t", [("v", text)], [(value,) for value in [*values, None]])
    assert library.call(fetch, shared.connection_string, "SELECT v FROM t") == [(value,) for value in [*values, None]]
    found = library.call(read_arrow, shared.connection_string, "SELECT v FROM t")
    assert to_python(found.column("v")) == [*values, None]


@pytest.mark.parametrize(("text", "values"), EXACT, ids=IDS)
def test_a_type_that_is_not_null_is_read_as_it_is(
    library: Library, shared: TdsDouble, text: str, values: list[Any]
) -> None:
    shared.add_table("t", [("v", f"{text} not null")], [(value,) for value in values])
    found = library.call(read_arrow, shared.connection_string, "SELECT v FROM t")
    assert to_python(found.column("v")) == values
    assert not found.schema.field("v").nullable


@pytest.mark.parametrize(("text", "values"), EXACT, ids=IDS)
def test_a_type_is_loaded_as_it_is(library: Library, shared: TdsDouble, text: str, values: list[Any]) -> None:
    shared.add_table("t", [("v", text)], [(value,) for value in [*values, None]])
    shared.add_table("copy", [("v", text)])
    data = library.call(read_arrow, shared.connection_string, "SELECT v FROM t")
    assert library.call(load, shared.connection_string, "copy", data) == len(values) + 1
    assert shared.rows("copy") == shared.rows("t") == [(value,) for value in [*values, None]]


def test_a_seventh_digit_is_loaded_and_told(library: Library, shared: TdsDouble) -> None:
    shared.add_table("t", [("d", "datetime2(7)"), ("t", "time(7)"), ("o", "datetimeoffset(7)")])
    nanoseconds = 1_577_836_800_123_456_700
    moment = pa.array([nanoseconds], pa.int64())
    columns = [
        moment.cast(pa.timestamp("ns")),
        pa.array([86_399_999_999_900], pa.int64()).cast(pa.time64("ns")),
        moment.cast(pa.timestamp("ns", "UTC")),
    ]
    assert library.call(load, shared.connection_string, "t", pa.table(columns, ["d", "t", "o"])) == 1
    assert shared.rows("t") == [
        ("2020-01-01 00:00:00.1234567", "23:59:59.9999999", "2020-01-01 00:00:00.1234567 +00:00")
    ]


def test_text_in_utf8_is_read_as_it_is(library: Library, shared: TdsDouble) -> None:
    shared.add_table("t", [("v", "varchar(20) collate Latin1_General_100_CI_AS_SC_UTF8")], [("é😀Ω",)])
    assert library.call(fetch, shared.connection_string, "SELECT v FROM t") == [("é😀Ω",)]


def test_a_rowversion_is_read_as_eight_bytes_and_cannot_be_loaded(library: Library, shared: TdsDouble) -> None:
    shared.add_table("t", [("v", "rowversion")], [(b"\0\0\0\0\0\0\7\xd1",)])
    data = library.call(read_arrow, shared.connection_string, "SELECT * FROM t")
    assert data.column("v").to_pylist() == [b"\0\0\0\0\0\0\7\xd1"]
    assert "273" in library.call(load, shared.connection_string, "t", data).message


def test_a_value_of_several_packets_arrives_whole(library: Library, shared: TdsDouble) -> None:
    shared.add_table("t", [("v", "nvarchar(max)"), ("n", "int")])
    long = "😀é" * 700_000
    data = pa.table({"v": [long, None, "end"], "n": pa.array([1, None, 3], pa.int32())})
    assert library.call(load, shared.connection_string, "t", data) == 3
    assert shared.rows("t") == [(long, 1), (None, None), ("end", 3)]
    assert library.call(fetch, shared.connection_string, "SELECT v, n FROM t") == shared.rows("t")


# -- sessions and batches ----------------------------------------------------------------------------------------------


def test_a_login_is_recorded_and_can_be_refused(library: Library, double: TdsDouble) -> None:
    library.call(execute, double.connection_string)
    assert (double.logins()[0].user, double.logins()[0].database) == ("sa", "shop")
    double.refuse_logins()
    refused = library.call(execute, double.connection_string)
    assert refused.kind == "OperationalError"
    assert "Login failed for user 'sa'" in refused.message


def test_a_pooled_session_is_made_new(library: Library, double: TdsDouble) -> None:
    assert library.call(fetch_twice_pooled, double.connection_string, "SELECT @@TRANCOUNT") == [(1,)]
    assert double.texts()[3] == "<reset>"
    assert len(double.logins()) == 1


def test_batches_are_recorded_in_order_with_their_session(library: Library, double: TdsDouble) -> None:
    double.answer("^(insert|delete)", Count(2))
    text = "INSERT é😀 " + "x" * 10_000
    assert library.call(execute, double.connection_string, text, "DELETE") == [2, 2]
    assert double.texts() == ["<begin>", text, "DELETE", "<commit>"]
    assert len({batch.session for batch in double.batches()}) == 1
    double.wait_until(lambda double: double.sessions() == [])


def test_a_batch_has_a_result_for_each_statement(library: Library, double: TdsDouble) -> None:
    double.add_table("t", [("id", "int")], [(1,), (2,)])
    double.answer("^update", Count(3))
    double.answer("^print", Info("hello"), Rows([("a", "int"), ("b", "nvarchar(5)")], [(1, "x;y")]))
    batch = "UPDATE a SET b = ';'; SELECT TOP (1) id FROM [dbo].[t]; PRINT; SELECT count(*) FROM t -- ; none"
    assert library.call(run_batch, double.connection_string, batch) == [None, [(1,)], [(1, "x;y")], [(2,)]]


def test_a_rule_may_take_the_whole_batch_or_be_used_up(library: Library, double: TdsDouble) -> None:
    double.answer("^if .* begin .* end$", Count(1), whole=True)
    double.answer("^merge", Count(5))
    double.answer("^merge", Count(7), times=1)
    assert library.call(execute, double.connection_string, "IF 1 = 1 BEGIN a; b; END", "MERGE", "MERGE") == [1, 7, 5]


def test_what_has_no_answer_is_an_error(library: Library, double: TdsDouble) -> None:
    assert "The double has no answer to: EXEC x" in library.call(execute, double.connection_string, "EXEC x").message


def test_an_error_ends_its_batch(library: Library, double: TdsDouble) -> None:
    double.answer("^merge", DUPLICATE)
    assert library.call(execute, double.connection_string, "MERGE").kind == "IntegrityError"
    failed = library.call(run_batch, double.connection_string, "SELECT @@TRANCOUNT; MERGE; SELECT @@TRANCOUNT")
    assert "Violation of PRIMARY KEY" in failed.message


def test_a_rollback_puts_tables_back(library: Library, double: TdsDouble) -> None:
    double.add_table("t", [("id", "int")], [(1,)])
    changes = ("DELETE FROM t", "CREATE TABLE [new].[t2] ([a] int NOT NULL, [b] decimal(10, 2) NULL)")
    assert library.call(execute, double.connection_string, *changes, end="rollback")[0] == 1
    assert (double.rows("t"), double.find_table("new.t2")) == ([(1,)], None)
    library.call(execute, double.connection_string, *changes)
    made = double.find_table("new.t2")
    assert double.rows("t") == []
    assert made is not None
    assert [(column.name, column.type.text, column.nullable) for column in made.columns] == [
        ("a", "int", False),
        ("b", "decimal(10,2)", True),
    ]


def test_a_statement_that_hangs_is_given_up_with_attention(library: Library, double: TdsDouble) -> None:
    double.answer("^waitfor", Hang())
    hung = library.call(execute, double.connection_string, "WAITFOR", timeout_s=1)
    assert "Timeout expired" in hung.message
    assert "<attention>" in double.texts()


def test_a_connection_can_be_dropped_in_the_middle_of_a_statement(library: Library, double: TdsDouble) -> None:
    double.answer("^update", Close())
    assert library.call(execute, double.connection_string, "UPDATE").kind == "OperationalError"
    double.answer("^select many", Rows([("a", "int")], [(1,)] * 10_000), Close())
    assert isinstance(library.call(run_batch, double.connection_string, "SELECT many"), Failed)


def test_several_clients_are_served_at_once(library: Library, double: TdsDouble) -> None:
    double.answer("^waitfor", Hang())
    double.add_table("t", [("id", "int")], [(1,)])
    with Library("mssql-odbc") as other, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(other.call, execute, double.connection_string, "WAITFOR", timeout_s=3)
        double.wait_until(lambda double: "WAITFOR" in double.texts())
        assert library.call(fetch, double.connection_string, "SELECT id FROM t") == [(1,)]
        assert len(double.sessions()) >= 1
        assert isinstance(waiting.result(), Failed)


def count_to_many() -> Iterator[tuple[int, str]]:
    """Rows of a made result, for the double's process."""
    return ((number, f"row {number}") for number in range(30_000))


def test_many_rows_can_be_made_or_repeated(library: Library, double: TdsDouble) -> None:
    columns = [("id", "int not null"), ("name", "nvarchar(20)")]
    double.answer("from made", MadeRows(columns, count_to_many))
    double.answer("from repeated", RepeatedRows(columns, [(1, "a"), (2, None)], 100_000))
    made = library.call(read_arrow, double.connection_string, "SELECT FROM made")
    assert list(zip(*made.to_pydict().values(), strict=True)) == list(count_to_many())
    assert library.call(count_arrow, double.connection_string, "SELECT FROM repeated") == 200_000


# -- bulk loads --------------------------------------------------------------------------------------------------------


def test_a_hundred_thousand_loaded_rows_are_decoded_and_read_back(library: Library, double: TdsDouble) -> None:
    data = make_table(double, 100_000)
    assert library.call(load, double.connection_string, "dbo.t", data, table_lock=True) == 100_000
    expected = list(zip(*data.to_pydict().values(), strict=True))
    assert double.rows("t") == expected
    one = double.loads()[0]
    assert (one.table, one.rows) == ("dbo.t", 100_000)
    assert one.statement.endswith("WITH (TABLOCK)")
    assert library.call(fetch, double.connection_string, "SELECT COUNT(*) FROM t") == [(100_000,)]
    assert library.call(fetch, double.connection_string, "SELECT [name] AS n, id FROM t") == [
        (b, a) for a, b in expected
    ]


def test_a_load_into_some_columns_leaves_the_others_null(library: Library, double: TdsDouble) -> None:
    double.add_table("t", [("a", "int"), ("sum", "int computed"), ("b", "nvarchar(5)")])
    data = pa.table({"x": pa.array([1, 2], pa.int32()), "y": ["p", "q"]})
    mappings = [(0, "a"), (1, "b")]
    assert library.call(load, double.connection_string, "t", data, column_mappings=mappings) == 2
    assert double.rows("t") == [(1, None, "p"), (2, None, "q")]
    refused = library.call(load, double.connection_string, "t", data.select(["x"]), column_mappings=[(0, "sum")])
    assert "271" in refused.message


def test_a_load_in_pieces_is_one_load_each(library: Library, double: TdsDouble) -> None:
    data = make_table(double, 1000)
    library.call(load, double.connection_string, "t", data, batch_size=400, use_internal_transaction=True)
    assert [one.rows for one in double.loads()] == [400, 400, 200]
    assert double.texts().count("<commit>") == 3


@pytest.mark.parametrize("early", [False, True])
def test_a_load_can_fail_after_some_rows(library: Library, double: TdsDouble, early: bool) -> None:
    data = make_table(double, 50_000)
    double.fail_load("t", 100, DUPLICATE, early=early)
    failed = library.call(load, double.connection_string, "t", data)
    assert failed.message == (
        "Sql Error: 2627: Class 14: State 1: Violation of PRIMARY KEY constraint 'PK_t'. on double in  at line 3"
    )
    assert (double.rows("t"), double.loads()) == ([], [])
    assert library.call(load, double.connection_string, "t", data) == 50_000


def test_a_load_can_lose_its_connection(library: Library, double: TdsDouble) -> None:
    data = make_table(double, 50_000)
    double.fail_load("t", 20_000, Close())
    assert "os error" in library.call(load, double.connection_string, "t", data).message
    assert double.rows("t") == []


def test_a_load_that_is_not_answered_ends_at_its_timeout(library: Library, double: TdsDouble) -> None:
    data = make_table(double)
    double.fail_load("t", 1000, Hang(reads=True))
    assert "Timeout" in library.call(load, double.connection_string, "t", data, timeout=1).message
    double.wait_until(lambda double: "<attention>" in double.texts())


def test_a_load_can_stall(double: TdsDouble) -> None:
    data = make_table(double, 400_000)
    double.fail_load("t", 1000, Hang())
    script = "import sys, pickle; function, arguments = pickle.load(sys.stdin.buffer); function(*arguments)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MSSQL_PYTHON_NATIVE_PROVIDER": "mssql-odbc"}
    client = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, cwd=ROOT, env=environment)
    try:
        assert client.stdin is not None
        with client.stdin:
            pickle.dump((load, (double.connection_string, "t", data)), client.stdin)
        double.wait_until(lambda double: any(text.startswith("INSERT BULK") for text in double.texts()))
        with pytest.raises(subprocess.TimeoutExpired):
            client.wait(2)
    finally:
        client.kill()
        client.wait()
    assert double.loads() == []


def test_a_value_that_the_client_refuses_takes_the_load_back(library: Library, double: TdsDouble) -> None:
    data = make_table(double, 50_000)
    wrong = pa.table({"id": pa.array([1, None], pa.int32()), "name": ["a", "b"]})
    failed = library.call(load, double.connection_string, "t", pa.concat_tables([data, wrong]))
    assert failed == Failed("ValueError", "Cannot insert NULL value into non-nullable column 'id'")
    assert double.rows("t") == []


@pytest.mark.parametrize("transaction", [False, True])
def test_the_library_commits_what_it_had_when_its_source_breaks_off(
    library: Library, double: TdsDouble, transaction: bool
) -> None:
    data = make_table(double)
    failed = library.call(load_broken, double.connection_string, "t", data, use_internal_transaction=transaction)
    assert "the source is gone" in failed.message
    assert len(double.rows("t")) == 1000


def test_the_library_puts_question_marks_where_a_code_page_has_no_character(
    library: Library, double: TdsDouble
) -> None:
    double.add_table("t", [("v", "varchar(10)")])
    assert library.call(load, double.connection_string, "t", pa.table({"v": ["éΩ"]})) == 1
    assert double.rows("t") == [("é?",)]


# -- the double itself -------------------------------------------------------------------------------------------------


def test_the_double_ends_when_its_parent_does(tmp_path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from tests.databases.tds.double import TdsDouble;"
        "double = TdsDouble(Path(sys.argv[1])).__enter__(); print(double.pid, flush=True); os._exit(0)"
    )
    parent = subprocess.run([sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, capture_output=True, check=True)
    pid = int(parent.stdout)
    ended = threading.Event()
    for _ in range(100):
        if not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text().split()[2]:
            return
        ended.wait(0.05)
    pytest.fail("the double outlives its parent")
