# Tests of the SQLite driver as text: names, addresses, types, statements. Opens no database.
"""pipekit.drivers.sqlite.driver."""

import pytest

from pipekit.drivers import get_driver
from pipekit.drivers.base import LedgerEntry, MergePlan, StagedColumn, TableColumn, TableName
from pipekit.drivers.sqlite.catalogue import find_collations
from pipekit.drivers.sqlite.driver import DRIVER
from pipekit.drivers.sqlite.typemap import get_affinity
from pipekit.drivers.types import Type, TypeName
from pipekit.errors import Invalid, StatementFailed
from pipekit.models import Strategy
from pipekit.runner_contract import QueryResult, ResultColumn

ENTRY = LedgerEntry(run_key="ab12-7", run_id=7, module="it's", fence=3, rows=10)


def plan_merge(strategy: Strategy, key: tuple[str, ...] = ("id",), null_keys: bool = False) -> MergePlan:
    columns = tuple(
        StagedColumn(source=ResultColumn(name=name), dest=TableColumn(name=name, type="TEXT"))
        for name in ("id", "name")
    )
    dest = TableName(schema=None, name="orders")
    return MergePlan(
        strategy=strategy,
        staging=DRIVER.staging_table("orders"),
        dest=dest,
        columns=columns,
        key=key,
        null_keys=null_keys,
    )


@pytest.mark.parametrize(
    ("url", "file", "options"),
    [
        ("jdbc:sqlite:shop.db", "shop.db", {}),
        ("jdbc:sqlite:/data/a shop.db", "/data/a shop.db", {}),
        ("jdbc:sqlite:shop.db?busy_timeout=500", "shop.db", {"busy_timeout": "500"}),
        ("jdbc:sqlite:50%#1.db", "50%#1.db", {}),
    ],
)
def test_a_url_names_a_file(url: str, file: str, options: dict[str, str]) -> None:
    address = DRIVER.parse_url(url)
    assert (address.database, dict(address.options)) == (file, options)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("jdbc:postgresql://h/d", "starts with"),
        ("sqlite:shop.db", "starts with"),
        ("jdbc:sqlite::memory:", "memory"),
        ("jdbc:sqlite:", "memory"),
        ("jdbc:sqlite:file:shop.db?mode=ro", "plain file"),
        ("jdbc:sqlite::resource:shop.db", "plain file"),
        ("jdbc:sqlite:shop.db?vfs=unix-none", "'vfs' is not allowed"),
        ("jdbc:sqlite:shop.db?busy_timeout=-1", "milliseconds"),
        ("jdbc:sqlite:shop\0.db", "NUL"),
    ],
)
def test_a_url_that_is_not_a_plain_file_is_refused_with_the_reason(url: str, reason: str) -> None:
    with pytest.raises(Invalid, match=reason) as caught:
        DRIVER.parse_url(url)
    assert caught.value.field == "jdbc_url"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("orders", "orders"),
        ("main.orders", "orders"),
        ("MAIN.orders", "orders"),
        ('"order lines"', "order lines"),
        ('main."a.b"', "a.b"),
        ('"a""b"', 'a"b'),
        ("[a b]", "a b"),
        ("`a``b`", "a`b"),
        ("  orders ", "orders"),
        ("straße", "straße"),
        ("pipekit_staging.orders", "pipekit_staging.orders"),
        ("pipekit_staging.a.b", "pipekit_staging.a.b"),
    ],
)
def test_a_table_is_named_with_or_without_quotes_and_main(text: str, name: str) -> None:
    assert DRIVER.parse_table(text) == TableName(schema=None, name=name)


@pytest.mark.parametrize("text", ["", "other.orders", "a.b.c", "a b", 'a"b', '"a', "a;b", "a.", ".a", "f(x)", '"a\0b"'])
def test_a_name_that_is_no_table_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        DRIVER.parse_table(text)


def test_names_are_quoted_verbatim() -> None:
    assert DRIVER.quote_identifier('a"; DROP') == '"a""; DROP"'
    assert DRIVER.quote_table(DRIVER.staging_table("orders")) == '"pipekit_staging.orders"'
    for name in ("", "a\0b", "x" * 2000):
        with pytest.raises(Invalid):
            DRIVER.quote_identifier(name)


@pytest.mark.parametrize(
    ("spelling", "neutral"),
    [
        ("INTEGER", Type(name="int64")),
        ("smallint", Type(name="int64")),
        ("UNSIGNED BIG INT", Type(name="int64")),
        ("int(11)", Type(name="int64")),
        ("Double Precision", Type(name="float64")),
        ("DECIMAL(10,2)", Type(name="decimal", precision=10, scale=2)),
        ("numeric ( 10 )", Type(name="decimal", precision=10, scale=0)),
        ("NUMERIC", Type(name="decimal")),
        ("VARCHAR(40)", Type(name="text", length=40)),
        ("CHAR(3)", Type(name="text", length=3)),
        ("TEXT COLLATE NOCASE", Type(name="text")),
        ("BLOB", Type(name="bytes")),
        ("BOOLEAN", Type(name="bool")),
        ("DATETIME", Type(name="timestamp")),
        ("timestamp with time zone", Type(name="timestamptz")),
        ("", Type(name="text")),
        ("POINT", Type(name="text")),
        ("whatever (it, is)", Type(name="text")),
    ],
)
def test_declared_types_have_a_neutral_meaning(spelling: str, neutral: Type) -> None:
    assert DRIVER.to_neutral(spelling) == neutral


ALL_TYPES: tuple[TypeName, ...] = (
    "bool", "int16", "int32", "int64", "float32", "float64", "decimal", "text", "char", "bytes", "date", "time",
    "timetz", "timestamp", "timestamptz", "interval", "uuid", "json", "xml", "other",
)  # fmt: skip


