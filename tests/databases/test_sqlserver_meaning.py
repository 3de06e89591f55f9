# What the text of SQL Server's merge means: put into PostgreSQL's words by sqlglot, and run there. No SQL Server.
"""Rows that are kept, rows of others that are counted, and the look after the merge.

It proves the logic of the statements and their order, not what SQL Server makes of them: foreign keys are checked at
the end of a statement in both.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from pipekit.demo.postgres import LocalPostgres
from pipekit.drivers.base import MergePlan, StagedColumn, TableColumn, TableFacts, TableName
from pipekit.drivers.facts import Action, Firing, Gone, History, Reference
from pipekit.drivers.sqlserver.driver import DRIVER
from pipekit.engine.planning.children import build_child_counts
from pipekit.engine.planning.dest import settle_plan
from pipekit.engine.planning.dest_truth import build_looks_after, build_looks_before
from pipekit.models import Strategy
from pipekit.runner_contract import ResultColumn, Statement

sqlglot = pytest.importorskip("sqlglot")

SETUP = """
CREATE SCHEMA dbo; CREATE SCHEMA pipekit_staging;
CREATE COLLATION latin1_general_100_bin2 (locale = 'C');
CREATE FUNCTION datalength(text) RETURNS int LANGUAGE sql RETURN 2 * char_length($1);
CREATE FUNCTION datalength(int) RETURNS int LANGUAGE sql RETURN 4;
CREATE OPERATOR + (leftarg = text, rightarg = text, function = textcat);
"""
FRESH = """
DROP TABLE IF EXISTS dbo.c, dbo.g, dbo.t, pipekit_staging.m CASCADE;
CREATE TABLE dbo.t (id int PRIMARY KEY, p int, v text, up int);
CREATE TABLE dbo.c (n int PRIMARY KEY, t_id int DEFAULT 3 REFERENCES dbo.t {action});
CREATE TABLE dbo.g (c_n int REFERENCES dbo.c ON DELETE CASCADE);
CREATE TABLE pipekit_staging.m (id int, p int, v text, up int);
INSERT INTO dbo.t VALUES (1, 1, 'old1', NULL), (2, 1, 'old2', NULL), (3, 2, 'old3', NULL);
INSERT INTO pipekit_staging.m VALUES (2, 1, 'new2', NULL), (3, 2, 'old3', NULL), (4, 1, 'new4', NULL);
"""
DEST = TableName(schema="dbo", name="t")
CHILD = TableName(schema="dbo", name="c")
ACTIONS: tuple[Action, ...] = ("no action", "cascade", "set null", "set default")


@pytest.fixture(scope="module")
def database(postgres: LocalPostgres) -> Iterator[psycopg.Connection[Any]]:
    postgres.create_database("meaning")
    with psycopg.connect(
        host="127.0.0.1", port=postgres.port, user="postgres", dbname="meaning", autocommit=True
    ) as connection:
        connection.execute(SETUP)
        yield connection
    postgres.drop_database("meaning")


def translate(sql: str) -> str:
    """T-SQL of these statements in PostgreSQL's words."""
    # sqlglot takes this hint for a common table expression.
    sql = sql.replace("] WITH (TABLOCK) (", "] (")
    text: str = sqlglot.transpile(sql, read="tsql", write="postgres")[0]
    text = re.sub(r"\bBYTEA\(\w+\)", "BYTEA", text)
    text = re.sub(r"\bVARCHAR\(MAX\)", "TEXT", text).replace("N'", "'")
    text = re.sub(r"^DELETE d FROM", "DELETE FROM", text)
    text = re.sub(r"^UPDATE d SET (.*?) FROM (\S+ AS d) WHERE", r"UPDATE \2 SET \1 WHERE", text, flags=re.DOTALL)
    joined = r"^UPDATE d SET (.*?) FROM (\S+ AS d) JOIN (\S+ AS s) ON (.*) WHERE (EXISTS\(SELECT (?!1 ).*)$"
    return re.sub(joined, r"UPDATE \2 SET \1 FROM \3 WHERE \4 AND \5", text, flags=re.DOTALL)


def run(database: psycopg.Connection[Any], statements: Sequence[Statement]) -> dict[str, int]:
    """Runs statements as a session of SQL Server would count them; they are undone where one is refused."""
    counts: dict[str, int] = {}
    with database.transaction():
        for statement in statements:
            cursor = database.execute(translate(statement.sql))
            count = cursor.fetchone()[0] if statement.value else cursor.rowcount  # type: ignore[index]
            if statement.name:
                counts[statement.name] = counts.get(statement.name, 0) + int(count)
            if statement.refusal and count:
                told = database.execute(translate(statement.details)).fetchone() if statement.details else ()
                raise AssertionError(f"{statement.refusal} {count} {told}")
    return counts


