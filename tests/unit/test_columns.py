# Column truth, on records alone: a driver that stages everything as it is stands on the dest side.
"""Which source column feeds which dest column, and what is refused by name."""

from dataclasses import replace

import pytest

from pipekit.drivers import get_driver
from pipekit.drivers.base import TableColumn
from pipekit.engine.planning.columns import ColumnMatch, match_columns
from pipekit.errors import RunFailed
from pipekit.models import Column, Guards, Module
from pipekit.runner_contract import ResultColumn

MODULE = Module(id=1, name="m", source_id=1, dest_id=2, source_query="select 1", dest_table="t")
DRIVER = get_driver("sqlite")


def match(module: Module, source: str, dest: str) -> ColumnMatch:
    """`source` and `dest` are column names; a dest name may end in ! (NOT NULL), = (has a default) or # (generated)."""
    columns = [
        TableColumn(
            name=name.rstrip("!=#"),
            type="INTEGER",
            nullable="!" not in name,
            has_default="=" in name,
            generated="#" in name,
        )
        for name in dest.split()
    ]
    return match_columns(
        module, DRIVER, DRIVER, [ResultColumn(name=n, type="INTEGER") for n in source.split()], columns
    )


def pairs(found: ColumnMatch) -> list[tuple[str, str]]:
    return [(item.source.name, item.dest.name) for item in found.columns]


def test_columns_meet_by_name_ignoring_case_in_the_order_of_the_source() -> None:
    assert pairs(match(MODULE, "b A", "a b")) == [("b", "b"), ("A", "a")]


def test_an_exact_name_wins_over_one_that_differs_in_case() -> None:
    assert pairs(match(MODULE, "id ID", "ID id")) == [("id", "id"), ("ID", "ID")]


@pytest.mark.parametrize(
    ("source", "dest", "message"),
    [
        ("a b x", "a b", "the source column 'x' has no dest column"),
        ("a a", "a", "the query has 2 columns named 'a'"),
        ("a", "a b!", "the dest column 'b' is NOT NULL, has no default and is fed by nothing"),
        ("a b", "a b#", "the dest column 'b' is computed by the database"),
        ("a A", "a", "'a' and 'A' would both feed the dest column 'a'"),
        ("Id", "id ID", "the source column 'Id' has no dest column"),
    ],
)
def test_a_column_in_the_way_is_refused_by_name(source: str, dest: str, message: str) -> None:
    with pytest.raises(RunFailed, match="The columns do not meet") as caught:
        match(MODULE, source, dest)
    assert message in caught.value.message
    assert caught.value.stage == "check"


def test_every_problem_is_told_at_once() -> None:
    with pytest.raises(RunFailed) as caught:
        match(MODULE, "x y", "a! b!")
    assert all(f"'{name}'" in caught.value.message for name in "xyab")


def test_unfed_columns_that_may_be_left_out_are_reported() -> None:
    assert match(MODULE, "a", "a b c!= d#").unfed == ("b", "c")


def test_the_mapping_renames_columns() -> None:
    column = Column(id="c1", source_name="KUNNR", source_type="", dest_name="customer", dest_type="")
    assert pairs(match(replace(MODULE, columns=(column,)), "kunnr b", "b customer")) == [
        ("kunnr", "customer"),
        ("b", "b"),
    ]


def test_position_ignores_names() -> None:
    module = replace(MODULE, match="position")
    assert pairs(match(module, "x x", "a g# b")) == [("x", "a"), ("x", "b")]
    with pytest.raises(RunFailed, match="3 columns, the dest table takes 2"):
        match(module, "x y z", "a b")


def test_without_column_truth_only_the_columns_that_meet_are_loaded() -> None:
    found = match(replace(MODULE, guards=Guards(column_truth=False)), "a x", "a b!")
    assert pairs(found) == [("a", "a")]
    assert found.ignored == ("x",)


def test_nothing_in_common_is_refused_even_then() -> None:
    with pytest.raises(RunFailed, match="no column in common"):
        match(replace(MODULE, guards=Guards(column_truth=False)), "x", "a")


@pytest.mark.parametrize(
    ("source", "dest", "meets"),
    [
        (["Order No.", "ID"], "order_no id", [("Order No.", "order_no"), ("ID", "id")]),
        (["a b", "a_b"], "a_b a_b_2", [("a b", "a_b_2"), ("a_b", "a_b")]),
        (["id", "ID"], "id id_2", [("id", "id"), ("ID", "id_2")]),
    ],
)
def test_columns_meet_those_that_were_made_of_their_names(
    source: list[str], dest: str, meets: list[tuple[str, str]]
) -> None:
    columns = [TableColumn(name=name, type="INTEGER") for name in dest.split()]
    found = match_columns(MODULE, DRIVER, DRIVER, [ResultColumn(name=name, type="") for name in source], columns)
    assert pairs(found) == meets


@pytest.mark.parametrize(
    ("names", "is_told"),
    [(["a", "x"], False), (["?column?", "a"], True), (["count(*)"], True), (["column1"], True), (["max", "max"], True)],
)
def test_position_is_named_where_columns_have_no_usable_names(names: list[str], is_told: bool) -> None:
    source = [ResultColumn(name=name, type="INTEGER") for name in names]
    with pytest.raises(RunFailed) as caught:
        match_columns(MODULE, DRIVER, DRIVER, source, [TableColumn(name="a", type="INTEGER")])
    assert ("match: position" in caught.value.hint) == is_told
