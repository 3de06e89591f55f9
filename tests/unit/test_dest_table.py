# Names, types and texts that the wizard proposes. Opens no database.
"""`pipekit.engine.looking.dest_table`, the pure part."""

from dataclasses import replace

import pytest

from pipekit.drivers import get_driver
from pipekit.drivers.base import Driver, TableColumn, TableName
from pipekit.engine.looking.dest_table import (
    TableDetails,
    build_merge_text,
    build_table_query,
    build_table_sql,
    propose_columns,
)
from pipekit.engine.planning.naming import clean_name, format_table, next_column_id
from pipekit.errors import Invalid
from pipekit.models import Column, Module

SQLITE, POSTGRES = get_driver("sqlite"), get_driver("postgresql")


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("order_no", "order_no"),
        ("  Order No. ", "Order_No"),
        ("a--b  c", "a_b_c"),
        ("2nd", "_2nd"),
        ("_private", "_private"),
        ("a__b", "a__b"),
        ("Größe", "Größe"),
        ("ORD#NO$", "ORD_NO"),
        ('"; drop table x; --', "drop_table_x"),
        ("***", ""),
        ("", ""),
    ],
)
def test_a_name_is_cleaned_of_spaces_and_odd_characters(text: str, cleaned: str) -> None:
    assert clean_name(text) == cleaned


def test_a_name_is_cut_to_what_the_dest_can_hold_in_bytes() -> None:
    assert clean_name("ü" * 40, 63) == "ü" * 31
    assert clean_name("Order No", lower=True) == "order_no"


def test_proposed_columns_have_stable_ids_differing_names_and_types_of_the_dest() -> None:
    found = [TableColumn(name=name, type="INTEGER") for name in ("Order No", "order_no", "?", "x")]
    columns = propose_columns(SQLITE, POSTGRES, found)
    assert [column.id for column in columns] == ["c1", "c2", "c3", "c4"]
    assert [column.dest_name for column in columns] == ["order_no_2", "order_no", "column_3", "x"]
    assert {column.dest_type for column in columns} == {"bigint"}
    assert propose_columns(SQLITE, SQLITE, found)[0].dest_type == "INTEGER"


def test_the_query_of_a_table_quotes_what_it_names() -> None:
    columns = [TableColumn(name='odd"name', type="text"), TableColumn(name="b", type="text")]
    query = build_table_query(POSTGRES, TableName(schema="s", name="Order Lines"), columns)
    assert query == 'SELECT\n  "odd""name",\n  "b"\nFROM "s"."Order Lines"'


def test_a_dest_table_is_written_plainly_where_that_reads_back_the_same() -> None:
    assert format_table(POSTGRES, "", "Orders") == "Orders"
    assert format_table(POSTGRES, "dw", '"Orders"') == 'dw."Orders"'
    assert format_table(POSTGRES, "dw", "orders") == "dw.orders"
    assert format_table(SQLITE, "", "orders") == "orders"
    for name in ("Order Lines", "a.b"):
        assert POSTGRES.parse_table(format_table(POSTGRES, "dw", name)) == TableName(schema="dw", name=name)


def test_the_next_id_follows_the_highest_there_is() -> None:
    columns = [Column(id=f"c{n}", source_name="", source_type="", dest_name="", dest_type="") for n in (1, 7, 3)]
    assert (next_column_id(columns), next_column_id([])) == ("c8", "c1")


def make_draft(**options: object) -> Module:
    columns = propose_columns(
        SQLITE, POSTGRES, [TableColumn(name="id", type="INTEGER"), TableColumn(name="x", type="TEXT")]
    )
    given = {"columns": tuple(columns), "merge_strategy": "upsert", "merge_key": ("id",), **options}
    return Module(id=0, name="m", source_id=1, dest_id=1, source_query="select 1", dest_table="public.m", **given)  # type: ignore[arg-type]


def test_the_table_carries_comments_and_the_merge_names_its_key() -> None:
    create, comment = build_table_sql(POSTGRES, make_draft(), TableDetails(comments={"c2": "what's that"}))
    assert create == 'CREATE TABLE "public"."m" (\n  "id" bigint NOT NULL,\n  "x" text,\n  PRIMARY KEY ("id")\n)'
    assert "'what''s that'" in comment
    text = build_merge_text(SQLITE, POSTGRES, make_draft())
    assert text.index("pipekit_staging") < text.index('INSERT INTO "public"."m"')


@pytest.mark.parametrize(
    ("options", "given", "last"),
    [
        ({}, ["c2"], 'CREATE INDEX ON "public"."m" ("id")'),
        ({"merge_strategy": "incremental"}, [], 'CREATE INDEX ON "public"."m" ("id")'),
        ({"merge_strategy": "incremental"}, ["c1"], 'PRIMARY KEY ("id")\n)'),
        ({"merge_strategy": "append"}, [], '"x" text\n)'),
    ],
)
def test_the_table_of_the_wizard_has_the_key_of_its_merge_beside_the_one_that_is_ticked(
    options: dict[str, object], given: list[str], last: str
) -> None:
    statements = build_table_sql(POSTGRES, make_draft(**options), TableDetails(primary_key=given))
    assert statements[-1].endswith(last)


@pytest.mark.parametrize("driver", [SQLITE, POSTGRES])
def test_the_table_carries_not_null_and_its_primary_key(driver: Driver) -> None:
    details = TableDetails(not_null={"c2"}, primary_key=("c1",))
    [create] = build_table_sql(driver, replace(make_draft(), dest_table="m"), details)
    assert [line.strip(" ,").split('"')[-1].split()[-2:] for line in create.splitlines()[1:3]] == [["NOT", "NULL"]] * 2
    assert create.endswith('\n  PRIMARY KEY ("id")\n)')


def test_a_table_that_lacks_a_column_or_has_one_nothing_feeds_is_refused_by_name() -> None:
    existing = [TableColumn(name="id", type="bigint"), TableColumn(name="must", type="text", nullable=False)]
    with pytest.raises(Invalid, match=r"'x' has no dest column.*'must' is NOT NULL") as caught:
        build_merge_text(SQLITE, POSTGRES, make_draft(), existing)
    assert caught.value.field == "dest_table"
