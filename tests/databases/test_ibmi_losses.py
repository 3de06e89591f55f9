# Values that Db2 for i could not give, as jt400 and the double of its servers tell of them: refused by their place, or
# NULL where the module says so. No IBM i is here.
"""Every way of being told, on every way of reading; what the double is told to send stands in the tables."""

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipekit import repo
from pipekit.demo.postgres import LocalPostgres
from pipekit.models import Connection, Run
from tests.databases.ibmi import columns as c
from tests.databases.ibmi.answers import UNMAPPED, Outcome, Rows, Trouble, warn
from tests.databases.ibmi.columns import Column
from tests.databases.ibmi.host import Door
from tests.databases.ibmi.shop import Shop, Warned, open_shop
from tests.databases.moving import OpenSession

pytestmark = pytest.mark.usefixtures("one_child")

SQL = "select ordno, amt, cust from orders"
AMOUNT, NAME = c.decimal("AMT", 7, 2), c.varchar("CUST", 20)
BLANKS = b"\x40\x40\x40\x40"
# Some tens of thousands of these are more than a block.
MANY = 30_000
MAPPED = "the database gave NULL for a value that it could not map"
ALL_OF_THEM = (
    "SELECT RRN(t), HEX(t.amt) FROM orders AS t"
    " WHERE TRANSLATE(HEX(t.amt), '000000000FFFFF', '123456789ABCDE') NOT IN ('0000000F', 'F0F0F0F0F0F0F0')"
)
SWITCH = "`bad_data: null`"


@pytest.fixture
def shop(tmp_path: Path, door: Door) -> Iterator[Shop]:
    with open_shop(tmp_path, door, ";block size=512") as made:
        yield made


@pytest.fixture
def warehouse(shop: Shop, postgres: LocalPostgres, database: str) -> Connection:
    """PostgreSQL, whose rows come as COPY text; those of SQLite come as batches."""
    return shop.project.add_connection("warehouse", postgres.jdbc_url(database), username="postgres")


def tell(shop: Shop, amount: Column, value: Any, warning: Outcome | None = None, at: int = 20_000) -> None:
    """Row `at`, counted from 0, holds the value, and comes with the warning."""
    rows = [(n, value if n == at else None, f"C{n}") for n in range(MANY)]
    troubles = [Trouble(at, warning)] if warning else []
    shop.troubles["from orders"] = Rows([c.integer("ORDNO"), amount, NAME], rows, troubles)


def move(shop: Shop, dest: Connection | None = None, **options: Any) -> Run:
    """A full run with its dest made for it, the rows named by their number."""
    module = shop.project.add_module(
        "out", source=shop.ibmi, query=SQL, dest=dest or shop.lite, table="moved", merge_key=("ordno",),
        create_table=True, **options,
    )  # fmt: skip
    return shop.project.run(module)


@pytest.mark.parametrize(
    ("amount", "value", "told", "mends"),
    [
        (AMOUNT, BLANKS, "its bytes are no number", [ALL_OF_THEM, SWITCH]),
        (c.numeric("AMT", 7, 2), b"\x40" * 7, "its bytes are no number", [ALL_OF_THEM, SWITCH]),
        (AMOUNT, UNMAPPED, MAPPED, [ALL_OF_THEM, SWITCH]),
        (c.integer("AMT"), UNMAPPED, MAPPED, [SWITCH]),
        (c.double("AMT"), UNMAPPED, MAPPED, [SWITCH]),
        (c.varchar("AMT", 9), UNMAPPED, MAPPED, [SWITCH]),
        (c.date("AMT"), UNMAPPED, MAPPED, [SWITCH]),
    ],
)
def test_a_value_that_is_lost_is_refused_by_column_row_and_key(
    shop: Shop, amount: Column, value: Any, told: str, mends: list[str]
) -> None:
    tell(shop, amount, value)
    run = move(shop)
    assert (run.status, run.error_stage) == ("error", "stage")
    assert f"Column AMT, row 20001 (ORDNO 20000): {told}" in (run.error or "")
    assert [mend for mend in mends if mend not in (run.hint or "")] == []
    assert shop.execute("select name from sqlite_master where name = 'moved'") == []