def build_plan(strategy: Strategy, facts: TableFacts, key: tuple[str, ...] = ()) -> MergePlan:
    columns = []
    for name, type_ in (("id", "int"), ("p", "int"), ("v", "nvarchar(20)"), ("up", "int")):
        dest = TableColumn(name=name, type=type_, nullable=name != "id")
        columns.append(StagedColumn(source=ResultColumn(name=name, type=type_), dest=dest))
    staging = DRIVER.staging_table("m")
    plan = MergePlan(strategy=strategy, staging=staging, dest=DEST, columns=tuple(columns), key=key)
    return settle_plan(DRIVER, plan, facts)


def build_facts(*referring: Reference, fires: bool = False) -> TableFacts:
    events = frozenset({"insert", "update", "delete", "truncate"})
    firing = (Firing(name="trigger odd", events=events),) if fires else ()  # type: ignore[arg-type]
    return TableFacts(
        exists=True, can_truncate=False, keys=(("id",),), can_keep=True, referring=referring, fires=firing
    )


def refer(action: Action, on_update: Action = "no action") -> Reference:
    return Reference(child=CHILD, columns=("t_id",), referred=("id",), on_delete=action, on_update=on_update)


def merge(database: psycopg.Connection[Any], plan: MergePlan, allowed: bool = False) -> dict[str, int]:
    return run(
        database,
        [
            *build_child_counts(DRIVER, plan, allowed),
            *build_looks_before(DRIVER, plan),
            *DRIVER.build_merge_sql(plan),
            *build_looks_after(DRIVER, plan, True),
        ],
    )


def rows(database: psycopg.Connection[Any], table: str) -> list[tuple[Any, ...]]:
    return sorted(database.execute(f"SELECT * FROM {table}").fetchall(), key=repr)


NEW = [(2, 1, "new2", None), (3, 2, "old3", None), (4, 1, "new4", None)]
OLD_AND_NEW = [(1, 1, "old1", None), *NEW]
# strategy, merge key, rows then, counts
KEEPING: list[tuple[Strategy, tuple[str, ...], list[tuple[Any, ...]], dict[str, int]]] = [
    ("full", (), NEW, {"before": 3, "deleted": 1, "matched": 2, "updated": 1, "inserted": 1}),
    ("incremental", ("id",), OLD_AND_NEW, {"matched": 2, "updated": 1, "inserted": 1}),
    ("incremental", ("p",), NEW, {"deleted": 1, "matched": 2, "updated": 1, "inserted": 1}),
    ("upsert", ("id",), OLD_AND_NEW, {"matched": 2, "updated": 1, "inserted": 1}),
]


@pytest.mark.parametrize(("strategy", "key", "then", "counts"), KEEPING)
@pytest.mark.parametrize("action", ACTIONS)
def test_a_row_that_comes_again_costs_no_row_of_another_table(
    database: psycopg.Connection[Any],
    strategy: Strategy,
    key: tuple[str, ...],
    then: list[tuple[Any, ...]],
    counts: dict[str, int],
    action: Action,
) -> None:
    database.execute(FRESH.format(action=f"ON DELETE {action}"))
    database.execute("INSERT INTO dbo.c VALUES (1, 2); INSERT INTO dbo.g VALUES (1)")
    plan = build_plan(strategy, build_facts(refer(action), fires=True), key)
    done = merge(database, plan)
    assert {name: done.get(name) for name in counts} == counts
    assert rows(database, "dbo.t") == sorted(then)
    assert (rows(database, "dbo.c"), rows(database, "dbo.g")) == ([(1, 2)], [(1,)])


@pytest.mark.parametrize("action", ACTIONS)
def test_rows_that_go_with_a_row_that_is_gone_are_counted_first(
    database: psycopg.Connection[Any], action: Action
) -> None:
    database.execute(FRESH.format(action=f"ON DELETE {action}"))
    database.execute("INSERT INTO dbo.c VALUES (1, 1), (2, 2); INSERT INTO dbo.g VALUES (1), (2)")
    direct = refer(action)
    further = Reference(
        child=TableName(schema="dbo", name="g"), columns=("c_n",), referred=("n",), on_delete="cascade", parent=direct
    )
    plan = build_plan("full", build_facts(direct, *([further] if action == "cascade" else ())))
    with pytest.raises((AssertionError, psycopg.errors.ForeignKeyViolation)) as refused:
        merge(database, plan)
    if action != "no action":
        assert "{got} rows of dbo.c (t_id) refer to rows of dbo.t that this load takes away" in str(refused.value)
        assert len(rows(database, "dbo.c")) == 2
        done = merge(database, plan, allowed=True)
        assert [done[name] for name in done if name.startswith("children")] == ([1, 1] if action == "cascade" else [1])
    assert len(rows(database, "dbo.c")) == (1 if action == "cascade" else 2)


