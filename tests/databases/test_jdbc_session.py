# Tests of sessions over JDBC with real databases: connecting, queries, transactions, errors. Derby, H2 and HSQLDB.
"""pipekit.drivers.jdbc.wire, jvm, session and faults."""

import hashlib
import itertools
import shutil
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipekit.drivers.jdbc.jvm import find_class
from pipekit.drivers.jdbc.session import JdbcSession
from pipekit.drivers.jdbc.wire import connect
from pipekit.errors import CheckFailed, ConnectFailed, StatementFailed
from pipekit.runner.native import NativeRunner
from pipekit.runner.process import wait_until
from pipekit.runner_contract import Endpoint, Expect, Statement
from tests.databases.jdbc import (
    DERBY,
    DERBY_CLIENT,
    H2,
    JT400,
    POSTGRESQL,
    Open,
    find_jar,
    make_embedded,
    make_endpoint,
    read,
    run,
)
from tests.patience import PATIENCE_S

_NUMBERS = itertools.count(1)
PRODUCTS = ("derby", "h2", "hsqldb")


@pytest.fixture(params=PRODUCTS)
def endpoint(request: pytest.FixtureRequest) -> Endpoint:
    return make_embedded(request.param, f"session{next(_NUMBERS)}")


@pytest.fixture
def session(open_jdbc: Open, endpoint: Endpoint) -> JdbcSession:
    return open_jdbc(endpoint)


# -- connecting --------------------------------------------------------------------------------------------------------


def refuse(endpoint: Endpoint) -> ConnectFailed:
    with pytest.raises(ConnectFailed) as caught:
        connect(endpoint)
    return caught.value


def test_a_jar_that_is_missing_is_named(tmp_path: Path) -> None:
    endpoint = replace(make_endpoint(H2, "jdbc:h2:mem:x"), jar=str(tmp_path / "gone.jar"))
    assert str(tmp_path / "gone.jar") in refuse(endpoint).message


def test_without_a_registered_jar_the_command_that_registers_one_is_named() -> None:
    assert "pipekit drivers add" in refuse(replace(make_endpoint(H2, "jdbc:h2:mem:x"), jar="")).hint


def test_a_jar_whose_content_changed_is_not_loaded(tmp_path: Path) -> None:
    jar = tmp_path / "h2.jar"
    shutil.copy(find_jar("h2.jar"), jar)
    registered = hashlib.sha256(jar.read_bytes()).hexdigest()
    endpoint = replace(make_endpoint(H2, "jdbc:h2:mem:changed"), jar=str(jar), jar_sha256=registered.upper())
    connect(endpoint).close()
    jar.write_bytes(jar.read_bytes() + b"more")
    error = refuse(endpoint)
    assert "not the one that was registered" in error.message
    assert "register the driver again" in error.hint


def test_a_class_that_the_jar_does_not_hold_is_named() -> None:
    error = refuse(replace(make_endpoint(H2, "jdbc:h2:mem:x"), driver_class="org.h2.Nothing"))
    assert "no class org.h2.Nothing" in error.message


def test_a_class_that_is_no_driver_is_refused() -> None:
    error = refuse(replace(make_endpoint(H2, "jdbc:h2:mem:x"), driver_class="org.h2.engine.Mode"))
    assert "org.h2.engine.Mode" in error.message


def test_a_file_that_is_no_jar_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.jar").write_text("not a jar")
    endpoint = replace(make_endpoint(H2, "jdbc:h2:mem:x"), jar=str(tmp_path / "text.jar"))
    assert "org.h2.Driver" in refuse(endpoint).message


def test_a_url_that_the_driver_does_not_take_is_refused() -> None:
    assert "does not take this URL" in refuse(make_endpoint(H2, "jdbc:derby:memory:x")).message


def test_a_refused_login_says_so_without_the_password(open_jdbc: Open) -> None:
    open_jdbc(make_embedded("h2", "locked", password="Geheim-1"))
    error = refuse(make_embedded("h2", "locked", password="Falsch-2"))
    assert "user name or password" in error.message
    assert error.sqlstate == "28000"
    assert not error.transient
    assert "Falsch-2" not in error.message + error.hint


def test_a_port_where_nobody_listens_may_be_tried_again() -> None:
    error = refuse(make_endpoint(POSTGRESQL, "jdbc:postgresql://127.0.0.1:1/x", username="u", password="Geheim-1"))
    assert "refused" in error.message
    assert error.transient
    assert "Geheim-1" not in error.message


def test_ibms_driver_loads_and_says_that_nobody_listens() -> None:
    url = "jdbc:as400://127.0.0.1;prompt=false;portNumber=1;date format=iso"
    error = refuse(make_endpoint(JT400, url, username="u", password="Geheim-1"))
    assert "refused" in error.message
    assert "Geheim-1" not in error.message


