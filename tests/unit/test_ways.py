# What the columns of a table tell of how it is best kept in step.
"""`propose_way` and `list_growing`."""

import pytest

from pipekit.drivers import get_driver
from pipekit.drivers.base import TableColumn
from pipekit.engine.looking.ways import Way, list_growing, propose_way


def column(name: str, type_: str, key: bool = False) -> TableColumn:
    return TableColumn(name=name, type=type_, in_key=key)


ID, UUID = column("id", "bigint", True), column("id", "uuid", True)
CHANGED, MADE = column("last_modified", "timestamp with time zone"), column("created", "timestamp with time zone")


@pytest.mark.parametrize(
    ("kind", "columns", "rows", "way"),
    [
        ("postgresql", [ID, MADE, CHANGED], 10, Way(strategy="upsert", key=("id",), watermark="last_modified")),
        ("postgresql", [ID, MADE], 5_000_000, Way(strategy="append", key=("id",), watermark="id")),
        ("postgresql", [ID, MADE], 10, Way(key=("id",))),
        ("postgresql", [ID, MADE], None, Way(key=("id",))),
        ("postgresql", [UUID, MADE], 5_000_000, Way(key=("id",))),
        ("postgresql", [MADE, CHANGED], 5_000_000, Way()),
        ("postgresql", [ID, column("changed_by", "text")], 10, Way(key=("id",))),
        ("postgresql", [ID, column("n", "integer", True)], 5_000_000, Way(key=("id", "n"))),
        (
            "sqlserver",
            [column("Id", "int", True), column("rv", "rowversion")],
            10,
            Way(strategy="upsert", key=("Id",), watermark="rv"),
        ),
    ],
)
def test_a_way_is_proposed_that_misses_no_change(
    kind: str, columns: list[TableColumn], rows: int | None, way: Way
) -> None:
    assert propose_way(get_driver(kind), columns, rows) == way


def test_what_tells_of_a_change_stands_first_among_what_grows() -> None:
    found = list_growing(get_driver("postgresql"), [column("note", "text"), column("n", "integer"), ID, MADE, CHANGED])
    assert found == ["last_modified", "id", "n", "created"]