@pytest.mark.parametrize("name", ALL_TYPES)
def test_a_neutral_type_gets_an_affinity_that_changes_none_of_its_values(name: TypeName) -> None:
    affinity = get_affinity(DRIVER.from_neutral(Type(name=name)))
    numbers_only_when_they_cannot_be_mistaken = {"bool", "date", "time", "timestamp", "timestamptz"}
    if name in ("int16", "int32", "int64"):
        assert affinity == "INTEGER"
    elif name in ("float32", "float64"):
        assert affinity == "REAL"
    elif name == "bytes":
        assert affinity == "BLOB"
    else:
        assert affinity == ("NUMERIC" if name in numbers_only_when_they_cannot_be_mistaken else "TEXT")


def test_a_decimal_is_a_number_only_within_fifteen_digits() -> None:
    assert DRIVER.from_neutral(Type(name="decimal", precision=15, scale=4)) == "DECIMAL(15,4)"
    assert DRIVER.from_neutral(Type(name="decimal", precision=16, scale=4)) == "TEXT"
    assert DRIVER.from_neutral(Type(name="decimal")) == "TEXT"


@pytest.mark.parametrize(
    ("spelling", "affinity"),
    [
        ("CHARINT", "INTEGER"),
        ("FLOATING POINT", "INTEGER"),
        ("INTERVAL", "INTEGER"),
        ("VARCHAR(9)", "TEXT"),
        ("", "BLOB"),
        ("BLOB", "BLOB"),
        ("DOUBLE", "REAL"),
        ("STRING", "NUMERIC"),
        ("UUID", "NUMERIC"),
        ("TEXT COLLATE POINTS", "TEXT"),
    ],
)
def test_affinity_follows_the_rules_of_sqlite(spelling: str, affinity: str) -> None:
    assert get_affinity(spelling) == affinity


def test_between_sqlite_files_a_declared_type_stays_as_it_is() -> None:
    assert DRIVER.map_type("POINT", get_driver("sqlite")) == "POINT"
    assert DRIVER.map_type("", DRIVER) == ""


def test_staging_is_declared_like_the_dest_except_for_any() -> None:
    dest = DRIVER.parse_table("t")
    columns = [
        DRIVER.stage_column(ResultColumn(name="x"), DRIVER, TableColumn(name="x", type=type_text, nullable=nullable))
        for type_text, nullable in (("VARCHAR(3) COLLATE NOCASE", False), ("ANY", True), ("", True))
    ]
    assert DRIVER.build_staging_sql(DRIVER.staging_table("m"), dest, columns) == (
        'DROP TABLE IF EXISTS "pipekit_staging.m"',
        'CREATE TABLE "pipekit_staging.m" (\n  "x" VARCHAR(3) COLLATE NOCASE NOT NULL,\n  "x" BLOB,\n  "x"\n)',
    )


def test_a_merge_names_its_columns_on_both_sides() -> None:
    (insert,) = DRIVER.build_merge_sql(plan_merge("append"))
    assert insert.sql == (
        'INSERT OR ABORT INTO "orders" ("id", "name")\n'
        'SELECT staging."id", staging."name" FROM "pipekit_staging.orders" AS staging'
    )


@pytest.mark.parametrize(
    ("strategy", "names"),
    [
        ("full", ["deleted", "inserted"]),
        ("incremental", ["deleted", "inserted"]),
        ("append", ["inserted"]),
        ("upsert", ["updated", "inserted"]),
    ],
)
def test_each_strategy_counts_what_it_does(strategy: Strategy, names: list[str]) -> None:
    assert [statement.name for statement in DRIVER.build_merge_sql(plan_merge(strategy))] == names


@pytest.mark.parametrize("strategy", ["incremental", "upsert"])
def test_a_keyed_merge_without_a_key_is_refused(strategy: Strategy) -> None:
    with pytest.raises(Invalid, match="merge key") as caught:
        DRIVER.build_merge_sql(plan_merge(strategy, key=()))
    assert caught.value.field == "merge_key"


def test_the_ledger_row_of_a_merge_gives_way_to_a_newer_fence() -> None:
    (merge,) = DRIVER.build_ledger_sql(ENTRY)
    assert merge.name == "ledger"
    assert "fence > 3" in merge.sql
    assert "'it''s'" in merge.sql
    assert "fence > 3" not in DRIVER.build_fence_sql(ENTRY)


def test_collations_are_read_from_the_text_of_a_table() -> None:
    sql = """CREATE TABLE "t" ( -- a comment, with a comma COLLATE x
      id INTEGER PRIMARY KEY, "Na""me" TEXT DEFAULT 'a, COLLATE b' COLLATE NOCASE NOT NULL,
      [b c] VARCHAR(3, 4) CHECK (x COLLATE RTRIM = 'a') COLLATE binary, code TEXT COLLATE "rtrim",
      PRIMARY KEY (id, code COLLATE NOCASE))"""
    assert find_collations(sql) == {'na"me': "NOCASE", "code": "rtrim"}


def test_equal_column_names_are_told_apart_from_renamed_ones() -> None:
    asked: list[str] = []

    def query(sql: str) -> QueryResult:
        asked.append(sql)
        if len(asked) == 1:
            raise StatementFailed("near LIMIT")
        return QueryResult(columns=tuple(ResultColumn(name=n) for n in ("a", "a:1", "b:1")), rows=())

    columns = DRIVER.introspect_query_columns(query, "select 1 a, 2 a, 3 [b:1] limit 3 -- x")
    assert [column.name for column in columns] == ["a", "a", "b:1"]
    assert asked[0].endswith("limit 3\nLIMIT 0")
