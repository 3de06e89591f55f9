# The double of IBM i's host servers, asked by jt400 itself. No IBM i is here: this is what the driver understands.
"""Every type both ways, blocks, LOBs, errors, limits, cancelled and broken connections."""

import datetime as dt
import threading
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import pytest

from pipekit.drivers.db2i.driver import DRIVER
from pipekit.errors import Cancelled, ConnectFailed, Inexact, RunnerError, StatementFailed
from pipekit.runner import native
from pipekit.runner.native import NativeRunner
from pipekit.runner.process import wait_until
from pipekit.runner_contract import Endpoint, Load, LoadColumn
from tests.databases.ibmi import columns as c
from tests.databases.ibmi.answers import Answer, Count, Mischief, Row, Rows, Saying, Trouble, fail
from tests.databases.ibmi.columns import Column
from tests.databases.ibmi.host import Door, Host
from tests.databases.ibmi.replies import make_ring
from tests.databases.jdbc import JT400, make_endpoint
from tests.patience import PATIENCE_S

# Column, the value behind it, and its text as a runner gives it.
TYPES: list[tuple[Column, Any, str]] = [
    (c.smallint("SI"), -5, "-5"),
    (c.integer("IN"), -(2**31), "-2147483648"),
    (c.bigint("BI"), 2**63 - 1, "9223372036854775807"),
    (c.real("RE"), 1.5, "1.5"),
    (c.double("DO"), -2.25e300, "-2.25E300"),
    (c.decimal("DE", 9, 2), Decimal("-1234567.89"), "-1234567.89"),
    (c.decimal("DE31", 31, 10), Decimal("123456789012345678901.0123456789"), "123456789012345678901.0123456789"),
    (c.numeric("NU", 7, 3), Decimal("-12.345"), "-12.345"),
    (c.decfloat("F16", 16), Decimal("-1.23E+5"), "-123000"),
    (c.decfloat("F34"), Decimal("9876543210123456789012345678901234E-10"), "987654321012345678901234.5678901234"),
    (c.char("C37", 10), "ABä", "ABä       "),
    (c.varchar("V37", 30), "VAR äö", "VAR äö"),
    (c.varchar("V273", 30, 273), "Müller [x]", "Müller [x]"),
    (c.varchar("V8", 60, 1208), "€ 中", "€ 中"),
    (c.char("CBIT", 4, c.BIT_DATA), b"\xc1\xc2\xc3\xc4", "0xC1C2C3C4"),
    (c.graphic("G", 6), "gr中", "gr中   "),
    (c.vargraphic("VG", 20), "vg中", "vg中"),
    (c.binary("BIN", 4), b"\1\2\3\4", "0x01020304"),
    (c.varbinary("VBI", 10), b"\5\6", "0x0506"),
    (c.date("DA"), dt.date(1, 1, 1), "0001-01-01"),
    (c.date("DZ"), dt.date(9999, 12, 31), "9999-12-31"),
    (c.time("TI"), dt.time(13, 5, 9), "13:05:09"),
    (c.timestamp("TS"), dt.datetime(2024, 2, 29, 13, 5, 9, 123456), "2024-02-29 13:05:09.123456"),
    (c.timestamp("TS12", 12), "2024-02-29-13.05.09.123456789012", "2024-02-29 13:05:09.123456789012"),
    (c.timestamp("TS0", 0), dt.datetime(1, 1, 1), "0001-01-01 00:00:00"),
    (c.rowid("RID"), b"\1" * 17, "0x" + "01" * 17),
    (c.blob("BL"), b"blob \0\1\2", "0x626C6F6220000102"),
    (c.clob("CL"), "clob text ä", "clob text ä"),
    (c.dbclob("DC"), "dbclob 中", "dbclob 中"),
    (c.xml("X"), "<a>€</a>", "<a>€</a>"),
]
COLUMNS = [column for column, _, _ in TYPES]
TEXT = c.varchar("V", 80)
NUMBERS = [c.integer("ID"), c.varchar("NAME", 20)]