@pytest.mark.parametrize(
    ("value", "warning", "told"),
    [
        (UNMAPPED, warn(802, "01519", "Data mapping."), r"Column AMT, row 20001 \(ORDNO 20000\)"),
        ("1\x1a", warn(335, "01517", "Substituted."), r"Column AMT, row 20001 \(ORDNO 20000\): a substitute was put"),
        ("1", warn(335, "01517", "Substituted."), r"lost in rows \d+ to 30000: a substitute was put for a character"),
        ("1", warn(0, "01004", ""), r"block of rows that begins with row \d+: a value was cut \(SQLSTATE 01004\)"),
        *(
            (None, warn(802, state, "Told."), rf"rows \d+ to 30000: {words} \(SQLSTATE {state}\): \[SQL0802\] Told.")
            for state, words in (
                ("01515", "a value out of its column's range became NULL"),
                ("01519", "a number out of range became NULL"),
                ("01520", "a text whose characters cannot be converted became NULL"),
                ("01534", "a text that is no date or time was taken for one"),
                ("01535", "a date was computed that is out of range"),
                ("01544", "a part of a text that is not there became NULL"),
                ("01564", "a division by zero became NULL"),
                ("01565", "a value that is not valid became NULL"),
            )
        ),
        (None, warn(802, "01547", "Told."), r"begins with row \d+: a text of mixed characters is not valid"),
    ],
)  # fmt: skip
def test_a_warning_of_a_later_block_ends_the_run_and_names_what_it_can(
    shop: Shop, value: Any, warning: Outcome, told: str
) -> None:
    tell(shop, c.varchar("AMT", 9), value, warning)
    run = move(shop)
    assert run.status == "error"
    assert re.search(told, run.error or "")
    begins = re.search(r"rows (\d+) to|begins with row (\d+)", run.error or "")
    assert begins is None or 1 < int(begins[1] or begins[2]) <= 20_001


def test_a_warning_that_loses_nothing_is_none_of_this(shop: Shop) -> None:
    tell(shop, AMOUNT, None, warn(0, "01003", "Null values eliminated."))
    assert move(shop).status == "success"


@pytest.mark.parametrize("into", ["sqlite", "postgresql"])
def test_with_null_such_values_are_null_and_counted_by_column_with_their_first_rows(
    shop: Shop, warehouse: Connection, open_session: OpenSession, into: str
) -> None:
    """The first row too, which is read before the run to know the columns."""
    columns = [c.integer("ORDNO"), AMOUNT, c.integer("N"), c.double("F"), c.varchar("V", 9)]
    bad = {"AMT": (0, 3, 4, 5, 20_000), "N": (3,), "F": (3,), "V": (3, 29_999)}
    good = {"ORDNO": None, "AMT": Decimal("1.50"), "N": 7, "F": 2.5, "V": "text"}

    def make(n: int) -> tuple[Any, ...]:
        values: dict[str, Any] = {**good, "ORDNO": n}
        values |= {name: (UNMAPPED if n != 4 else BLANKS) for name, rows in bad.items() if n in rows}
        return tuple(values[column.name] for column in columns)

    shop.troubles["from orders"] = Rows(
        columns, [make(n) for n in range(MANY)], [Trouble(20_000, warn(802, "01565", ""))]
    )
    module = shop.project.add_module(
        "out", source=shop.ibmi, query="select * from orders", dest=warehouse if into == "postgresql" else shop.lite,
        table="moved", merge_key=("ordno",), create_table=True, bad_data="null",
    )  # fmt: skip
    run = shop.project.succeed(module)
    assert [check.detail for check in run.checks if check.name == "bad_values"] == [
        "AMT: 5 values became NULL, in row 1 (ORDNO 0), row 4 (ORDNO 3), row 5 (ORDNO 4) and others;"
        " N: 1 value became NULL, in row 4 (ORDNO 3); F: 1 value became NULL, in row 4 (ORDNO 3);"
        " V: 2 values became NULL, in row 4 (ORDNO 3), row 30000 (ORDNO 29999)"
    ]
    session = open_session()
    ask: Callable[[str], list[Any]] = shop.execute if into == "sqlite" else lambda sql: list(session.query(sql).rows)
    for name, rows in bad.items():
        found = ask(f"select ordno from moved where {name} is null order by ordno")
        assert [int(row[0]) for row in found] == list(rows)
        kept = f"select count(*), count(distinct {name}) from moved where {name} is not null"
        assert [tuple(map(int, row)) for row in ask(kept)] == [(MANY - len(rows), 1)]


@pytest.mark.parametrize(
    ("value", "warning"),
    [("1\x1a", warn(335, "01517", "")), (None, warn(802, "01519", "")), ("1", warn(0, "01004", ""))],
)
def test_with_null_a_loss_that_left_no_null_behind_is_still_refused(shop: Shop, value: Any, warning: Outcome) -> None:
    tell(shop, c.varchar("AMT", 9), value, warning)
    run = move(shop, bad_data="null")
    assert run.status == "error"
    assert warning.state in (run.error or "")
    assert SWITCH not in (run.hint or "")


def test_with_null_and_nothing_lost_the_receipt_says_so(shop: Shop) -> None:
    tell(shop, AMOUNT, Decimal("1.5"))
    run = move(shop, bad_data="null")
    assert [(check.ok, check.detail) for check in run.checks if check.name == "bad_values"] == [(True, "none")]


def test_a_source_that_gives_every_value_refuses_the_switch_before_it_is_read(shop: Shop) -> None:
    module = shop.project.add_module(
        "in", source=shop.lite, query="select 1 as ordno", dest=shop.ibmi, table="BACK", bad_data="null"
    )
    run = shop.project.run(module)
    assert (run.status, run.error_stage) == ("error", "plan")
    assert "`bad_data: null` is for a source in Db2 for i" in (run.error or "")
    assert repo.get_run(shop.project.db, run.id).resolved_sql is None


