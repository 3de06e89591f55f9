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
from tests.databases.ibmi.answers import Rows
from tests.databases.ibmi.host import Door
from tests.databases.sqlservers import Place, open_place
from tests.databases.test_ibmi_double import TYPES, System

Read = Callable[[], Any]
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


@pytest.mark.parametrize("into", ["sqlite", "postgresql", "sqlserver"])
def test_every_type_of_the_wire_arrives_as_it_was_or_is_refused_by_row(
    system: System, tmp_path: Path, postgres: LocalPostgres, database: str, place: Place, into: str
) -> None:
    urls = {"sqlite": f"jdbc:sqlite:{tmp_path / 'dest.db'}", "postgresql": postgres.jdbc_url(database)}
    dest = place.endpoint() if into == "sqlserver" else Endpoint(kind=into, jdbc_url=urls[into], username="postgres")
    refused, changed = set(), {}
    for column, value, text in TYPES:
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
        move = LoadColumn(
            source_name=column.name, source_type=told.type, stage_name="v", stage_type=stage, checked=staged.checked
        )
        try:
            system.runner.migrate(system.endpoint(), "SELECT * FROM TYPES", dest, Load(table=table, columns=(move,)))
        except Inexact as error:
            refused.add(column.name if error.row == 1 else error.message)
            continue
        rows = (
            place.double.rows(name) if into == "sqlserver" else system.runner.query(dest, f"SELECT v FROM {name}").rows
        )
        found = ["0x" + cell.hex() if isinstance(cell, bytes) else cell and str(cell) for (cell,) in rows]
        if [_read(cell) for cell in found] != [_read(text), None]:
            changed[column.name] = (stage, text, found)
    assert changed == {}
    assert refused == REFUSED[into]


def _read(cell: str | None) -> Any:
    """Numbers by their value, bytes by their digits, moments without zeros at the end, fixed text without blanks."""
    if cell is None:
        return None
    try:
        return Decimal(cell)
    except InvalidOperation:
        text = cell.lower().removeprefix("\\x").removeprefix("0x").rstrip(" ")
        return text.rstrip("0").rstrip(".") if "." in text and ":" in text else text
