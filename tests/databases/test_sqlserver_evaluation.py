# Tests of the double's evaluation of T-SQL: what it answers as SQL Server does, and that it answers nothing else.
"""tests/databases/tds/evaluation."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.databases.tds.columns import parse_columns
from tests.databases.tds.double import ROOT, TdsDouble
from tests.databases.tds.store import Store, Table
from tests.patience import PATIENCE_S

if os.environ.get("CI") != "true":
    pytest.importorskip("sqlglot")

from tests.databases.tds.evaluation import Inserted, Selected, evaluate
from tests.databases.tds.inference import Refused

NUMBERS = "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) SELECT {} FROM n OPTION (MAXRECURSION 0)"
ENDLESS = NUMBERS.format(10**12, "MAX(i) AS i")
DESCRIBE = (
    "SELECT name, system_type_name, error_number, error_message"
    " FROM sys.dm_exec_describe_first_result_set(N'{}', NULL, 0) ORDER BY column_ordinal"
)
DESCRIBED = [
    ("name", "nvarchar(128)"),
    ("system_type_name", "nvarchar(256)"),
    ("error_number", "int"),
    ("error_message", "nvarchar(4000)"),
]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path)
    columns = parse_columns([("a", "int not null"), ("b", "nvarchar(5)"), ("d", "date")])
    store.put_table("dbo.t", Table(columns, (((1, "x", None), (2, "X ", None), (3, None, None)),)))
    return store


def select(store: Store, sql: str) -> tuple[list[tuple[str, str]], list[tuple[Any, ...]]]:
    found = evaluate(sql, store, lambda: None)
    assert isinstance(found, Selected)
    return found.columns, list(found.rows)


def refuse(store: Store, sql: str) -> tuple[int, str]:
    """The error a statement ends with, at once or among its rows."""
    with pytest.raises(Refused) as caught:
        select(store, sql)
    return caught.value.error.number, caught.value.error.message


ANSWERS: list[tuple[str, list[tuple[str, str]], list[tuple[Any, ...]]]] = [
    ("SELECT 1 AS one, N'two' AS \"Two\"", [("one", "int"), ("Two", "nvarchar(3)")], [(1, "two")]),
    ("SELECT NULL AS a, '' AS b", [("a", "int"), ("b", "varchar(1)")], [(None, "")]),
    ("SELECT N'✓' AS a, '✓' AS b", [("a", "nvarchar(1)"), ("b", "varchar(1)")], [("✓", "?")]),
    ("SELECT 1 AS a WHERE 1 = 0", [("a", "int")], []),
    ("SELECT TOP (1) a FROM dbo.t ORDER BY a DESC", [("a", "int")], [(3,)]),
    ("SELECT [a] FROM [dbo].[t] WHERE b = N'x ' ORDER BY a", [("a", "int")], [(1,), (2,)]),
    ("SELECT COUNT(*), COUNT_BIG(b), SUM(a) FROM t", [("", "int"), ("", "bigint"), ("", "int")], [(3, 2, 6)]),
    ("SELECT COUNT(*) AS n FROM t GROUP BY b ORDER BY n", [("n", "int")], [(1,), (2,)]),
    ("SELECT a FROM t WHERE a < 1000000000000 AND NOT b IS NULL", [("a", "int")], [(1,), (2,)]),
    ("SELECT x.a FROM t AS x JOIN t AS y ON x.a = y.a + 1 ORDER BY 1", [("a", "int")], [(2,), (3,)]),
    ("SELECT 0 AS i, N'y' AS n UNION ALL SELECT 9, NULL", [("i", "int"), ("n", "nvarchar(1)")], [(0, "y"), (9, None)]),
    ("SELECT COALESCE(b, 'none') AS b FROM t WHERE a = 3", [("b", "nvarchar(5)")], [("none",)]),
    ("SELECT CAST(a AS bigint) AS a FROM t WHERE a IN (1, 7)", [("a", "bigint")], [(1,)]),
    (NUMBERS.format(3, "i, CONCAT('row ', i) AS name"), [("i", "int"), ("name", "varchar(16)")],
     [(1, "row 1"), (2, "row 2"), (3, "row 3")]),
    (DESCRIBE.format(NUMBERS.format(3, "i")), DESCRIBED, [("i", "int", None, None)]),
    (DESCRIBE.format("SELECT a, CONCAT(b, ''x''), COUNT_BIG(*) AS n FROM t GROUP BY a, b"),
     DESCRIBED,
     [("a", "int", None, None), (None, "nvarchar(6)", None, None), ("n", "bigint", None, None)]),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "columns", "rows"), ANSWERS)
def test_a_query_has_the_types_and_rows_of_sql_server(
    store: Store, sql: str, columns: list[tuple[str, str]], rows: list[tuple[Any, ...]]
) -> None:
    assert select(store, sql) == (columns, rows)


@pytest.mark.parametrize(
    ("sql", "number", "words"),
    [
        ("SELECT a FROM nowhere", 208, "Invalid object name 'nowhere'."),
        ("SELECT a FROM dbo.nowhere", 208, "Invalid object name 'dbo.nowhere'."),
        ("SELECT q FROM t", 207, "Invalid column name 'q'."),
        ("SELECT x.a FROM t", 4104, '"x.a"'),
        ("SELECT a FROM t)", 102, "Incorrect syntax near ')'."),
        ("SELECT 'open", 105, "Unclosed quotation mark"),
        ("SELECT a, COUNT(*) FROM t", 8120, "Column 'a' is invalid"),
        ("SELECT 2147483647 + a FROM t", 8115, "data type int"),
        ("SELECT 1 UNION ALL SELECT 1, 2", 205, "equal number"),
    ],
)
def test_what_sql_server_refuses_is_refused_with_its_number(store: Store, sql: str, number: int, words: str) -> None:
    found = refuse(store, sql)
    assert found[0] == number
    assert words in found[1]


def test_the_refusal_of_a_described_query_is_a_row(store: Store) -> None:
    assert select(store, DESCRIBE.format("SELECT q FROM t"))[1] == [(None, None, 207, "Invalid column name 'q'.")]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a / 2 FROM t",
        "SELECT b + N'x' FROM t",
        "SELECT AVG(a) FROM t",
        "SELECT d FROM t",
        "SELECT 1.5",
        "SELECT 3000000000",
        "SELECT DISTINCT a FROM t",
        "SELECT a INTO u FROM t",
        "SELECT a FROM t UNION SELECT 1",
        "SELECT CASE WHEN a = b THEN 1 END FROM t",
        "SELECT a FROM t WHERE a = N'1'",
        "SELECT CAST(b AS int) FROM t",
        "SELECT CAST(b AS varchar(9)) FROM t",
        "SELECT a FROM t WHERE a IN (SELECT 1)",
        "SELECT a FROM t; SELECT a FROM t",
        "SELECT ISNULL(a, 1) FROM t",
        NUMBERS.format(3, "i").replace(" OPTION (MAXRECURSION 0)", ""),
        "SELECT a FROM t OPTION (RECOMPILE)",
    ],
)
def test_what_sqlite_may_understand_differently_is_not_evaluated(store: Store, sql: str) -> None:
    number, message = refuse(store, sql)
    assert number == 50000
    assert message.startswith(("The double evaluates", "The double does not evaluate"))


def test_rows_are_inserted_as_the_columns_take_them(store: Store) -> None:
    store.put_table("dbo.u", Table(parse_columns([("a", "int not null"), ("b", "varchar(3)")])))
    found = evaluate("INSERT INTO [dbo].[u] (b, a) VALUES (N'é✓', 1), (NULL, 2)", store, lambda: None)
    assert isinstance(found, Inserted)
    assert (found.name, found.count, list(found.table.read_rows())) == ("dbo.u", 2, [(1, "é?"), (2, None)])
    found = evaluate("INSERT INTO u SELECT a, b FROM t WHERE a > 1", store, lambda: None)
    assert isinstance(found, Inserted)
    assert list(found.table.read_rows()) == [(2, "X "), (3, None)]


@pytest.mark.parametrize(
    ("sql", "number"),
    [
        ("INSERT INTO u VALUES (1)", 213),
        ("INSERT INTO u (c) VALUES (1)", 207),
        ("INSERT INTO nowhere VALUES (1)", 208),
        ("INSERT INTO u VALUES (1, 'long')", 2628),
        ("INSERT INTO u VALUES (NULL, 'a')", 515),
        ("INSERT INTO u (b) VALUES ('a')", 515),
        ("INSERT INTO u VALUES ('x', 'a')", 245),
        ("INSERT INTO u VALUES (300, 'a')", 8115),
    ],
)
def test_a_row_that_does_not_fit_is_refused(store: Store, sql: str, number: int) -> None:
    store.put_table("dbo.u", Table(parse_columns([("a", "tinyint not null"), ("b", "varchar(3)")])))
    assert refuse(store, sql)[0] == number


# -- over the wire -----------------------------------------------------------------------------------------------------

ASK = """
import sys
from tests.databases.tds.library import open_session
session = open_session(sys.argv[1])
session.timeout = int(sys.argv[2])
print(session.cursor().execute(sys.argv[3]).fetchall())
"""


@pytest.fixture
def double(tmp_path: Path) -> Iterator[TdsDouble]:
    pytest.importorskip("mssql_python")
    with TdsDouble(tmp_path) as double:
        double.evaluate()
        yield double


def start_client(double: TdsDouble, sql: str, timeout_s: int = 0) -> subprocess.Popen[bytes]:
    """The library in a process that asks one query."""
    argv = [sys.executable, "-c", ASK, double.connection_string, str(timeout_s), sql]
    environment = {**os.environ, "MSSQL_PYTHON_NATIVE_PROVIDER": "mssql-odbc"}
    return subprocess.Popen(argv, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def read_processor_s(pid: int) -> float:
    """The processor time a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wait_until_busy(double: TdsDouble) -> None:
    """Waits until the double has used some processor time on what it was asked."""
    double.wait_until(lambda double: ENDLESS in double.texts())
    used = read_processor_s(double.pid)
    double.wait_until(lambda double: read_processor_s(double.pid) > used + 0.1, timeout_s=PATIENCE_S)


def is_idle(double: TdsDouble) -> bool:
    used = read_processor_s(double.pid)
    time.sleep(0.5)
    return read_processor_s(double.pid) - used < 0.1


def test_an_endless_query_goes_on_until_it_is_called_off(double: TdsDouble) -> None:
    with start_client(double, ENDLESS, timeout_s=8) as client:
        wait_until_busy(double)
        _, errors = client.communicate(timeout=PATIENCE_S)
    assert b"Timeout expired" in errors
    assert "<attention>" in double.texts()
    assert is_idle(double)


def test_an_endless_query_ends_with_its_client(double: TdsDouble) -> None:
    with start_client(double, ENDLESS) as client:
        wait_until_busy(double)
        client.kill()
    double.wait_until(lambda double: not double.sessions())
    assert is_idle(double)


def test_only_a_double_that_is_told_to_evaluates(tmp_path: Path) -> None:
    pytest.importorskip("mssql_python")
    with TdsDouble(tmp_path) as double, start_client(double, "SELECT 1 AS a") as client:
        _, errors = client.communicate(timeout=PATIENCE_S)
        assert b"The double has no answer to: SELECT 1 AS a" in errors