def test_a_database_that_does_not_answer_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"jdbc:postgresql://127.0.0.1:{silent.getsockname()[1]}/x"
        error = refuse(make_endpoint(POSTGRESQL, url, username="u", connect_timeout_s=0.5))
    assert "did not answer within 0.5 seconds" in error.message
    assert error.transient


def test_a_folder_without_java_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("pipekit.drivers.jdbc.jvm.jpype.isJVMStarted", lambda: False)
    error = refuse(make_endpoint(H2, "jdbc:h2:mem:x", java_home=str(tmp_path)))
    assert str(tmp_path) in error.message


def test_a_second_java_in_the_same_process_is_refused(open_jdbc: Open, tmp_path: Path) -> None:
    open_jdbc(make_embedded("h2", "first_java"))
    error = refuse(make_embedded("derby", "second_java", java_home=str(tmp_path)))
    assert str(tmp_path) in error.message
    assert "the same java_home" in error.hint
    running = str(find_class("java.lang.System").getProperty("java.home"))
    open_jdbc(make_embedded("derby", "same_java", java_home=running))


def test_no_java_at_all_names_every_way_to_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipekit.drivers.jdbc.jvm.jpype.isJVMStarted", lambda: False)
    monkeypatch.setattr("pipekit.drivers.jdbc.jvm._list_homes", lambda: iter(()))
    error = refuse(make_endpoint(H2, "jdbc:h2:mem:x"))
    assert error.message == "There is no Java for JDBC."
    for way in ("pipekit[jdbc]", "deploy.sh --with jdbc", "JAVA_HOME", "java_home"):
        assert way in error.hint


def test_a_java_that_is_too_old_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("pipekit.drivers.jdbc.jvm.jpype.isJVMStarted", lambda: False)
    (tmp_path / "lib" / "server").mkdir(parents=True)
    (tmp_path / "lib" / "server" / "libjvm.so").touch()
    (tmp_path / "release").write_text('JAVA_VERSION="1.8.0_402"\n')
    error = refuse(make_endpoint(H2, "jdbc:h2:mem:x", java_home=str(tmp_path)))
    assert "version 8" in error.message


def test_an_embedded_database_is_one_for_every_session_of_the_process(open_jdbc: Open) -> None:
    endpoint = make_embedded("derby", "shared")
    first, second = open_jdbc(endpoint), open_jdbc(replace(endpoint, read_only=True))
    run(first, "CREATE TABLE one (a INT)", "INSERT INTO one VALUES (7)")
    assert read(second, "SELECT a FROM one") == [("7",)]


def test_two_drivers_work_beside_each_other(open_jdbc: Open) -> None:
    for product in PRODUCTS:
        assert read(open_jdbc(make_embedded(product, "beside")), "VALUES 1") == [("1",)]


def test_derby_in_a_folder_is_made_and_opened(open_jdbc: Open, tmp_path: Path) -> None:
    session = open_jdbc(make_endpoint(DERBY, f"jdbc:derby:{tmp_path}/shop;create=true"))
    run(session, "CREATE TABLE t (a INT)")
    assert (tmp_path / "shop" / "service.properties").exists()
    assert not Path("derby.log").exists()


@pytest.mark.parametrize("product", ["derby", "h2"])
def test_a_file_that_another_process_has_open_may_be_tried_again(open_jdbc: Open, tmp_path: Path, product: str) -> None:
    driver = {"derby": DERBY, "h2": H2}[product]
    url = f"jdbc:{product}:{tmp_path}/shop" + ";create=true" * (product == "derby")
    endpoint = make_endpoint(driver, url, username="sa", password="")
    open_jdbc(endpoint)
    with NativeRunner(silence_timeout_s=60) as runner, pytest.raises(ConnectFailed) as caught:
        runner.query(endpoint, "VALUES 1")
    assert caught.value.transient
    assert "one process at a time" in caught.value.hint


def test_derby_over_the_network(open_jdbc: Open, derby_server: int) -> None:
    session = open_jdbc(make_endpoint(DERBY_CLIENT, f"jdbc:derby://127.0.0.1:{derby_server}/net;create=true"))
    run(session, "CREATE TABLE t (a DECIMAL(5,2), b CLOB)", "INSERT INTO t VALUES (1.5, 'é')")
    assert read(session, "SELECT * FROM t") == [("1.50", "é")]


