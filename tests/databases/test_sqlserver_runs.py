# Runs of the engine from PostgreSQL into SQL Server's double: a load that breaks leaves nothing behind.
"""Staging gone, dest untouched, and the run says where it ended."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pipekit import repo
from pipekit.demo.postgres import LocalPostgres
from pipekit.drivers.postgresql.session import PostgresSession
from pipekit.engine import cancel_run, open_look
from pipekit.engine.events import Event, StageStarted
from pipekit.models import Guards, Module
from tests.databases.moving import run
from tests.databases.tds.double import TdsDouble, lend_double
from tests.databases.tds.library import PROVIDERS, VARIABLE, find_problem
from tests.databases.tds.replies import Close, Count, Error, Hang, Reply, Rows
from tests.project import Project

pytestmark = pytest.mark.usefixtures("near_when_quick")

# name, type, bytes, precision, digits
DEST = [("id", "int", 4, 10, 0), ("name", "nvarchar", 40, 0, 0)]
OLD = [(1, "old"), (2, "old too")]
ONE_ROW = [(name, "nvarchar(200)") for name in "abcdefgh"]


@pytest.fixture
def double(tmp_path: Path) -> Iterator[TdsDouble]:
    with lend_double(tmp_path) as double:
        double.add_table("dbo.orders", [("id", "int not null"), ("name", "nvarchar(20)")], rows=OLD)
        teach_catalogue(double)
        yield double


FACTS = ("U", "1", "1", "0", "0", "0", "1", "1", "0", "0", None, None, None, None, None)


def teach_catalogue(double: TdsDouble, facts: tuple[str | None, ...] = FACTS) -> None:
    """What the catalogue says of `dbo.orders`, and that staging schema and ledger are there."""
    double.answer(r"SELECT SCHEMA_ID", Rows([("s", "int"), ("t", "int")], [(5, 6)]))
    columns = [(name, "nvarchar(128)") for name in "abcdefghijklm"]
    rows = [
        ("orders", name, type_, str(size), str(precision), str(scale), None, "1", "0", "0", "0", "0", None)
        for name, type_, size, precision, scale in DEST
    ]
    double.answer(r"JOIN sys\.columns AS c", Rows(columns, rows))
    columns += [(name, "nvarchar(max)") for name in "no"]
    double.answer(r"SELECT RTRIM\(o\.type\)", Rows(columns, [facts]))
    teach_claims(double)


def teach_claims(double: TdsDouble) -> None:
    """Nobody has the staging table; whoever claims it gets and keeps it."""
    ledger = r"\[pipekit_staging\]\.\[pipekit_ledger\]"
    double.answer(r"^SELECT \[run_id\], \[module\]", Rows([("i", "bigint"), ("m", "nvarchar(9)"), ("r", "bigint")], []))
    double.answer(r"^SELECT \[run_key\]", Rows([("k", "nvarchar(40)")], [("staging:orders",)]))
    for statement in ("INSERT INTO", "UPDATE", "DELETE FROM"):
        double.answer(f"^{statement} {ledger}", Count(1))


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    project = Project(tmp_path)
    yield project
    project.close()


@pytest.fixture
def module(
    project: Project, double: TdsDouble, postgres: LocalPostgres, database: str, session: PostgresSession
) -> Module:
    run(session, "CREATE TABLE orders AS SELECT g AS id, 'new ' || g AS name FROM generate_series(1, 20000) g")
    source = project.add_connection("source", postgres.jdbc_url(database), username="postgres")
    dest = project.add_connection("dest", double.jdbc_url, username="sa")
    query = "SELECT id, name FROM orders"
    return project.add_module("orders", source=source, query=query, dest=dest, table="dbo.orders", retries=0)


def teach_merge(double: TdsDouble) -> None:
    """The counts of a merge that goes well."""
    double.answer(r"sp_getapplock", whole=True)
    double.answer(r"^SELECT COUNT_BIG\(\*\) FROM \[dbo\]", Rows([("n", "bigint")], [(2,)]))
    double.answer(r"^INSERT INTO \[pipekit_staging\]\.\[pipekit_ledger\]", Count(1))
    double.answer(r"^INSERT INTO \[dbo\]\.\[orders\]", Count(20000))


def test_a_preview_is_told_by_looks_and_writes_nothing_into_the_dest(
    project: Project, double: TdsDouble, module: Module
) -> None:
    double.answer(r"^SELECT COUNT_BIG\(\*\) FROM \[dbo\]", Rows([("n", "bigint")], [(2,)]))
    double.answer(r"^SELECT COUNT_BIG\(\*\) FROM \[pipekit_staging\]", Rows([("n", "bigint")], [(20000,)]))
    double.answer(r"^SELECT [ds]\.\[id\] AS c0", Rows([("c0", "int"), ("c1", "nvarchar(20)")], [(1, "row"), (2, None)]))
    run = project.run(module, preview=True)
    found = repo.find_preview(project.db, run.id)
    assert found is not None, run.error
    assert (found.would_delete, found.would_insert, found.would_update) == (2, 20000, 0)
    assert found.samples.delete == ({"id": "1", "name": "row"}, {"id": "2", "name": None})
    assert double.rows("dbo.orders") == OLD
    assert not [
        text for text in double.texts() if "[dbo].[orders]" in text and ("INSERT" in text or "TRUNCATE" in text)
    ]


BREAKS: list[tuple[Reply, str]] = [
    (Error(2627, "Violation of PRIMARY KEY constraint 'PK_staging'.", 14), "PK_staging"),
    (Error(2628, "String or binary data would be truncated in table 'orders', column 'name'.", 16), "truncated"),
    (Error(9002, "The transaction log for database 'shop' is full.", 17), "log"),
    (Close(), "bulk load failed"),
]


@pytest.mark.parametrize(("reply", "words"), BREAKS)
def test_a_load_that_breaks_leaves_no_staging_and_the_dest_as_it_was(
    project: Project, double: TdsDouble, module: Module, reply: Any, words: str
) -> None:
    double.fail_load("pipekit_staging.orders", after_rows=5000, reply=reply)
    ended = project.run(module)
    assert (ended.status, ended.error_stage) == ("error", "stage")
    assert words in (ended.error or "")
    assert double.find_table("pipekit_staging.orders") is None
    assert double.rows("dbo.orders") == OLD


def test_a_merge_that_breaks_leaves_no_staging_and_the_dest_as_it_was(
    project: Project, double: TdsDouble, module: Module
) -> None:
    teach_merge(double)
    duplicate = Error(2627, "Violation of PRIMARY KEY constraint 'PK_orders'.", 14, ends_transaction=True)
    double.answer(r"^INSERT INTO \[dbo\]\.\[orders\]", duplicate)
    ended = project.run(module)
    assert (ended.status, ended.error_stage) == ("error", "merge")
    assert "PK_orders" in (ended.error or "")
    assert double.find_table("pipekit_staging.orders") is None
    assert double.rows("dbo.orders") == OLD


@pytest.mark.own_process
def test_a_run_that_is_cancelled_ends_its_sessions_and_leaves_no_staging(
    project: Project, double: TdsDouble, module: Module
) -> None:
    double.answer(r"dm_exec_sessions", Rows([("n", "int")], [(0,)]), whole=True)
    double.fail_load("pipekit_staging.orders", after_rows=5000, reply=Hang(reads=True))

    def cancel(event: Event) -> None:
        if isinstance(event, StageStarted) and event.stage == "stage":
            threading.Timer(1.5, _cancel_from_elsewhere, (project, event.run_id)).start()

    ended = project.run(module, cancel)
    assert (ended.status, ended.error_stage, ended.merge_state) == ("cancelled", "stage", "none")
    [killing] = {text for text in double.texts() if "KILL" in text}
    assert f"program_name = N'pipekit:{ended.id}@" in killing
    assert double.find_table("pipekit_staging.orders") is None
    assert double.rows("dbo.orders") == OLD
    double.wait_until(lambda double: not double.sessions())


def _cancel_from_elsewhere(project: Project, run_id: int) -> None:
    with closing(repo.open_state(project.config.state_path)) as db:
        assert cancel_run(db, run_id)


def test_a_merge_that_finds_fewer_rows_than_were_sent_is_rolled_back(
    project: Project, double: TdsDouble, module: Module
) -> None:
    teach_merge(double)
    double.answer(r"^INSERT INTO \[dbo\]\.\[orders\]", Count(19_999))
    ended = project.run(module)
    assert (ended.status, ended.error_stage) == ("error", "merge")
    assert "19999" in (ended.error or "")
    assert double.find_table("pipekit_staging.orders") is None
    assert double.rows("dbo.orders") == OLD


def test_a_value_that_does_not_fit_is_named_before_anything_is_merged(
    project: Project, double: TdsDouble, module: Module, session: PostgresSession
) -> None:
    run(session, "UPDATE orders SET name = repeat('x', 21) WHERE id = 20000")
    ended = project.run(module)
    assert (ended.status, ended.error_stage) == ("error", "stage")
    assert "Column name, row 20000" in (ended.error or "")
    assert double.find_table("pipekit_staging.orders") is None
    assert double.rows("dbo.orders") == OLD


def test_a_load_whose_connection_is_lost_is_tried_again(project: Project, double: TdsDouble, module: Module) -> None:
    teach_merge(double)
    double.fail_load("pipekit_staging.orders", after_rows=5000, reply=Close())
    module = repo.update_module(project.db, module.id, retries=1)
    ended = project.run(module)
    assert ended.status == "success", ended.error
    assert [load.rows for load in double.loads()] == [20000]


def test_a_run_that_succeeds_stages_checks_and_merges_in_one_transaction(
    project: Project, double: TdsDouble, module: Module
) -> None:
    teach_merge(double)
    ended = project.run(module)
    assert ended.status == "success", ended.error
    assert (ended.rows_read, ended.rows_staged, ended.rows_inserted) == (20000, 20000, 20000)
    [load] = double.loads()
    assert load.rows == 20000
    [application] = {login.application for login in double.logins()}
    assert application.startswith(f"pipekit:{ended.id}@")
    texts = double.texts()
    # The load comes over a connection of its own, for which staging must be committed.
    before = texts[: next(number for number, text in enumerate(texts) if text.startswith("INSERT BULK"))]
    assert any(text.startswith("CREATE TABLE [pipekit_staging]") for text in before)
    assert before.count("BEGIN TRANSACTION") == before.count("COMMIT TRANSACTION")
    begun = len(texts) - 1 - texts[::-1].index("BEGIN TRANSACTION")
    assert any("pipekit_ledger" in text for text in texts[begun:])
    assert texts[-1] == "COMMIT TRANSACTION"


CHILD = (
    '[{"path":"7","child_schema":"dbo","child":"items","name":"order_id","referred":"id","on_delete":1,"on_update":0,'
    '"own":0,"readable":1,"hidden":0}]'
)
TRIGGER = '[{"name":"stamps","event":1,"instead":false}]'
KEY = '[{"number":1,"name":"id"}]'
HELD = r"^SELECT TOP \(1\) 1 FROM \[dbo\]\.\[orders\]"
DETAILS = [(name, "nvarchar(max)") for name in "abcdef"]


def test_rows_of_another_table_that_would_go_along_are_refused_by_its_name(
    project: Project, double: TdsDouble, module: Module
) -> None:
    teach_catalogue(double, (*FACTS[:-1], CHILD))
    teach_merge(double)
    double.answer(HELD, Rows([("n", "int")], [(1,)]))
    double.answer(r"COUNT_BIG\(\*\) FROM \[dbo\]\.\[items\] AS c", Rows([("n", "bigint")], [(3,)]))
    ended = project.run(module)
    assert (ended.status, ended.error_stage) == ("error", "merge")
    assert "3 rows of dbo.items (order_id) refer to rows of dbo.orders that this load deletes" in (ended.error or "")
    assert "children: true" in (ended.hint or "")
    assert not [text for text in double.texts() if text.startswith(("TRUNCATE", "DELETE FROM [dbo]"))]
    module = repo.update_module(project.db, module.id, guards=Guards(children=True))
    ended = project.succeed(module)
    assert "3 rows of dbo.items (order_id) deleted" in "; ".join(check.detail for check in ended.checks)


def test_rows_that_come_again_stay_where_another_table_refers_to_them(
    project: Project, double: TdsDouble, module: Module
) -> None:
    teach_catalogue(double, (*FACTS[:-2], KEY, CHILD))
    teach_merge(double)
    double.answer(HELD, Rows([("n", "int")], [(1,)]))
    double.answer(r"COUNT_BIG\(\*\) FROM \[dbo\]\.\[items\] AS c", Rows([("n", "bigint")], [(0,)]))
    double.answer(r"^DELETE d FROM \[dbo\]\.\[orders\]", Count(1))
    double.answer(r"^SELECT COUNT_BIG\(\*\)\nFROM \[dbo\]\.\[orders\] AS d", Rows([("n", "bigint")], [(2,)]))
    double.answer(r"^UPDATE d SET", Count(2))
    double.answer(r"^INSERT INTO \[dbo\]\.\[orders\]", Count(19_998))
    double.answer(r"HAVING COUNT_BIG\(\*\) > 1", Rows([("n", "bigint"), ("e", "nvarchar(400)")], [(0, None)]))
    ended = project.succeed(module)
    assert (ended.rows_deleted, ended.rows_updated, ended.rows_inserted) == (1, 2, 19_998)
    assert not [text for text in double.texts() if text.startswith(("TRUNCATE", "DELETE FROM [dbo]"))]


@pytest.mark.parametrize("strict", [True, False])
def test_a_trigger_that_changes_what_arrives_is_found_before_the_commit(
    project: Project, double: TdsDouble, module: Module, strict: bool
) -> None:
    lists: list[str | None] = [None, TRIGGER, None, None, None]
    teach_catalogue(double, (*FACTS[:-5], *lists))
    teach_merge(double)
    double.answer(r"^SELECT COALESCE\(CASE", Rows([("n", "int")], [(2,)]))
    double.answer(
        r"^WITH b AS", Rows(DETAILS, [("rows that are not there: 1", None, None, "name (1 differ)", None, None)])
    )
    ended = project.run(repo.update_module(project.db, module.id, guards=Guards(dest_truth=strict)))
    if strict:
        assert (ended.status, ended.error_stage) == ("error", "merge")
        assert "did not hold what was staged (rows that are not there: 1; name (1 differ))" in (ended.error or "")
        assert "trigger stamps" in (ended.error or "")
        assert "IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION" in double.texts()
    else:
        checks = "; ".join(check.detail for check in ended.checks)
        assert (ended.status, "2 rows are not as they were staged: trigger stamps" in checks) == ("success", True)


def test_a_table_with_row_security_is_no_dest_unless_that_is_meant(
    project: Project, double: TdsDouble, module: Module
) -> None:
    teach_catalogue(double, (*FACTS[:8], "1", *FACTS[9:]))
    ended = project.run(module)
    assert (ended.status, ended.error_stage) == ("error", "check")
    assert "row_security: true" in (ended.hint or "")


def test_a_run_needs_no_library_of_the_system(
    project: Project, double: TdsDouble, module: Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The loader finds an empty file before the system's library, as on a machine that lacks it.
    (tmp_path / "libltdl.so.7").touch()
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
    monkeypatch.delenv(VARIABLE, raising=False)
    assert "libltdl" in find_problem.__wrapped__(PROVIDERS[0])
    teach_merge(double)
    ended = project.succeed(module)
    assert (ended.rows_read, ended.rows_inserted, double.loads()[0].rows) == (20000, 20000, 20000)


# -- as source ---------------------------------------------------------------------------------------------------------

ITEMS = "SELECT id, name FROM dbo.items WHERE rv > {mark}"


def add_items(project: Project, double: TdsDouble, tmp_path: Path, query: str, **options: Any) -> Module:
    """A module from the double into a new SQLite file."""
    with closing(sqlite3.connect(tmp_path / "dest.db")) as db:
        db.execute("CREATE TABLE items (id INTEGER, name TEXT)")
    source = project.add_connection("source", double.jdbc_url, username="sa")
    dest = project.add_connection("dest", f"jdbc:sqlite:{tmp_path}/dest.db")
    return project.add_module("items", source=source, query=query, dest=dest, table="items", **options)


def test_a_rowversion_is_a_watermark_with_all_its_bytes(project: Project, double: TdsDouble, tmp_path: Path) -> None:
    double.answer(r"^SELECT MAX\(rv\)", Rows([("m", "binary(8)")], [(bytes.fromhex("80000000000007d1"),)]))
    described = [(name, "nvarchar(128)") for name in ("name", "type", "number", "message")]
    types = [("id", "int"), ("name", "nvarchar(20)")]
    double.answer(r"dm_exec_describe_first", Rows(described, [(*column, None, None) for column in types]))
    double.answer(r"^SELECT id, name FROM dbo\.items WHERE rv > 0x80000000000007D1$", Rows(types, [(1, "a"), (2, "b")]))
    module = add_items(project, double, tmp_path, ITEMS)
    repo.create_watermark(
        project.db,
        module_id=module.id,
        name="mark",
        connection_id=module.source_id,
        resolver_sql="SELECT MAX(rv) FROM dbo.seen",
        default_value="0x0",
    )
    ended = project.succeed(module)
    assert ended.watermark_values == {"mark": "0x80000000000007D1"}
    with closing(sqlite3.connect(tmp_path / "dest.db")) as db:
        assert db.execute("SELECT * FROM items").fetchall() == [(1, "a"), (2, "b")]


def test_a_query_that_is_refused_is_told_with_its_place(project: Project, double: TdsDouble, tmp_path: Path) -> None:
    double.evaluate()
    query = "SELECT id,\n  nmae\nFROM dbo.orders"
    ended = project.run(add_items(project, double, tmp_path, query, retries=0))
    assert (ended.status, ended.error_stage) == ("error", "plan")
    assert "Invalid column name 'nmae'" in (ended.error or "")
    assert ended.error_position == query.index("nmae") + 1


def test_a_table_without_a_schema_is_the_one_the_server_finds_or_would_make(
    project: Project, double: TdsDouble
) -> None:
    two = [("s", "nvarchar(128)"), ("o", "nvarchar(128)")]
    double.answer(r"OBJECT_ID\(N'\[Lines\]'\)", Rows(two, [("rpt", "lines")]))
    double.answer(r"SELECT SCHEMA_NAME\(\)", Rows([("s", "nvarchar(128)")], [("rpt",)]))
    dest = project.add_connection("dest", double.jdbc_url, username="sa")
    with open_look(project.config, project.secrets, dest) as look:
        found = [look.driver.resolve_table(look.query, text) for text in ("Lines", "orders", "[new]", "rpt.new")]
    assert [str(table) for table in found] == ["rpt.lines", "dbo.orders", "rpt.new", "rpt.new"]