class System:
    """A host, and a runner whose Java goes through the door to it."""

    def __init__(self, door: Door, runner: NativeRunner) -> None:
        self.door = door
        self.runner = runner
        self.answers: dict[str, Answer] = {}
        self.taken: list[Row] = []
        self.host = door.add("ibmi", Host(lambda: Saying(self._say)))

    def _say(self, sql: str) -> Answer:
        for part, answer in self.answers.items():
            if part in sql:
                return answer
        return fail(-204, "42704", "NOSUCH in SHOPLIB type *FILE not found.", "The object was not found.")

    def endpoint(self, options: str = "", **more: Any) -> Endpoint:
        url = DRIVER.build_connect_url(f"jdbc:as400://ibmi/SHOPLIB{options}")
        login = {"username": "SHOP", "password": "anything", **more}
        return make_endpoint(JT400, url, kind="db2i", java_options=self.door.java_options, **login)

    def read(self, sql: str, options: str = "") -> list[tuple[str | None, ...]]:
        return list(self.runner.query(self.endpoint(options), sql).rows)

    def take(self, rows: Sequence[Row]) -> int:
        self.taken += rows
        return len(rows)

    def move(
        self, rows: Sequence[Row], columns: Sequence[Column], options: str = "", source: Sequence[Column] = ()
    ) -> list[Row]:
        """Moves rows into a table with these columns, out of one with `source`, or the same; what arrived there."""
        self.answers["INSERT INTO DEST"] = Count(columns, self.take)
        self.answers["COUNT(*)"] = Rows([c.integer("N")], [(len(rows),)])
        self.answers["FROM DEST"] = Rows(columns, [])
        self.answers["FROM TYPES"] = Rows(source or columns, rows)
        names = [column.name for column in columns]
        loads = tuple(LoadColumn(source_name=n, source_type="", stage_name=n, stage_type="") for n in names)
        ends = [self.endpoint(options, application_name=name) for name in ("source", "dest")]
        self.runner.migrate(ends[0], "SELECT * FROM TYPES", ends[1], Load(table="DEST", columns=loads))
        return self.taken


@pytest.fixture(scope="module")
def runner(door: Door) -> Iterator[NativeRunner]:
    with NativeRunner(silence_timeout_s=120) as runner:
        yield runner


@pytest.fixture
def system(door: Door, runner: NativeRunner) -> Iterator[System]:
    made = System(door, runner)
    yield made
    # The next test's host has the same name.
    runner.forget_sessions()
    assert made.host.faults == []


def test_every_type_is_read_as_it_was_sent(system: System) -> None:
    system.answers["FROM TYPES"] = Rows(COLUMNS, [[value for _, value, _ in TYPES], [None] * len(TYPES)])
    first, second = system.read("SELECT * FROM TYPES")
    assert {column.name: text for column, text in zip(COLUMNS, first, strict=True)} == {
        column.name: text for column, _, text in TYPES
    }
    assert set(second) == {None}


def test_a_query_that_is_cancelled_is_ended_in_the_system_too(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "STOP_WITHIN_S", PATIENCE_S)
    stop = threading.Event()
    with NativeRunner(stop=stop) as runner:
        system = System(door, runner)
        system.answers["FROM SLOW"] = Rows([c.integer("N")], [(1,)], delay_s=10 * PATIENCE_S)

        def cancel() -> None:
            assert wait_until(lambda: "SELECT N FROM SLOW" in system.host.seen, PATIENCE_S)
            stop.set()

        watcher = threading.Thread(target=cancel)
        watcher.start()
        with pytest.raises(Cancelled):
            system.read("SELECT N FROM SLOW")
        watcher.join()
    (told,) = [what for what in system.host.seen if what.startswith("CANCEL ")]
    assert told.startswith("CANCEL QZDASOINIT")


def test_a_ring_gives_its_rows_over_and_over_whatever_the_blocks(system: System) -> None:
    rows = [(number, f"n{number}" if number else None) for number in range(7)]
    system.answers["FROM RING"] = make_ring(NUMBERS, rows, 20_000)
    expected = [(str(number % 7), f"n{number % 7}" if number % 7 else None) for number in range(20_000)]
    for options in ("", ";block size=8"):
        assert system.read("SELECT * FROM RING", options) == expected


