# Every type of Db2 for i's wire on its way into the other kinds: it arrives as it was, or its row is refused. Two
# doubles, of IBM i's host servers and of SQL Server; a real PostgreSQL and a real SQLite.
"""Into staging tables of the types that a dest would get which is made for them."""

from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import pytest

from pipekit.demo.postgres import LocalPostgres
from pipekit.drivers import get_driver
from pipekit.drivers.base import TableColumn
from pipekit.drivers.db2i.driver import DRIVER
from pipekit.errors import Inexact
from pipekit.runner.native import NativeRunner
from pipekit.runner_contract import Endpoint, Load, LoadColumn, Statement
from tests.databases.ibmi import columns as c
from tests.databases.ibmi.answers import Rows
from tests.databases.ibmi.columns import Column
from tests.databases.ibmi.host import Door
from tests.databases.sqlservers import Place, open_place
from tests.databases.test_ibmi_double import TYPES, System

# The type of the column, and what stands there then, or why it was refused.
Moved = tuple[str, list[str | None] | Inexact]
# What a dest cannot hold; everything else arrives.
REFUSED = {"sqlite": set[str](), "postgresql": {"TS12"}, "sqlserver": set[str]()}


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    with Door() as door, NativeRunner(silence_timeout_s=120) as runner:
        made = System(door, runner)
        yield made
        runner.forget_sessions()
        assert made.host.faults == []


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with open_place(tmp_path) as place:
        yield place


@pytest.fixture
def move(
    system: System, tmp_path: Path, postgres: LocalPostgres, database: str, place: Place, into: str
) -> Callable[[Column, Any], Moved]:
    """Moves a value, and a NULL behind it, into a table of the type that it gets in a kind of dest."""
    urls = {"sqlite": f"jdbc:sqlite:{tmp_path / 'dest.db'}", "postgresql": postgres.jdbc_url(database)}
    dest = place.endpoint() if into == "sqlserver" else Endpoint(kind=into, jdbc_url=urls[into], username="postgres")

    def move_one(column: Column, value: Any) -> Moved:
        system.answers["FROM TYPES"] = Rows([column], [(value,), (None,)])
        [told] = system.runner.query(system.endpoint(), "SELECT * FROM TYPES", limit=1).columns
        stage = get_driver(into).map_type(told.type, DRIVER)
        if (into, stage) == ("postgresql", "xml"):
            stage = "text"  # the tests' server is built without libxml
        name = f"t_{column.name}".lower()
        if into == "sqlserver":
            place.make(name, [("v", stage)])
        else:
            system.runner.execute(dest, [Statement(sql=f"CREATE TABLE {name} (v {stage})")])
        table = f"[dbo].[{name}]" if into == "sqlserver" else name
        staged = get_driver(into).stage_column(told, DRIVER, TableColumn(name="v", type=stage))
        load = LoadColumn(
            source_name=column.name, source_type=told.type, stage_name="v", stage_type=stage, checked=staged.checked
        )
        try:
            system.runner.migrate(system.endpoint(), "SELECT * FROM TYPES", dest, Load(table=table, columns=(load,)))
        except Inexact as error:
            return stage, error
        rows = (
            place.double.rows(name) if into == "sqlserver" else system.runner.query(dest, f"SELECT v FROM {name}").rows
        )
        return stage, ["0x" + cell.hex() if isinstance(cell, bytes) else cell and str(cell) for (cell,) in rows]

    return move_one


@pytest.mark.parametrize("into", ["sqlite", "postgresql", "sqlserver"])
def test_every_type_of_the_wire_arrives_as_it_was_or_is_refused_by_row(
    move: Callable[[Column, Any], Moved], into: str
) -> None:
    refused, changed = set(), {}
    for column, value, text in TYPES:
        stage, found = move(column, value)
        if isinstance(found, Inexact):
            refused.add(column.name if found.row == 1 else found.message)
        elif [_read(cell) for cell in found] != [_read(text), None]:
            changed[column.name] = (stage, text, found)
    assert changed == {}
    assert refused == REFUSED[into]


ENDS = [
    (c.date("D1"), "0001-01-01", "0001-01-01"),
    (c.date("D9"), "9999-12-31", "9999-12-31"),
    (c.date("D1582"), "1582-10-04", "1582-10-04"),
    (c.time("T24"), "24.00.00", "24:00:00"),
    (c.timestamp("TS1", 6), "0001-01-01-00.00.00.000000", "0001-01-01 00:00:00"),
    (c.timestamp("TS9", 6), "9999-12-31-23.59.59.999999", "9999-12-31 23:59:59.999999"),
    (c.timestamp("TS24", 6), "2024-02-29-24.00.00.000000", "2024-02-29 24:00:00"),
    (c.timestamp("TS249", 6), "9999-12-31-24.00.00.000000", "9999-12-31 24:00:00"),
]
# What a kind makes of them where they do not arrive as they are; None: the row is refused.
ELSEWHERE: dict[str, dict[str, str | None]] = {
    "sqlite": {},
    "postgresql": {"TS24": "2024-03-01 00:00:00", "TS249": "10000-01-01 00:00:00"},
    "sqlserver": {"T24": None, "TS24": None, "TS249": None},
}


@pytest.mark.parametrize("into", ["sqlite", "postgresql", "sqlserver"])
def test_the_ends_of_the_calendar_and_the_hour_24_arrive_as_the_documents_say(
    system: System, move: Callable[[Column, Any], Moved], into: str
) -> None:
    system.answers["FROM OLD"] = Rows([c.date("D")], [("1582-10-10",)])
    with pytest.raises(Inexact, match="Column D, row 1: '1582-10-20'"):
        system.read("SELECT * FROM OLD")
    for column, value, text in ENDS:
        _, found = move(column, value)
        wanted = ELSEWHERE[into].get(column.name, text)
        if wanted is None:
            assert isinstance(found, Inexact), (value, found)
            assert f"Column {column.name}, row 1" in found.message
        else:
            assert found == [wanted, None], value


def _read(cell: str | None) -> Any:
    """Numbers by their value, bytes by their digits, moments without zeros at the end, fixed text without blanks."""
    if cell is None:
        return None
    try:
        return Decimal(cell)
    except InvalidOperation:
        text = cell.lower().removeprefix("\\x").removeprefix("0x").rstrip(" ")
        return text.rstrip("0").rstrip(".") if "." in text and ":" in text else text
