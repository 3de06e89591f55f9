# Holds every statement the SQL Server driver builds to T-SQL's grammar, as sqlglot knows it. Opens no database.
"""Golden files and queries put into queries, parsed."""

import logging
import re
from dataclasses import replace
from pathlib import Path

import pytest

from pipekit.drivers.base import TableName
from pipekit.drivers.facts import Reference
from pipekit.drivers.sqlserver.driver import DRIVER
from pipekit.drivers.sqlserver.types import find_dest_refusal, parse_type
from pipekit.models import Strategy
from pipekit.runner_contract import QueryResult
from tests.contract.exercise_driver import build_plan
from tests.unit.test_sqlserver_driver import POSTGRES, numbered, stage
from tests.unit.test_sqlserver_driver import build_plan as build_small_plan

sqlglot = pytest.importorskip("sqlglot")

GOLDEN = Path(__file__).parents[1] / "contract" / "golden" / "sqlserver"

# What sqlglot cannot read, reviewed by hand against the grammar in Microsoft's reference.
UNREADABLE = {"end_sessions": "sqlglot knows no cursors and no TRY ... CATCH"}
READ_BY_HAND = re.compile(r"SET IDENTITY_INSERT \[dbo\]\.\[t\] (ON|OFF)")
# INSERT INTO t WITH (TABLOCK) (a, b): sqlglot takes the hint for a common table expression.
INSERT_HINT = ("] WITH (TABLOCK) (", "] (")


def parse(sql: str) -> None:
    """Raises for what is no T-SQL, and for what sqlglot only passes through."""
    trees = sqlglot.parse(sql.replace(*INSERT_HINT), read="tsql", error_level=sqlglot.ErrorLevel.RAISE)
    passed = [tree.sql() for tree in trees if tree is not None and list(tree.find_all(sqlglot.exp.Command))]
    assert [text for text in passed if not READ_BY_HAND.fullmatch(text)] == []


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, logger="sqlglot")


@pytest.mark.parametrize("name", sorted(path.stem for path in GOLDEN.glob("*.sql")))
def test_a_golden_file_is_t_sql(name: str) -> None:
    sql = (GOLDEN / f"{name}.sql").read_text(encoding="utf-8")
    if name not in UNREADABLE:
        parse(sql)
        return
    with pytest.raises((sqlglot.errors.ParseError, AssertionError)):
        parse(sql)


def test_the_parser_refuses_what_is_no_t_sql() -> None:
    with pytest.raises(sqlglot.errors.ParseError):
        parse("SELECT a FROM (SELECT a")
    with pytest.raises(AssertionError):
        parse("FETCH NEXT FROM ended INTO @id")


def test_the_setup_is_t_sql() -> None:
    missing = QueryResult(columns=(), rows=((None, None),))
    for sql in DRIVER.find_setup_sql(lambda _: missing):
        parse(sql)


@pytest.mark.parametrize("type_text", [t for t in DRIVER.type_examples if not find_dest_refusal(t)])
def test_the_proof_and_the_merge_of_every_type_are_t_sql(type_text: str) -> None:
    column = stage("text", type_text, POSTGRES)
    assert column.refused == ""
    plan = build_small_plan("upsert", column, numbered(), key=("id",))
    staging = DRIVER.build_staging_sql(plan.staging, plan.dest, plan.columns)
    proofs = [sql for _, sql in DRIVER.build_exactness_sql(plan)]
    for sql in (*staging, *proofs, *[statement.sql for statement in DRIVER.build_merge_sql(plan)]):
        parse(sql)


@pytest.mark.parametrize("type_text", [t for t in DRIVER.type_examples if not find_dest_refusal(t)])
@pytest.mark.parametrize("strategy", ["full", "incremental", "append", "upsert"])
def test_what_stands_around_the_merge_of_every_type_is_t_sql(type_text: str, strategy: Strategy) -> None:
    child = TableName(schema="dbo", name="c")
    direct = Reference(child=child, columns=("x",), referred=("id",), on_delete="cascade", on_update="cascade")
    further = Reference(child=child, columns=("y",), referred=("x",), on_delete="set null", parent=direct)
    column = stage("text", type_text, POSTGRES)
    key = ("id",) if strategy in ("incremental", "upsert") else ()
    plan = replace(
        build_small_plan(strategy, column, numbered(), key=key), row_key=("id",), referring=(direct, further)
    )
    for kept in (plan, replace(plan, keeps=True)) if strategy in ("full", "incremental") else (plan,):
        look = DRIVER.build_look(kept)
        assert look is not None
        counts = [DRIVER.build_present_sql(kept), DRIVER.build_count_sql(kept)]
        if strategy in ("full", "incremental"):
            counts.append(DRIVER.build_hold_sql(kept))
            counts += [DRIVER.build_children_sql(kept, reference) for reference in (direct, further)]
        if kept.keeps or strategy == "upsert":
            counts.append(DRIVER.build_moved_sql(kept, direct))
        for sql in (*counts, look.count, look.details, *[statement.sql for statement in DRIVER.build_merge_sql(kept)]):
            if sql:
                parse(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a, b FROM t",
        "SELECT a, b FROM t ORDER BY b",
        "SELECT TOP 5 a, b FROM t ORDER BY b",
        "WITH c AS (SELECT a FROM t), d (a) AS (SELECT 1) SELECT a FROM c UNION ALL SELECT a FROM d ORDER BY a",
        "SELECT a, b FROM t -- the end",
        "WITH c AS (SELECT 1 AS a) SELECT a FROM c OPTION (MAXRECURSION 10)",
    ],
)
def test_a_query_in_a_query_is_t_sql(sql: str) -> None:
    parse(DRIVER.build_select_columns_sql(sql, ["a"]))


def test_the_staging_types_are_those_the_load_knows() -> None:
    known = {"bit", "tinyint", "smallint", "int", "bigint", "decimal", "real", "float", "date", "time", "datetime2"}
    known |= {"datetimeoffset", "uniqueidentifier", "nvarchar", "varbinary"}
    columns = [stage("text", type_text, POSTGRES) for type_text in DRIVER.type_examples]
    staged = {parse_type(c.stage_type or c.dest.type).base for c in columns if not c.refused}
    assert staged == known
    assert build_plan(DRIVER).columns