# -- as dest -----------------------------------------------------------------------------------------------------------


def write(shop: Shop, type_text: str, text: str = "a€", **options: Any) -> Run:
    """Two rows into a table with a text of this type; the second has the text."""
    shop.tables.make(f"CREATE TABLE BACK (ID INTEGER NOT NULL, T {type_text}, PRIMARY KEY (ID))", [(7, "kept")])
    query = f"select 1 as id, 'fine' as t union all select 2, '{text}'"
    module = shop.project.add_module("in", source=shop.lite, query=query, dest=shop.ibmi, table="BACK", **options)
    return shop.project.run(module)


@pytest.mark.parametrize("strategy", ["full", "append"])
@pytest.mark.parametrize(
    "type_text",
    [
        "VARCHAR(8) CCSID 37",
        "CHAR(8) CCSID 273",
        "VARCHAR(8)",
        "CHAR(8)",
        "CLOB(1000) CCSID 37",
        "CLOB(1000) CCSID 500",
    ],
)
def test_a_character_that_a_column_lacks_is_refused_by_row_and_column(
    shop: Shop, type_text: str, strategy: str
) -> None:
    """jt400 itself would write a substitute, and say nothing."""
    run = write(shop, type_text, merge_strategy=strategy)
    assert run.status == "error"
    assert re.search("row 2: .*'a€'", run.error or "", re.IGNORECASE)
    assert re.search(r"column '?t\b", run.error or "", re.IGNORECASE)
    assert [key for key, _ in shop.tables.read("SELECT ID, T FROM BACK")] == [7]


@pytest.mark.parametrize(
    "type_text", ["VARCHAR(12) CCSID 1208", "GRAPHIC(8) CCSID 1200", "DBCLOB(99) CCSID 1200", "CLOB(99) CCSID 1208"]
)
def test_a_column_of_unicode_takes_every_character(shop: Shop, type_text: str) -> None:
    assert write(shop, type_text, "€ 中 \U0001f600").status == "success"
    assert [text.strip() for (text,) in shop.tables.read("SELECT T FROM BACK ORDER BY ID")] == [
        "fine",
        "€ 中 \U0001f600",
    ]


def test_a_type_that_only_looks_like_the_dests_own_is_no_reason_to_trust_it(shop: Shop) -> None:
    shop.execute('create table odd (id integer, t "VARCHAR(8) CCSID 37")')
    shop.execute("insert into odd values (1, 'a€')")
    shop.tables.make("CREATE TABLE BACK (ID INTEGER NOT NULL, T VARCHAR(8) CCSID 37, PRIMARY KEY (ID))")
    module = shop.project.add_module("in", source=shop.lite, query="select * from odd", dest=shop.ibmi, table="BACK")
    assert "Row 1: the value 'a€' cannot be stored exactly in the column 'T'" in (shop.project.run(module).error or "")


SUBSTITUTED = warn(335, "01517", "Character conversion has resulted in substitution characters.")


def test_the_servers_own_warning_as_the_cast_is_tried_is_the_same_refusal(shop: Shop) -> None:
    shop.troubles["AS pipekit_row"] = Trouble(0, SUBSTITUTED)
    run = write(shop, "VARCHAR(8) CCSID 37")
    assert (run.status, run.error_stage) == ("error", "check")
    assert "A value cannot be stored in the column 'T' of SHOPLIB.BACK" in (run.error or "")


def test_a_substitute_that_the_module_accepts_does_not_end_the_merge(shop: Shop) -> None:
    shop.troubles['INSERT INTO "SHOPLIB"."BACK"'] = Warned(SUBSTITUTED)
    run = write(shop, "VARCHAR(8) CCSID 37", guards={"exactness": False})
    assert run.status == "success", run.error
    assert shop.tables.read("SELECT T FROM BACK ORDER BY ID") == [("fine",), ("a\x1a",)]


@pytest.mark.parametrize("state", ["01004", "01519", "01564", "01565"])
def test_any_other_loss_in_a_merge_undoes_it(shop: Shop, state: str) -> None:
    shop.troubles['INSERT INTO "SHOPLIB"."BACK"'] = Warned(warn(802, state, "Told."))
    run = write(shop, "VARCHAR(8) CCSID 37", "plain")
    assert (run.status, run.error_stage) == ("error", "merge")
    assert f"(SQLSTATE {state}): [SQL0802] Told." in (run.error or "")
    assert shop.tables.read("SELECT ID FROM BACK") == [(7,)]


def test_a_hook_that_loses_a_character_is_an_error_of_the_run(shop: Shop) -> None:
    shop.troubles["UPDATE BACK"] = Warned(SUBSTITUTED)
    run = write(shop, "VARCHAR(8) CCSID 37", "plain", hooks=[{"sql": "UPDATE BACK SET T = 'b€'"}])
    assert (run.status, run.error_stage) == ("error", "hook")
    assert "a substitute was put for a character" in (run.error or "")