def test_decimals_are_moved_digit_by_digit(system: System) -> None:
    columns = [c.decimal("A", 5), c.decimal("B", 18, 18), c.numeric("C", 15, 2), c.decimal("D", 31, 30)]
    rows = [
        tuple(Decimal(text) for text in texts)
        for texts in (
            ("0", "0", "0", "0"),
            ("-7", "-0.000000000000000001", "0.05", "-1.000000000000000000000000000001"),
            ("99999", "0.999999999999999999", "-9999999999999.99", "0.1"),
            ("-10", "0.1", "100", "0"),
        )
    ]
    assert system.move(rows, columns) == rows


def test_days_are_moved_as_they_are_whatever_the_calendar(system: System) -> None:
    days = ["0001-01-01", "1582-10-04", "1582-10-25", "1600-02-29", "1969-12-31", "1970-01-01", "9999-12-31"]
    texts = [None, *reversed(days), *days]
    rows = [(text and dt.date.fromisoformat(text),) for text in texts]
    assert system.move(rows, [c.date("A")]) == [(text,) for text in texts]


def test_every_type_is_written_as_it_was_read(system: System) -> None:
    """ROWID is for nobody to write."""
    types = [one for one in TYPES if one[0].name != "RID"]
    columns, values = [column for column, _, _ in types], [value for _, value, _ in types]
    written, nulls = system.move([values, [None] * len(types)], columns)
    assert [_plain(value) for value in written] == [_plain(value) for value in values]
    assert set(nulls) == {None}


def _plain(value: Any) -> Any:
    """Moments as the driver sends them, numbers without their exponent, fixed text without its blanks."""
    if isinstance(value, dt.datetime):
        text = f"{value.year:04d}" + value.strftime("-%m-%d-%H.%M.%S.%f")
        return text.removesuffix(".000000")
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, dt.time):
        return value.strftime("%H.%M.%S")
    return format(value, "f") if isinstance(value, Decimal) else value


@pytest.mark.parametrize("digits", [16, 34])
def test_decimal_floats_of_any_size_are_read_and_written(system: System, digits: int) -> None:
    words = ["NaN", "sNaN", "Infinity", "-Infinity"]
    column = c.decfloat("F", digits)
    values = [Decimal(text) for text in ("0", "1", "-9.99", "1E+20", "-1E-30", "123456789.5", "9" * digits, *words)]
    values += [Decimal("1E+384"), Decimal("-9E-383")] if digits == 16 else [Decimal("1E+6144"), Decimal("9E-6143")]
    system.answers["FROM FLOATS"] = Rows([column], [(value,) for value in values])
    read = [str(cell) for (cell,) in system.read("SELECT F FROM FLOATS")]
    written = [str(value) for (value,) in system.move([(value,) for value in values], [column])]
    for found in (read, written):
        assert list(map(_spell, found)) == [_spell(str(value)) for value in values]


def _spell(text: str) -> str:
    """A number by its value, a word by its letters: a NaN that signals can be compared with nothing."""
    return text.lower() if text.strip("-").isalpha() else str(Decimal(text).normalize())


@pytest.mark.parametrize("column", [c.decimal("D", 63, 10), c.numeric("D", 63, 10)])
def test_a_decimal_of_63_digits_is_read_and_written(system: System, column: Column) -> None:
    rows = [(Decimal("9" * 53 + "." + "1" * 10),), (Decimal("-" + "8" * 53 + "." + "9" * 10),)]
    system.answers["FROM WIDE"] = Rows([column], rows)
    assert system.read("SELECT D FROM WIDE", ";maximum precision=63") == [(str(value),) for (value,) in rows]
    assert system.move(rows, [column], ";maximum precision=63") == rows


