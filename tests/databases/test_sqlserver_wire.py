# Tests of SQL Server's connection: logging in, reading, transactions and errors. Over the TDS double, or a real server.
"""pipekit.drivers.sqlserver.wire and session."""

import contextlib
import datetime
import threading
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from pipekit.drivers.sqlserver.session import SqlServerSession
from pipekit.drivers.sqlserver.wire import connect
from pipekit.errors import Cancelled, CheckFailed, ConnectFailed, Invalid, StatementFailed
from pipekit.runner.native import NativeRunner
from pipekit.runner_contract import Endpoint, Expect, Statement
from tests.databases.sqlservers import Place, open_place, take_provider
from tests.databases.tds.double import LOGIN_FAILED
from tests.databases.tds.library import PROVIDERS
from tests.databases.tds.replies import Close, Count, Error, RepeatedRows, Rows
from tests.patience import PATIENCE_S

NO_DATABASE = Error(4060, 'Cannot open database "shop" requested by the login. The login failed.', 11)
# What a session says of its settings when one of them is another.
SAID = {
    "IMPLICIT_TRANSACTIONS": "20858|2147483647|60000|7|2|us_english",
    "NUMERIC_ROUNDABORT": "29048|2147483647|60000|7|2|us_english",
    "DATEFORMAT": "20856|2147483647|60000|7|3|us_english",
    "DATEFIRST": "20856|2147483647|60000|1|2|us_english",
}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with open_place(tmp_path) as place:
        yield place


@pytest.fixture
def session(place: Place) -> Iterator[SqlServerSession]:
    with place.session(application_name="pipekit:7") as session:
        yield session


def run(session: SqlServerSession, *statements: str, autocommit: bool = False) -> dict[str, int]:
    return session.execute([Statement(sql=sql) for sql in statements], (), autocommit)


# -- logging in --------------------------------------------------------------------------------------------------------


def test_a_session_carries_its_run_as_its_name(place: Place, session: SqlServerSession) -> None:
    assert [login.application for login in place.double.logins()] == ["pipekit:7"]


def test_a_real_server_knows_the_session_by_that_name(place: Place, session: SqlServerSession) -> None:
    place.teach(r"APP_NAME", Rows([("n", "nvarchar(128)")], [("pipekit:7",)]))
    assert session.query("SELECT APP_NAME() AS n").first_cell() == "pipekit:7"


@pytest.mark.parametrize("login", ["a;database=other", "a}b{c", "{x}", " a ", "ü=ö"])
def test_a_login_may_hold_what_a_connection_string_is_made_of(place: Place, login: str) -> None:
    connect(place.endpoint(jdbc_url=place.double.jdbc_url, username=login, password=login)).close()
    seen = place.double.logins()[-1]
    assert (seen.user, seen.database) == (login, "shop")


def test_values_mean_the_same_in_every_session(place: Place, session: SqlServerSession) -> None:
    settings = place.double.texts()[0]
    for setting in ("XACT_ABORT ON", "NOCOUNT OFF", "LANGUAGE us_english", "DATEFORMAT ymd", "TEXTSIZE 2147483647"):
        assert f"SET {setting}" in settings


DROPPED = ["ANSI_WARNINGS", "ANSI_PADDING", "ANSI_NULLS", "ARITHABORT", "QUOTED_IDENTIFIER", "CONCAT_NULL_YIELDS_NULL",
           "XACT_ABORT", "LANGUAGE", "LOCK_TIMEOUT", "TEXTSIZE"]  # fmt: skip


def test_settings_that_do_not_arrive_are_refused_by_name(place: Place) -> None:
    place.double.answer(rf"^SET ({'|'.join(DROPPED)}) ")
    with pytest.raises(ConnectFailed, match="Settings of the session did not arrive") as caught:
        connect(place.endpoint())
    named = caught.value.message.partition(": ")[2].rstrip(".").split(", ")
    assert (sorted(named), caught.value.transient) == (sorted(DROPPED), False)


@pytest.mark.parametrize("name", SAID)
def test_a_setting_that_is_put_back_is_refused_by_name(place: Place, name: str) -> None:
    place.double.answer(r"^SELECT CONCAT\(@@OPTIONS", Rows([("", "nvarchar(400)")], [(SAID[name],)]))
    with pytest.raises(ConnectFailed, match=f"did not arrive: {name}"):
        connect(place.endpoint())