def test_a_referred_value_that_changes_is_counted_first(database: psycopg.Connection[Any]) -> None:
    database.execute(FRESH.format(action=""))
    database.execute(
        "ALTER TABLE dbo.t ADD UNIQUE (v); ALTER TABLE dbo.c ADD v text REFERENCES dbo.t (v) ON UPDATE CASCADE;"
        "INSERT INTO dbo.c VALUES (1, 2, 'old2'), (2, 3, 'old3')"
    )
    by_value = Reference(child=CHILD, columns=("v",), referred=("v",), on_update="cascade")
    plan = build_plan("upsert", build_facts(by_value), ("id",))
    with pytest.raises(AssertionError, match=r"whose key this load changes: ON UPDATE CASCADE changes them. 1 "):
        merge(database, plan)
    assert merge(database, plan, allowed=True)["children 0 moved"] == 1
    assert rows(database, "dbo.c") == [(1, 2, "new2"), (2, 3, "old3")]


@pytest.mark.parametrize("keeps", [True, False])
@pytest.mark.parametrize(("strategy", "key", "then", "counts"), [*KEEPING, ("append", (), [], {})])
def test_what_a_merge_would_do_is_what_it_does(
    database: psycopg.Connection[Any],
    strategy: Strategy,
    key: tuple[str, ...],
    then: list[tuple[Any, ...]],
    counts: dict[str, int],
    keeps: bool,
) -> None:
    database.execute(FRESH.format(action=""))
    database.execute("ALTER TABLE dbo.t DROP CONSTRAINT t_pkey CASCADE")
    plan = build_plan(strategy, build_facts(*([refer("cascade")] if keeps else [])), key)
    foreseen = DRIVER.build_foreseen(plan)
    looks = [
        Statement(sql=f"SELECT {foreseen.count} {rows.source}", name=name, value=True)
        for name, listed in foreseen.rows.items()
        for rows in listed
    ]
    found = run(database, looks)
    assert found == {name: count for name, count in merge(database, plan).items() if name in found}
    assert found
    if counts and keeps:
        assert found == {name: count for name, count in counts.items() if name != "before"}
        assert rows(database, "dbo.t") == then


@pytest.mark.parametrize(("strategy", "key"), [("full", ()), ("incremental", ("p",))])
def test_rows_that_refer_to_rows_of_their_own_table_come_and_go_in_an_order_that_keys_allow(
    database: psycopg.Connection[Any], strategy: Strategy, key: tuple[str, ...]
) -> None:
    database.execute(FRESH.format(action=""))
    database.execute(
        "UPDATE dbo.t SET p = 1; UPDATE pipekit_staging.m SET p = 1;"
        "ALTER TABLE dbo.t ADD FOREIGN KEY (up) REFERENCES dbo.t;"
        "UPDATE dbo.t SET up = 1 WHERE id = 2; UPDATE pipekit_staging.m SET up = 4 WHERE id = 2;"
        "INSERT INTO dbo.c VALUES (1, 2)"
    )
    own = Reference(child=DEST, columns=("up",), referred=("id",), is_own=True)
    merge(database, build_plan(strategy, build_facts(refer("cascade"), own), key))
    assert [row[0] for row in rows(database, "dbo.t")] == [2, 3, 4]
    assert rows(database, "dbo.t")[0][3] == 4
    assert rows(database, "dbo.c") == [(1, 2)]


# What a trigger does, in PostgreSQL's words, and what is told of it.
ODD = [
    ("BEFORE INSERT OR UPDATE", "NEW.v := 'other'; RETURN NEW;", "v ("),
    ("BEFORE INSERT OR UPDATE", "NEW.v := NEW.v || ' '; RETURN NEW;", "v ("),
    ("BEFORE INSERT", "IF NEW.id = 4 THEN RETURN NULL; END IF; RETURN NEW;", "rows that are not there: 1"),
    ("BEFORE DELETE", "RETURN NULL;", "rows that were not staged: "),
]


