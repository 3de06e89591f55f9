# Every driver gives the answers of its golden files, and keeps the promises of the contract. Starts no database.
"""The contract of a driver. `PIPEKIT_GOLDEN=write` writes the golden files anew; read them before you commit them."""

import os
from pathlib import Path

import pytest

from pipekit.drivers import DRIVERS, get_driver
from pipekit.drivers.base import Driver, TableColumn
from pipekit.drivers.jdbc.products import PRODUCTS
from pipekit.errors import Invalid
from pipekit.runner_contract import ResultColumn
from tests.contract.exercise_driver import CASES, NEUTRAL_TYPES, Case

# What a bulk load cannot carry travels as text: a seventh digit of a second, an offset.
TEXT_STAGED = {("sqlserver", "datetime2(7)"): "nvarchar(40)", ("sqlserver", "datetimeoffset(7)"): "nvarchar(40)"}
GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(params=sorted(DRIVERS))
def driver(request: pytest.FixtureRequest) -> Driver:
    return get_driver(request.param)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_text_is_the_golden_one(driver: Driver, case: Case) -> None:
    path = GOLDEN / driver.kind / f"{case.name}.sql"
    text = case.write(driver).rstrip() + "\n"
    if os.environ.get("PIPEKIT_GOLDEN") == "write":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text


def test_there_is_no_golden_file_without_a_case(driver: Driver) -> None:
    names = {path.stem for path in (GOLDEN / driver.kind).glob("*.sql")}
    assert names == {case.name for case in CASES}


def test_the_driver_knows_its_kind_and_its_own_example(driver: Driver) -> None:
    assert get_driver(driver.kind) is driver
    assert driver.parse_url(driver.url_example)


@pytest.mark.parametrize("name", ["", "a\0b"])
def test_a_name_that_cannot_exist_is_refused(driver: Driver, name: str) -> None:
    with pytest.raises(Invalid):
        driver.quote_identifier(name)


@pytest.mark.parametrize("name", ["orders", "Mixed Case", 'say "hi"', "a.b", "select", "naïve", "it's", "a\\b"])
def test_a_quoted_table_name_comes_back_as_it_was(driver: Driver, name: str) -> None:
    assert driver.parse_table(driver.quote_identifier(name)).name == name


def test_a_table_has_at_most_two_parts(driver: Driver) -> None:
    with pytest.raises(Invalid):
        driver.parse_table("a.b.c.d")


@pytest.mark.parametrize("text", ["", " ", ".", "a.", ".b"])
def test_a_table_without_a_name_is_refused(driver: Driver, text: str) -> None:
    with pytest.raises(Invalid):
        driver.parse_table(text)


# Kinds that are registered are asked here too: their grammar is that of all of them.
EVERY_KIND = sorted({*DRIVERS, *PRODUCTS})
MORE_TYPES = {
    "postgresql": ('rpt."My Enum"[]', "interval day to second(3)", "geometry(Point,4326)", "int4[3][]"),
    "sqlserver": ("[dbo].[Flag]", "varchar(10) COLLATE Latin1_General_100_CI_AS", "xml(dbo.shape)", "double precision"),
    "sqlite": ("UNSIGNED BIG INT", "TEXT COLLATE NOCASE", "DECIMAL(10, 2)"),
    "mariadb": ("enum('a','it''s, b')", "int(10) unsigned zerofill", "text CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"),
    "oracle": ("VARCHAR2(20 CHAR)", "NUMBER(*,2)", "TIMESTAMP(6) WITH LOCAL TIME ZONE", "INTERVAL DAY(3) TO SECOND(0)"),
    "h2": ("INTEGER ARRAY[10]", "CHARACTER LARGE OBJECT(10)", "ENUM('a', 'b')"),
    "derby": ("VARCHAR(40) FOR BIT DATA", "LONG VARCHAR"),
    "db2i": ("DBCLOB(512M) CCSID 1200",),
}  # fmt: skip
NO_TYPES = (
    "integer; drop table orders", "integer default 5", "integer not null", "integer primary key", "integer, x integer",
    "integer references orders", "integer check (true)", "integer -- ", "integer /* */", "integer) as select 1 --",
    "integer generated always as (1)", "varchar(10", "varchar(10)) x", "enum('a\\'); drop table orders; --')", "'text'",
    "(select 1)", "integer\0", "x" * 30_000,
)  # fmt: skip


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_a_type_is_read_by_the_grammar_of_its_kind_and_more_than_one_type_is_refused(kind: str) -> None:
    driver = get_driver(kind)
    spelled = [driver.from_neutral(neutral) for neutral in NEUTRAL_TYPES]
    # What MySQL and MariaDB have of these are the names that JDBC gives a query's columns.
    examples = () if kind in ("mysql", "mariadb") else driver.type_examples
    for text in (*spelled, *examples, *MORE_TYPES.get(kind, ())):
        driver.check_type(text)
        driver.check_type(f" {text.upper()} ")
    for text in NO_TYPES:
        with pytest.raises(Invalid, match="is not one type") as caught:
            driver.check_type(text)
        assert caught.value.field == "dest_type"


OF_A_VALUE = {"sqlserver": ("8114", "229"), "postgresql": ("P0001", "42501")}


def test_an_error_of_a_value_is_told_from_one_of_the_database(driver: Driver) -> None:
    value, database = OF_A_VALUE.get(driver.kind, ("22003", "08006"))
    assert driver.is_of_a_value(value)
    assert not any(driver.is_of_a_value(code) for code in (database, "", "57014", "1205", "HYT00"))


@pytest.mark.parametrize("url", ["", "jdbc:", "postgresql://h/d", "jdbc:mysql://h/d", "file:/etc/passwd"])
def test_an_address_of_another_kind_is_refused(driver: Driver, url: str) -> None:
    with pytest.raises(Invalid) as refused:
        driver.parse_url(url)
    assert refused.value.field == "jdbc_url"


def test_a_literal_doubles_its_quotes_and_refuses_nul(driver: Driver) -> None:
    assert driver.quote_literal("it's") == "'it''s'"
    with pytest.raises(Invalid):
        driver.quote_literal("a\0b")


@pytest.mark.parametrize("neutral", NEUTRAL_TYPES, ids=lambda neutral: repr(neutral)[5:-1])
def test_a_column_fed_with_its_own_type_is_staged_like_the_dest(driver: Driver, neutral: object) -> None:
    spelling = driver.from_neutral(neutral)  # type: ignore[arg-type]
    staged = driver.stage_column(ResultColumn(name="a", type=spelling), driver, TableColumn(name="a", type=spelling))
    stage_type = TEXT_STAGED.get((driver.kind, spelling))
    assert (staged.stage_type, staged.lossy, staged.refused) == (stage_type, False, "")


@pytest.mark.parametrize("neutral", NEUTRAL_TYPES, ids=lambda neutral: repr(neutral)[5:-1])
def test_a_type_is_stable_after_one_trip_through_the_neutral_form(driver: Driver, neutral: object) -> None:
    once = driver.from_neutral(neutral)  # type: ignore[arg-type]
    twice = driver.from_neutral(driver.to_neutral(once))
    assert driver.from_neutral(driver.to_neutral(twice)) == twice


def test_the_same_kind_keeps_its_own_spelling(driver: Driver) -> None:
    assert driver.map_type("anything at all", driver) == "anything at all"