def test_a_refused_login_says_so_and_keeps_the_password(place: Place) -> None:
    place.double.refuse_logins()
    with pytest.raises(ConnectFailed, match="Login failed") as caught:
        connect(place.endpoint(password="Tr0ub4dor"))
    assert (caught.value.transient, caught.value.sqlstate) == (False, "18456")
    assert "Tr0ub4dor" not in f"{caught.value.message} {caught.value.hint}"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_port_where_nobody_listens_is_given_up_in_time(
    place: Place, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One with little time ends while another, which was begun before it and has much, still tries."""
    take_provider(monkeypatch, provider)
    nobody = "jdbc:sqlserver://127.0.0.1:1;databaseName=a;encrypt=false"
    endpoint = Endpoint(kind="sqlserver", jdbc_url=nobody, username="sa", password="Tr0ub4dor", connect_timeout_s=1.0)
    stop, begins, ends = threading.Event(), threading.Event(), threading.Event()

    def try_for_long() -> None:
        with NativeRunner(stop=stop) as runner, contextlib.suppress(Cancelled, ConnectFailed):
            runner.ping()
            begins.set()
            runner.query(replace(endpoint, connect_timeout_s=PATIENCE_S), "SELECT 1")
        ends.set()

    other = threading.Thread(target=try_for_long)
    other.start()
    assert begins.wait(PATIENCE_S)
    with NativeRunner() as runner, pytest.raises(ConnectFailed, match=r"127\.0\.0\.1,1: ") as caught:
        runner.query(endpoint, "SELECT 1")
    assert not ends.is_set()
    stop.set()
    other.join()
    assert caught.value.transient
    assert "port" in caught.value.hint
    assert "Tr0ub4dor" not in caught.value.message


REFUSALS: list[tuple[tuple[Error, ...], str, bool, str]] = [
    ((NO_DATABASE,), "4060", False, "database"),
    ((LOGIN_FAILED,), "18456", False, "password"),
    ((Error(18456, "\u00c9chec de l'ouverture de session de l'utilisateur 'sa'.", 14),), "18456", False, "password"),
    ((Error(18401, "Login failed for user 'sa'. Reason: Server is in script upgrade mode.", 14),), "18401", True, ""),
    ((Error(18487, "Login failed for user 'sa'.  Reason: The password of the account has expired.", 14),), "18487",
     False, ""),
    ((Error(40613, "Database 'shop' on server 's' is not currently available.", 17),), "40613", True, ""),
]  # fmt: skip


@pytest.mark.parametrize(("errors", "number", "transient", "hint"), REFUSALS, ids=[item[1] for item in REFUSALS])
def test_a_refused_login_is_told_from_a_database_that_is_not_there(
    place: Place, errors: tuple[Error, ...], number: str, transient: bool, hint: str
) -> None:
    place.double.refuse_logins(*errors)
    with pytest.raises(ConnectFailed) as caught:
        connect(place.endpoint())
    assert (caught.value.sqlstate, caught.value.transient) == (number, transient)
    assert hint in caught.value.hint


def test_a_refused_login_that_hides_a_missing_database_does_not_blame_the_password_alone(place: Place) -> None:
    # Of the two errors that a server sends then, the client library tells one, and which depends on its provider.
    place.double.refuse_logins(NO_DATABASE, LOGIN_FAILED)
    with pytest.raises(ConnectFailed) as caught:
        connect(place.endpoint())
    assert "database" in caught.value.hint


# -- encryption --------------------------------------------------------------------------------------------------------

HOST = "db.example"
# address, whether it connects, a word of the hint
ENCRYPTION: list[tuple[str, bool, str]] = [
    ("encrypt=true", False, "trustServerCertificate=true"),
    ("encrypt=false", False, "trustServerCertificate=true"),
    ("encrypt=strict", False, "trustServerCertificate=true"),
    ("encrypt=true;trustServerCertificate=true", True, ""),
    ("encrypt=strict;serverCertificate={certificate}", True, ""),
]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(("options", "connects", "hint"), ENCRYPTION, ids=[item[0] for item in ENCRYPTION])
def test_a_certificate_that_nobody_trusts_is_told_as_such_and_not_tried_again(
    place: Place, tmp_path: Path, provider: str, options: str, connects: bool, hint: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    take_provider(monkeypatch, provider)
    place.double.encrypt(HOST)
    place.double.answer(r"^SELECT 1", Rows([("n", "int")], [(1,)]))
    options = options.format(certificate=tmp_path / f"{HOST}.pem")
    endpoint = place.endpoint(jdbc_url=place.url_by_name(options))
    with NativeRunner() as runner:
        if connects:
            assert runner.query(endpoint, "SELECT 1 AS n").first_cell() == "1"
            return
        with pytest.raises(ConnectFailed, match="certificate is not accepted") as caught:
            runner.query(endpoint, "SELECT 1 AS n")
    assert not caught.value.transient
    for word in (hint, "hostNameInCertificate", "encrypt"):
        assert word in caught.value.hint


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_certificate_for_another_host_is_accepted_by_the_name_it_has(
    place: Place, tmp_path: Path, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_provider(monkeypatch, provider)
    place.double.encrypt(HOST)
    place.double.answer(r"^SELECT 1", Rows([("n", "int")], [(1,)]))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / f"{HOST}.pem"))
    url = place.url_by_name("encrypt=true")
    with NativeRunner() as runner:
        with pytest.raises(ConnectFailed, match="certificate is not accepted") as caught:
            runner.query(place.endpoint(jdbc_url=url), "SELECT 1 AS n")
        assert "hostNameInCertificate=NAME" in caught.value.hint
        named = place.endpoint(jdbc_url=f"{url};hostNameInCertificate={HOST}")
        assert runner.query(named, "SELECT 1 AS n").first_cell() == "1"


def test_a_server_that_cannot_encrypt_is_told_as_such(place: Place) -> None:
    url = place.double.jdbc_url.replace("encrypt=false", "encrypt=true")
    with pytest.raises(ConnectFailed, match="does not encrypt") as caught:
        connect(place.endpoint(jdbc_url=url))
    assert not caught.value.transient
    assert "encrypt=false" in caught.value.hint


# -- reading -----------------------------------------------------------------------------------------------------------

CELLS: list[tuple[str, Any, str]] = [
    ("bit", True, "1"),
    ("tinyint", 200, "200"),
    ("smallint", -5, "-5"),
    ("int", 7, "7"),
    ("bigint", 2**63 - 1, "9223372036854775807"),
    ("decimal(38,10)", Decimal("-0.0000000001"), "-0.0000000001"),
    ("money", Decimal("-12.5"), "-12.5000"),
    ("smallmoney", Decimal("0.0001"), "0.0001"),
    ("real", 1.5, "1.5"),
    ("float", 0.1, "0.1"),
    ("date", datetime.date(1, 1, 1), "0001-01-01"),
    ("time(7)", "23:59:59.9999999", "23:59:59.9999999"),
    ("datetime", datetime.datetime(2020, 1, 2, 3, 4, 5, 123000), "2020-01-02 03:04:05.123"),
    ("smalldatetime", datetime.datetime(2020, 1, 2, 3, 4), "2020-01-02 03:04:00"),
    ("datetime2(6)", datetime.datetime(2020, 1, 2, 3, 4, 5, 100), "2020-01-02 03:04:05.0001"),
    ("uniqueidentifier", UUID(int=255), "00000000-0000-0000-0000-0000000000FF"),
    ("char(4)", "ab", "ab  "),
    ("varchar(10)", "wörd", "wörd"),
    ("nchar(4)", "äb", "äb  "),
    ("nvarchar(10)", "a\U0001f600b", "a\U0001f600b"),
    ("nvarchar(max)", "x" * 9000, "x" * 9000),
    ("varchar(max)", "y" * 9000, "y" * 9000),
    ("binary(3)", b"\x01", "0x010000"),
    ("varbinary(10)", b"\xff\x00", "0xFF00"),
    ("varbinary(max)", b"z" * 9000, "0x" + "7A" * 9000),
    ("xml", "<a b='1'/>", "<a b='1'/>"),
    ("text", "wörd", "wörd"),
    ("ntext", "a\U0001f600b", "a\U0001f600b"),
    ("image", b"\x00\xff", "0x00FF"),
]


@pytest.mark.parametrize(("type_", "value", "text"), CELLS, ids=[cell[0] for cell in CELLS])
def test_a_cell_is_text_as_sql_server_spells_it(
    place: Place, session: SqlServerSession, type_: str, value: Any, text: str
) -> None:
    place.make("cells", [("id", "int"), ("c", type_)], [(1, value), (2, None)])
    got = session.query("SELECT * FROM dbo.cells")
    if type_ == "xml" and not place.is_double:
        text = text.replace("'", '"')
    assert got.rows == (("1", text), ("2", None))


def test_a_rowversion_is_text_of_its_eight_bytes(place: Place, session: SqlServerSession) -> None:
    values = [bytes.fromhex("00000000000007d1"), bytes.fromhex("80000000ffffffff")]
    place.double.add_table("versions", [("rv", "rowversion")], [(value,) for value in values])
    assert session.query("SELECT rv FROM versions").rows == (("0x00000000000007D1",), ("0x80000000FFFFFFFF",))


TIMES = [
    ("datetime2(7)", "9999-12-31 23:59:59.9999999"),
    ("datetimeoffset(7)", "2024-02-29 12:00:00.1234567 +05:30"),
    ("datetimeoffset(0)", "2024-02-29 12:00:00 -08:00"),
]


@pytest.mark.parametrize(("type_", "text"), TIMES)
def test_a_time_keeps_its_last_digit_and_its_offset(
    place: Place, session: SqlServerSession, type_: str, text: str
) -> None:
    place.make("times", [("t", type_)], [(text,)])
    place.explain("", [("t", type_)], [(text,)])
    got = session.query("SELECT t FROM dbo.times")
    assert got.rows == ((text,),)
    assert got.columns[0].type == type_


def test_a_query_stops_at_its_limit(place: Place, session: SqlServerSession) -> None:
    place.double.answer(r"^SELECT n", RepeatedRows([("n", "int")], [(number,) for number in range(100)], 10_000))
    assert session.query("SELECT n FROM many", limit=3).rows == (("0",), ("1",), ("2",))
    assert session.query("SELECT n FROM many", limit=1).rows == (("0",),)


def test_a_stream_comes_in_blocks_and_tells_its_columns_even_without_rows(
    place: Place, session: SqlServerSession
) -> None:
    place.make("empty", [("a", "int"), ("b", "nvarchar(3)")])
    [block] = session.stream("SELECT * FROM dbo.empty")
    assert ([(column.name, column.type) for column in block.columns], block.rows) == (
        [("a", "int"), ("b", "nvarchar(3)")],
        (),
    )
    place.double.answer(r"^SELECT n", RepeatedRows([("n", "int")], [(number,) for number in range(100)], 100))
    sizes = [len(block.rows) for block in session.stream("SELECT n FROM many")]
    assert sum(sizes) == 10_000
    assert max(sizes) <= 2000


def test_what_gives_no_columns_is_no_query(session: SqlServerSession) -> None:
    with pytest.raises(StatementFailed, match="no columns"):
        session.query("SET NOCOUNT OFF")


def test_a_session_that_only_reads_rolls_back_what_a_query_wrote(place: Place) -> None:
    place.make("kept", [("a", "int")], [(1,)])
    place.double.answer(r"^DELETE FROM kept", Rows([("a", "int")], [(1,)]))
    with place.session(read_only=True) as session:
        session.query("DELETE FROM kept OUTPUT deleted.a")
        assert place.double.texts()[-3:] == [
            "BEGIN TRANSACTION",
            "DELETE FROM kept OUTPUT deleted.a",
            "SELECT @@TRANCOUNT; IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION",
        ]
        with pytest.raises(StatementFailed, match="only reads"):
            run(session, "DROP TABLE kept")


def test_a_session_that_only_reads_sends_no_second_statement(place: Place) -> None:
    place.make("kept", [("a", "int")], [(1,)])
    with place.session(read_only=True) as session:
        for look in (session.query, session.source):
            with pytest.raises((StatementFailed, Invalid), match="single statement"):
                look("SELECT a FROM dbo.kept COMMIT DELETE FROM dbo.kept")
    if place.is_double:
        assert not [text for text in place.double.texts() if "COMMIT DELETE" in text]
    assert place.rows("kept") == [("1",)]


def test_a_query_that_ends_its_transaction_where_nobody_sees_it_is_no_success(place: Place) -> None:
    place.double.answer(r"^EXEC dbo\.sly", Rows([("a", "int")], [(1,)]))
    place.double.answer(r"^select @@trancount", Rows([("n", "int")], [(0,)]))
    with place.session(read_only=True) as session, pytest.raises(StatementFailed, match="ended the transaction"):
        session.query("EXEC dbo.sly")


# -- transactions ------------------------------------------------------------------------------------------------------


def test_counts_are_those_of_the_last_statement_of_each_batch(place: Place, session: SqlServerSession) -> None:
    place.double.answer(r"^MERGE", Count(2), Count(5))
    place.double.answer(r"^SELECT COUNT_BIG", Rows([("n", "bigint")], [(9,)]))
    counts = session.execute(
        [
            Statement(sql="MERGE one", name="merged"),
            Statement(sql="MERGE two", name="merged"),
            Statement(sql="SELECT COUNT_BIG(*) FROM x WHERE y = 1", name="found", value=True),
            Statement(sql="SET NOCOUNT OFF", name="none"),
        ],
        (),
        False,
    )
    assert counts == {"merged": 10, "found": 9, "none": 0}


def test_a_transaction_is_committed_as_one(place: Place, session: SqlServerSession) -> None:
    run(session, "CREATE TABLE dbo.made (a int)", "DROP TABLE dbo.made")
    if place.is_double:
        assert place.double.texts()[-5:] == [
            "BEGIN TRANSACTION",
            "CREATE TABLE dbo.made (a int)",
            "DROP TABLE dbo.made",
            "SELECT @@TRANCOUNT",
            "COMMIT TRANSACTION",
        ]


def test_a_failed_expectation_rolls_back(place: Place, session: SqlServerSession) -> None:
    place.make("expected", [("a", "int")], [(1,), (2,)])
    statements = [Statement(sql="DELETE FROM dbo.expected", name="gone")]
    with pytest.raises(CheckFailed, match="2 gone, not 3"):
        session.execute(statements, [Expect(names=("gone",), equals=3, message="{got} gone, not {equals}")], False)
    assert place.rows("expected") == [("1",), ("2",)]


def test_a_failed_statement_rolls_back_what_came_before(place: Place, session: SqlServerSession) -> None:
    place.make("before", [("a", "int")], [(1,)])
    with pytest.raises(StatementFailed):
        run(session, "DELETE FROM dbo.before", "SELECT * FROM dbo.no_such_table WHERE 1 / 0 = 1")
    assert place.rows("before") == [("1",)]


def test_a_statement_may_not_end_its_transaction(place: Place, session: SqlServerSession) -> None:
    with pytest.raises(StatementFailed, match="ended the transaction"):
        run(session, "COMMIT TRANSACTION")
    assert session.query("SELECT @@TRANCOUNT").first_cell() == "0"


# -- errors ------------------------------------------------------------------------------------------------------------


def test_an_error_has_sql_servers_number_and_the_column_it_names(place: Place, session: SqlServerSession) -> None:
    place.double.answer(r"^INSERT", Error(515, "Cannot insert the value NULL into column 'qty', table 'shop.dbo.t'."))
    with pytest.raises(StatementFailed, match="Cannot insert the value NULL") as caught:
        session.query("INSERT INTO t DEFAULT VALUES")
    assert (caught.value.sqlstate, caught.value.column, caught.value.transient) == ("515", "qty", False)


def test_an_error_has_its_place_where_the_server_names_a_word_of_the_statement(
    place: Place, session: SqlServerSession
) -> None:
    sql = "SELECT a\nFROM dbo.nowhere AS n"
    with pytest.raises(StatementFailed, match="nowhere") as caught:
        session.query(sql)
    assert (caught.value.sqlstate, caught.value.statement) == ("208", sql)
    assert caught.value.position in (sql.index("dbo.nowhere") + 1, sql.index("nowhere") + 1)


def test_an_error_behind_a_first_count_is_not_missed(place: Place, session: SqlServerSession) -> None:
    place.double.answer(r"^INSERT", Count(1), Error(2627, "Violation of PRIMARY KEY constraint 'PK_t'."))
    with pytest.raises(StatementFailed, match="PK_t") as caught:
        run(session, "INSERT INTO t DEFAULT VALUES")
    assert caught.value.sqlstate == "2627"


@pytest.mark.parametrize(
    ("number", "transient"),
    [
        (1205, True),
        (1222, True),
        (51222, True),
        (40613, True),
        (40197, True),
        (49918, True),
        (208, False),
        (2627, False),
    ],
)
def test_what_trying_again_can_cure_is_marked(
    place: Place, session: SqlServerSession, number: int, transient: bool
) -> None:
    place.double.answer(r"^UPDATE", Error(number, "It did not work.", 13))
    with pytest.raises(StatementFailed) as caught:
        run(session, "UPDATE t SET a = 1", autocommit=True)
    assert (caught.value.sqlstate, caught.value.transient) == (str(number), transient)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_lost_connection_is_worth_another_try(place: Place, provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    take_provider(monkeypatch, provider)
    place.double.answer(r"^UPDATE", Count(3))
    place.double.answer(r"^UPDATE", Close(), times=1)
    statements = [Statement(sql="UPDATE t SET a = 1", name="n")]
    with NativeRunner() as runner:
        with pytest.raises(StatementFailed) as caught:
            runner.execute(place.endpoint(), statements)
        assert caught.value.transient
        # One sentence, and nothing of a statement that did no wrong.
        assert caught.value.message.startswith("The connection to SQL Server was lost: ")
        assert (caught.value.message.count("\n"), caught.value.message.count(". "), caught.value.hint) == (0, 0, "")
        assert runner.execute(place.endpoint(), statements) == {"n": 3}