@pytest.mark.parametrize(("when", "does", "told"), ODD)
def test_a_dest_that_does_not_hold_what_was_staged_is_told(
    database: psycopg.Connection[Any], when: str, does: str, told: str
) -> None:
    database.execute(FRESH.format(action=""))
    database.execute("ALTER TABLE dbo.t DROP CONSTRAINT t_pkey CASCADE")
    database.execute(
        f"CREATE OR REPLACE FUNCTION dbo.act() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {does} END $$;"
        f"CREATE TRIGGER acts {when} ON dbo.t FOR EACH ROW EXECUTE FUNCTION dbo.act()"
    )
    plan = build_plan("full", replace(build_facts(fires=True), keys=()))
    with pytest.raises(AssertionError) as refused:
        merge(database, plan)
    assert told in str(refused.value)
    assert "id = " in str(refused.value)


def test_append_counts_the_rows_that_are_as_they_were_staged(database: psycopg.Connection[Any]) -> None:
    database.execute(FRESH.format(action=""))
    database.execute("DELETE FROM pipekit_staging.m WHERE id < 4")
    done = merge(database, build_plan("append", build_facts(fires=True)))
    assert (done["rows before"], done["rows after"], done["had"], done["has"]) == (3, 4, 0, 1)


@pytest.mark.parametrize(("mark", "left"), [("", [(2, None), (3, None)]), ("up", [(1, 7), (2, None), (3, None)])])
def test_rows_whose_key_is_gone_are_deleted_or_marked(
    database: psycopg.Connection[Any], mark: str, left: list[tuple[Any, ...]]
) -> None:
    database.execute(FRESH.format(action="ON DELETE CASCADE"))
    database.execute("UPDATE dbo.t SET up = 5 WHERE id = 2")
    plan = build_plan("upsert", build_facts(), ("id",))
    plan = replace(plan, columns=plan.columns[:1], gone=Gone(scope="p > 0", mark=mark, at="7"))
    counts = run(database, DRIVER.build_gone_sql(plan))
    assert counts == ({"marked": 1, "unmarked": 1} if mark else {"gone": 1})
    if not mark:
        left = [(2, 5), (3, None)]
    assert database.execute("SELECT id, up FROM dbo.t ORDER BY id").fetchall() == left


def test_versions_end_and_begin_with_what_changes(database: psycopg.Connection[Any]) -> None:
    database.execute("DROP TABLE IF EXISTS dbo.t, pipekit_staging.m CASCADE")
    database.execute("CREATE TABLE dbo.t (id int, p int, v text, up int, began int, ended int, now int)")
    database.execute("CREATE TABLE pipekit_staging.m (id int, p int, v text, up int)")
    rows = "(1, 1, 'same', NULL, 3, NULL, 1), (2, 1, 'old', NULL, 3, NULL, 1), (3, 1, 'gone', 1, 3, NULL, 1)"
    database.execute(f"INSERT INTO dbo.t VALUES {rows}, (4, 1, 'ended', NULL, 1, 2, 0)")
    database.execute(
        "INSERT INTO pipekit_staging.m VALUES (1, 1, 'same', NULL), (2, 1, 'new', NULL), (4, 1, 'ended', NULL)"
    )
    history = History(start="began", end="ended", current="now", begins_at="9", ends_at="9", yes="1", no="0")
    plan = replace(build_plan("snapshot", build_facts(), ("id",)), history=history)
    assert run(database, DRIVER.build_merge_sql(plan)) == {
        "changed": 1, "ended": 1, "inserted": 2, "doubt": 0, "late": 0
    }  # fmt: skip
    held = database.execute("SELECT id, v, began, ended, now FROM dbo.t ORDER BY id, began").fetchall()
    assert held == [
        (1, "same", 3, None, 1), (2, "old", 3, 9, 0), (2, "new", 9, None, 1),
        (3, "gone", 3, 9, 0), (4, "ended", 1, 2, 0), (4, "ended", 9, None, 1),
    ]  # fmt: skip
    assert set(run(database, DRIVER.build_merge_sql(plan)).values()) == {0}


def test_the_comparison_of_a_verify_counts_and_names_what_differs(database: psycopg.Connection[Any]) -> None:
    database.execute(FRESH.format(action=""))
    sql = DRIVER.build_comparison(build_plan("full", build_facts()), whole=True)
    assert sql is not None
    assert database.execute(translate(sql.counts)).fetchone() == (1, 1, 1)
    found = database.execute(translate(sql.rows)).fetchall()
    assert [(DRIVER.read_compared(row[0], "int"), row[-1]) for row in found] == [
        ("1", -1),
        ("2", 1),
        ("2", -1),
        ("4", 1),
    ]