REFUSED = [
    (c.decfloat("V", 34), "1" * 35, "has more than 34 digits"),
    (c.decfloat("V", 34), "1E+6145", "is out of the range of a DECFLOAT(34)"),
    (c.decfloat("V", 34), "1E-6176", "is out of the range of a DECFLOAT(34)"),
    (c.decfloat("V", 16), "1" * 17, "has more than 16 digits"),
    (c.decfloat("V", 16), "1E+385", "is out of the range of a DECFLOAT(16)"),
    (c.decfloat("V", 16), "none", "is not a decimal number"),
    (c.timestamp("V", 12), "2024-02-29 13:05:09.1234567890123", "has more than 12 digits of a second"),
    (c.timestamp("V", 12), "2023-02-29 13:05:09.123456789012", "is not a value that the column can hold"),
    (c.timestamp("V", 9), "2024-02-29 13:05:09.1234567891", "has more than 9 digits of a second"),
    (c.timestamp("V", 6), "2024-02-29 13:05:09.123456789012", "has more than 6 digits of a second"),
]


@pytest.mark.parametrize(("column", "text", "told"), REFUSED)
def test_what_a_column_cannot_hold_is_refused_before_the_driver_changes_it(
    system: System, column: Column, text: str, told: str
) -> None:
    with pytest.raises(Inexact) as caught:
        system.move([("1",), (text,)] if column.type == c.DECFLOAT else [(None,), (text,)], [column], source=[TEXT])
    assert f"Column V, row 2: '{text[:29]}" in caught.value.message
    assert told in caught.value.message
    assert system.taken == []


def test_a_large_result_comes_in_blocks(system: System) -> None:
    """A row of 26 bytes and two indicators: 17,000 of them fill 512 KB."""
    system.answers["FROM BIG"] = Rows(NUMBERS, ((n, f"row {n}") for n in range(40_000)))
    rows = system.read("SELECT * FROM BIG")
    assert (len(rows), rows[-1]) == (40_000, ("39999", "row 39999"))
    assert system.host.seen.count("FETCH") == 3


def test_an_error_is_told_with_its_state_and_both_texts(system: System) -> None:
    with pytest.raises(StatementFailed) as caught:
        system.read("SELECT * FROM NOSUCH")
    assert caught.value.sqlstate == "42704"
    assert "[SQL0204] NOSUCH in SHOPLIB" in caught.value.message
    assert "The object was not found." in caught.value.message


@pytest.mark.parametrize("at", [0, 30_000])
def test_an_error_in_a_block_is_told_wherever_it_comes(system: System, at: int) -> None:
    failed = fail(-913, "57033", "Row or object ORDERS in SHOPLIB type *FILE in use.")
    system.answers["FROM LOCKED"] = Rows(NUMBERS, [(n, "x") for n in range(40_000)], [Trouble(at, failed)])
    with pytest.raises(StatementFailed) as caught:
        system.read("SELECT * FROM LOCKED")
    assert caught.value.sqlstate == "57033"
    assert "in use" in caught.value.message


@pytest.mark.parametrize("mischief", [Mischief.RESET, Mischief.END, Mischief.GARBLE])
def test_a_connection_that_breaks_in_the_middle_is_an_error(system: System, mischief: Mischief) -> None:
    system.answers["FROM BROKEN"] = Rows(NUMBERS, [(n, "x") for n in range(40_000)], [Trouble(30_000, mischief)])
    with pytest.raises(RunnerError) as caught:
        system.read("SELECT * FROM BROKEN")
    assert caught.value.message
    assert system.host.faults == []


def test_a_server_that_says_nothing_any_more_ends_by_the_sockets_own_time(system: System) -> None:
    system.answers["FROM STALLED"] = Rows(NUMBERS, [(n, "x") for n in range(40_000)], [Trouble(30_000, Mischief.STALL)])
    with pytest.raises(RunnerError) as caught:
        system.read("SELECT * FROM STALLED", ";socket timeout=500")
    assert "Read timed out" in caught.value.message


@pytest.mark.parametrize(
    ("user", "told"), [("NOBODY", "user ID is not known"), ("WRONG", "password"), ("DISABLED", "disabled")]
)
def test_a_login_that_is_refused_is_told_without_the_password(system: System, user: str, told: str) -> None:
    with pytest.raises(ConnectFailed) as caught:
        system.runner.query(system.endpoint(username=user, password="keptdark"), "SELECT 1 FROM SYSIBM.SYSDUMMY1")
    assert told.lower() in caught.value.message.lower()
    assert "keptdark" not in f"{caught.value.message} {caught.value.hint}"