def test_java_starts_beside_other_questions_and_what_is_wrong_is_said_when_it_is_used(tmp_path: Path) -> None:
    good = make_embedded("h2", "ahead")
    bad = replace(good, jar=str(tmp_path / "gone.jar"))
    other = Endpoint(kind="sqlite", jdbc_url=f"jdbc:sqlite:{tmp_path / 'o.db'}")
    with NativeRunner(silence_timeout_s=120) as runner:
        runner.start_drivers([other, bad, good])
        maps = Path(f"/proc/{runner.pid}/maps")
        assert wait_until(lambda: "libjvm.so" in maps.read_text(), PATIENCE_S)
        assert runner.query(other, "SELECT 1").rows == (("1",),)
        with pytest.raises(ConnectFailed, match=r"gone\.jar cannot be read"):
            runner.query(bad, "SELECT 1")
        assert runner.query(good, "SELECT 1").rows == (("1",),)


def test_a_process_with_java_ends_in_good_order() -> None:
    program = """if True:
        from pipekit.drivers.jdbc.wire import connect
        from tests.databases.jdbc import build_load, load, make_embedded, run, take
        session = connect(make_embedded("h2", "ending"))
        run(session, "CREATE TABLE t (a INT, b VARCHAR(100))")
        block = (b"1\\t" + b"x" * 90 + b"\\n") * 1000
        load(session, build_load("t", ["A", "B"]), "copy-text", *[(block, 1000)] * 50)
        take(session, "SELECT * FROM t", "arrow")
    """
    root = Path(__file__).parents[2]
    argv = [sys.executable, "-c", program]
    done = subprocess.run(argv, cwd=root, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


# -- queries -----------------------------------------------------------------------------------------------------------


def test_cells_are_text_as_the_values_read(session: JdbcSession) -> None:
    run(
        session,
        "CREATE TABLE t (a INT, b DECIMAL(12,2), c VARCHAR(20), d BOOLEAN, e TIMESTAMP, f DATE, g BLOB)",
        "INSERT INTO t VALUES (1, 12.5, 'x', TRUE, TIMESTAMP('2024-02-29 12:34:56.5'), DATE('2024-02-29'), NULL)"
        if "Derby" in str(session.metadata.getDatabaseProductName())
        else "INSERT INTO t VALUES (1, 12.5, 'x', TRUE, TIMESTAMP '2024-02-29 12:34:56.5', DATE '2024-02-29', NULL)",
    )
    row = ("1", "12.50", "x", "true", "2024-02-29 12:34:56.5", "2024-02-29", None)
    assert read(session, "SELECT * FROM t") == [row]


def test_columns_have_the_types_of_java_spelled_the_same_everywhere(session: JdbcSession) -> None:
    run(session, "CREATE TABLE t (a INT, b DECIMAL(12,2), c VARCHAR(20), d CHAR(3), e BLOB)")
    types = [column.type for column in session.query("SELECT * FROM t").columns]
    assert types == ["INTEGER", "DECIMAL(12,2)", "VARCHAR(20)", "CHAR(3)", "BLOB"]


def test_a_limit_is_kept(session: JdbcSession) -> None:
    run(session, "CREATE TABLE t (a INT)", "INSERT INTO t VALUES (1), (2), (3)")
    assert len(session.query("SELECT a FROM t", 2).rows) == 2


def test_a_query_without_rows_still_has_columns(session: JdbcSession) -> None:
    run(session, "CREATE TABLE t (a INT)")
    (block,) = session.stream("SELECT a FROM t")
    assert (block.rows, [column.name for column in block.columns]) == ((), ["A"])


def test_rows_stream_in_blocks(session: JdbcSession) -> None:
    run(session, "CREATE TABLE t (a INT)", "INSERT INTO t VALUES (1)")
    for _ in range(13):
        run(session, "INSERT INTO t SELECT a FROM t")
    blocks = list(session.stream("SELECT a FROM t"))
    assert len(blocks) > 1
    assert sum(len(block.rows) for block in blocks) == 8192


def test_a_reader_who_stops_early_leaves_the_session_usable(session: JdbcSession) -> None:
    run(session, "CREATE TABLE t (a INT)", "INSERT INTO t VALUES (1)")
    for _ in range(13):
        run(session, "INSERT INTO t SELECT a FROM t")
    blocks: Any = session.stream("SELECT a FROM t")
    next(blocks)
    blocks.close()
    assert read(session, "SELECT COUNT(*) FROM t") == [("8192",)]


def test_text_survives_with_every_odd_character(session: JdbcSession) -> None:
    text = "a\\N\t\n\r\b\v \\. é€😀"
    run(session, "CREATE TABLE t (a VARCHAR(50))")
    session.connection.createStatement().execute(f"INSERT INTO t VALUES ('{text}')")
    assert read(session, "SELECT a FROM t") == [(text,)]


def test_a_wrong_statement_is_refused_with_its_state_and_text(session: JdbcSession) -> None:
    with pytest.raises(StatementFailed) as caught:
        session.query("SELECT nothing FROM nowhere")
    assert caught.value.sqlstate.startswith("42")
    assert "SELECT nothing" in caught.value.hint
    assert not caught.value.transient
    assert read(session, "VALUES 1") == [("1",)]


# -- transactions ------------------------------------------------------------------------------------------------------


def test_counts_add_up_by_name_and_a_value_is_the_first_cell(session: JdbcSession) -> None:
    run(session, "CREATE TABLE t (a INT)")
    insert = Statement(sql="INSERT INTO t VALUES (1), (2)", name="rows")
    total = Statement(sql="SELECT COUNT(*) FROM t", name="held", value=True)
    assert session.execute([insert, insert, total], (), False) == {"rows": 4, "held": 4}


def test_a_failing_statement_takes_the_transaction_with_it(session: JdbcSession) -> None:
    run(session, "CREATE TABLE t (a INT)")
    with pytest.raises(StatementFailed):
        run(session, "INSERT INTO t VALUES (1)", "INSERT INTO nowhere VALUES (1)")
    assert read(session, "SELECT COUNT(*) FROM t") == [("0",)]


def test_an_expectation_that_does_not_hold_rolls_back(session: JdbcSession) -> None:
    run(session, "CREATE TABLE t (a INT)")
    expect = [Expect(names=("rows",), equals=3, message="{got} instead of {equals}")]
    with pytest.raises(CheckFailed, match="1 instead of 3"):
        session.execute([Statement(sql="INSERT INTO t VALUES (1)", name="rows")], expect, False)
    assert read(session, "SELECT COUNT(*) FROM t") == [("0",)]


def test_with_autocommit_each_statement_stands_alone(session: JdbcSession) -> None:
    run(session, "CREATE TABLE t (a INT)")
    statements = [Statement(sql="INSERT INTO t VALUES (1)"), Statement(sql="INSERT INTO nowhere VALUES (1)")]
    with pytest.raises(StatementFailed):
        session.execute(statements, (), True)
    assert read(session, "SELECT COUNT(*) FROM t") == [("1",)]
    with pytest.raises(StatementFailed):
        session.execute(statements, (), False)
    assert read(session, "SELECT COUNT(*) FROM t") == [("1",)]


def test_a_value_that_is_no_number_is_refused(session: JdbcSession) -> None:
    with pytest.raises(StatementFailed, match="'fence' is not a whole number"):
        session.execute([Statement(sql="VALUES 'x'", name="fence", value=True)], (), False)


def test_a_read_only_session_of_derby_cannot_write(open_jdbc: Open) -> None:
    endpoint = make_embedded("derby", "readonly")
    run(open_jdbc(endpoint), "CREATE TABLE t (a INT)")
    reading = open_jdbc(replace(endpoint, read_only=True))
    with pytest.raises(StatementFailed) as caught:
        reading.query("INSERT INTO t VALUES (1)")
    assert caught.value.sqlstate == "25502"


@pytest.mark.parametrize("product", PRODUCTS)
def test_a_session_that_reads_only_changes_nothing_whatever_the_database_thinks_of_it(
    open_jdbc: Open, product: str
) -> None:
    endpoint = make_embedded(product, f"reads{next(_NUMBERS)}")
    writing = open_jdbc(endpoint)
    run(writing, "CREATE TABLE t (a INT)", "INSERT INTO t VALUES (1)")
    reading = open_jdbc(replace(endpoint, read_only=True))
    for sql in ("DELETE FROM t", "UPDATE t SET a = 2", "INSERT INTO t VALUES (3)", "DROP TABLE t"):
        with pytest.raises(StatementFailed):
            reading.query(sql)
        with pytest.raises(StatementFailed):
            reading.source(sql)
    with pytest.raises(StatementFailed, match="reads only"):
        run(reading, "DELETE FROM t")
    assert read(reading, "SELECT a FROM t") == read(writing, "SELECT a FROM t") == [("1",)]


def test_a_lock_that_another_session_holds_may_be_tried_again(open_jdbc: Open) -> None:
    endpoint = make_embedded("h2", "busy")
    first, second = open_jdbc(endpoint), open_jdbc(endpoint)
    run(first, "CREATE TABLE t (a INT PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    run(second, "SET LOCK_TIMEOUT 50")
    first.connection.createStatement().execute("UPDATE t SET a = 2")
    with pytest.raises(StatementFailed) as caught:
        run(second, "UPDATE t SET a = 3")
    assert caught.value.transient


def test_a_closed_session_may_be_closed_again(open_jdbc: Open) -> None:
    session = open_jdbc(make_embedded("derby", "closing"))
    session.close()
    session.close()
    with pytest.raises(StatementFailed) as caught:
        session.query("VALUES 1")
    assert caught.value.transient
