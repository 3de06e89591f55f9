# Databases in files behind registered drivers: H2 and HSQLDB, which commit at every CREATE and DROP. Starts no server.
"""The generic kinds: nothing of them is built in but their names."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipekit import repo
from pipekit.demo.postgres import LocalPostgres
from pipekit.drivers import get_driver
from pipekit.engine import open_look
from pipekit.engine.altering.asking import build_alteration
from pipekit.models import Connection, Run
from pipekit.runner_contract import Statement
from tests.databases.jdbc import H2, HSQLDB
from tests.databases.over_jdbc import register
from tests.project import Project

URLS = {
    "h2": ("jdbc:h2:{file}", "jdbc:h2:{}/shop"),
    "hsqldb": ("jdbc:hsqldb:file:{file}", "jdbc:hsqldb:file:{}/shop;shutdown=true"),
}
FILL = (
    "CREATE SCHEMA SHOP",
    "CREATE TABLE SHOP.T (ID INTEGER, V VARCHAR(20))",
    "INSERT INTO SHOP.T VALUES (1, 'old'), (2, 'old'), (3, 'old')",
)


class Files:
    """A project with a file database behind a driver, and an SQLite file with the rows 2, 3 and 4."""

    def __init__(self, folder: Path, kind: str) -> None:
        template, url = URLS[kind]
        self.project = Project(folder)
        register(self.project, kind, {"h2": H2, "hsqldb": HSQLDB}[kind], template, folder)
        self.file = repo.create_connection(
            self.project.db, name="file", driver=kind, jdbc_url=url.format(folder), username="sa"
        )
        self.lite = self.project.add_connection("lite", f"jdbc:sqlite:{folder}/lite.db")
        self.execute(self.file, *FILL)
        new = "INSERT INTO t VALUES (2, 'new'), (3, 'new'), (4, 'new')"
        self.execute(self.lite, "CREATE TABLE t (id INTEGER, v TEXT)", new)

    def execute(self, connection: Connection, *statements: str) -> None:
        with open_look(self.project.config, self.project.secrets, connection, read_only=False) as look:
            look.runner.execute(look.endpoint, [Statement(sql=sql) for sql in statements])

    def rows(self, connection: Connection, sql: str) -> list[tuple[str | None, ...]]:
        with open_look(self.project.config, self.project.secrets, connection) as look:
            return list(look.query(sql).rows)

    def run(self, source: Connection, query: str, dest: Connection, table: str, **options: Any) -> Run:
        name, preview = f"m{len(repo.list_modules(self.project.db))}", options.pop("preview", False)
        module = self.project.add_module(name, source=source, query=query, dest=dest, table=table, **options)
        return self.project.run(module, preview=preview)


@pytest.fixture(params=sorted(URLS))
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Files]:
    files = Files(tmp_path, request.param)
    yield files
    files.project.close()


def test_every_strategy_loads_into_it_and_its_rows_go_back(files: Files) -> None:
    figures = {"full": (3, 3, 0), "incremental": (3, 3, 0), "upsert": (0, 0, 3), "append": (0, 3, 0)}
    for strategy, told in figures.items():
        run = files.run(files.lite, "SELECT * FROM t", files.file, "shop.t", merge_strategy=strategy, merge_key="ID")
        assert run.status == "success", f"{strategy}: {run.error}"
        assert (run.rows_deleted, run.rows_inserted, run.rows_updated) == told
    kept = files.rows(files.file, "SELECT ID, V FROM SHOP.T ORDER BY ID")
    assert kept == [(id_, "new") for id_ in "223344"]
    back = files.run(files.file, "select distinct id, v from shop.t", files.lite, "back", create_table=True)
    assert (back.status, back.rows_inserted) == ("success", 3), back.error


@pytest.mark.usefixtures("one_child")
def test_a_preview_says_what_a_run_then_does_and_what_it_staged_is_merged(files: Files) -> None:
    figures = {"full": (3, 3, 0), "incremental": (2, 3, 0), "upsert": (0, 1, 2), "append": (0, 3, 0)}
    fresh = ("DELETE FROM SHOP.T", "INSERT INTO SHOP.T VALUES (1, 'old'), (2, 'new'), (3, 'old')")
    for strategy, told in figures.items():
        files.execute(files.file, *fresh)
        options: dict[str, Any] = {"preview": True, "merge_strategy": strategy, "merge_key": "ID"}
        run = files.run(files.lite, "SELECT * FROM t", files.file, "shop.t", **options)
        found = repo.find_preview(files.project.db, run.id)
        assert found is not None, run.error
        assert (found.would_delete, found.would_insert, found.would_update, found.unchanged) == (*told, None)
        assert len(files.rows(files.file, "SELECT ID FROM SHOP.T")) == 3
        if strategy == "upsert":
            assert found.samples.update[0].differs == {"V": ("old", "new")}
        merged = files.project.run(repo.get_module_by_name(files.project.db, run.module), merges=run.id)
        assert (merged.rows_deleted, merged.rows_inserted, merged.rows_updated) == told, merged.error
    staged = "SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = 'pipekit_staging'"
    assert [name for (name,) in files.rows(files.file, staged) if name != "pipekit_ledger"] == []


@pytest.mark.usefixtures("one_child")
def test_what_is_expected_of_rows_is_asked_of_staging(files: Files) -> None:
    expect = {"expect_not_null": "v", "expect_unique": "id", "expect_accepted": "id: 2, 3\nv: new"}
    expect["expect_sql"] = "SELECT ID, V FROM {staging} WHERE ID > 3"
    run = files.run(files.lite, "SELECT * FROM t", files.file, "shop.t", **expect)
    assert (run.status, run.error_stage) == ("error", "check"), run.error
    assert "2 of 5 lines of `expect` do not hold: accepted: id: 2, 3; sql: SELECT ID, V FROM" in (run.error or "")
    assert (run.error or "").count("1 rows, for example (ID = 4, V = new)") == 2


@pytest.mark.usefixtures("one_child")
def test_a_merge_whose_counts_do_not_add_up_leaves_no_trace(files: Files) -> None:
    """Neither CREATE INDEX nor DROP TABLE stands in its transaction: each would commit it."""
    files.execute(files.file, "INSERT INTO SHOP.T VALUES (2, 'twin')")
    before = files.rows(files.file, "SELECT ID, V FROM SHOP.T ORDER BY ID, V")
    run = files.run(files.lite, "SELECT * FROM t", files.file, "SHOP.T", merge_strategy="upsert", merge_key="ID")
    assert (run.status, run.error_stage, run.merge_state) == ("error", "merge", "none")
    assert "add up to 4, but 3 were staged" in (run.error or "")
    assert files.rows(files.file, "SELECT ID, V FROM SHOP.T ORDER BY ID, V") == before
    ledger = 'SELECT COUNT(*) FROM "pipekit_staging"."pipekit_ledger"'
    assert files.rows(files.file, f"{ledger} WHERE \"state\" <> 'lock'") == [("0",)]


@pytest.mark.usefixtures("one_child")
def test_the_catalogue_is_the_drivers_own(files: Files) -> None:
    files.execute(
        files.file, 'CREATE TABLE SHOP."odd ""one" (A INTEGER PRIMARY KEY, B DECIMAL(9,2) DEFAULT 1 NOT NULL)'
    )
    with open_look(files.project.config, files.project.secrets, files.file) as look:
        assert "SHOP" in look.driver.list_schemas(look.query)
        names = [table.name for table in look.driver.list_tables(look.query, "SHOP")]
        assert sorted(names) == ["T", 'odd "one']
        columns = look.driver.get_columns(look.query, look.driver.parse_table('shop."odd ""one"'))
        assert [(c.name, c.type, c.nullable, c.has_default, c.in_key) for c in columns] == [
            ("A", "INTEGER", False, False, True),
            ("B", "DECIMAL(9,2)", False, True, False),
        ]
        assert set(look.driver.column_inventory(look.query, "SHOP")) == set(names)
        assert look.query(look.driver.version_sql).first_cell()


@pytest.mark.parametrize("files", ["h2"], indirect=True)
@pytest.mark.parametrize(
    ("settings", "made", "meant"),
    [
        ("DATABASE_TO_UPPER=FALSE;CASE_INSENSITIVE_IDENTIFIERS=TRUE", "Lines", "LINES"),
        ("CASE_INSENSITIVE_IDENTIFIERS=TRUE", '"Lines"', '"lines"'),
        ("DATABASE_TO_UPPER=FALSE", "Lines", "Lines"),
        ("DATABASE_TO_LOWER=TRUE", "Lines", "LINES"),
    ],
)
@pytest.mark.usefixtures("one_child")
def test_a_table_is_the_one_that_h2_finds_by_the_name_whatever_its_address_says_of_case(
    files: Files, settings: str, made: str, meant: str
) -> None:
    url = f"{files.file.jdbc_url}_odd;{settings}"
    odd = repo.create_connection(files.project.db, name="odd", driver="h2", jdbc_url=url, username="sa")
    files.execute(odd, f"CREATE TABLE {made} (ID INTEGER, V VARCHAR(20))")
    run = files.run(files.lite, "SELECT id AS ID, v AS V FROM t", odd, meant)
    assert (run.status, run.rows_inserted) == ("success", 3), run.error
    assert files.rows(odd, f"SELECT COUNT(*) FROM {meant}") == [("3",)]


@pytest.mark.usefixtures("one_child")
def test_a_table_without_a_schema_is_that_of_the_session(files: Files) -> None:
    files.execute(files.file, "CREATE TABLE T (ID INTEGER, V VARCHAR(20))")
    run = files.run(files.lite, "SELECT * FROM t", files.file, "t")
    assert (run.status, run.rows_inserted, run.dest_rows_before) == ("success", 3, 0), run.error


# Of H2, with what SQLite and PostgreSQL hold of each.
TYPES = {
    "TIMESTAMP(6) WITH TIME ZONE": ("'2024-02-29 12:00:00.5+05:30'", "2024-02-29 12:00:00.5+05:30", None),
    "TIME WITH TIME ZONE": ("'12:00:00-03'", "12:00:00-03:00", "12:00:00-03"),
    "TIME(9)": ("'12:00:00.123456'", "12:00:00.123456", None),
    "TIMESTAMP(9)": ("'0001-01-01 00:00:00.123456'", "0001-01-01 00:00:00.123456", None),
    "DECFLOAT": ("1.5E-10", "0.00000000015", None),
    "NUMERIC(40,5)": ("12345678901234567890123456789012345.12345", "12345678901234567890123456789012345.12345", None),
    "UUID": ("'123e4567-e89b-12d3-a456-426614174000'", "123e4567-e89b-12d3-a456-426614174000", None),
    "JSON": ("JSON '{\"a\":1.50}'", '{"a":1.50}', None),
    "BINARY(2)": ("X'DEAD'", "0xDEAD", "\\xdead"),
    "BLOB": ("X'00FF'", "0x00FF", "\\x00ff"),
    "CLOB": ("'long é'", "long é", None),
    "BOOLEAN": ("TRUE", "1", "t"),
    "TINYINT": ("-128", "-128", None),
    "INTERVAL YEAR TO MONTH": ("INTERVAL '1-2' YEAR TO MONTH", "INTERVAL '1-2' YEAR TO MONTH", None),
}


@pytest.mark.usefixtures("one_child")
@pytest.mark.parametrize("files", ["h2"], indirect=True)
def test_types_that_few_databases_have_arrive_exactly(files: Files, postgres: LocalPostgres, dest_db: str) -> None:
    names = [f"C{i}" for i in range(len(TYPES))]
    fields = ", ".join(f"{name} {type_}" for name, type_ in zip(names, TYPES, strict=True))
    values = ", ".join(value for value, _, _ in TYPES.values())
    files.execute(
        files.file, f"CREATE TABLE SHOP.U ({fields})", f"INSERT INTO SHOP.U VALUES ({values}), ({'NULL, ' * 13}NULL)"
    )
    pg = repo.create_connection(
        files.project.db, name="pg", driver="postgresql", jdbc_url=postgres.jdbc_url(dest_db), username="postgres"
    )
    for dest in (files.lite, pg):
        run = files.run(files.file, "SELECT * FROM SHOP.U", dest, "u", create_table=True)
        assert (run.status, run.rows_inserted) == ("success", 2), run.error
    lite = tuple(in_lite for _, in_lite, _ in TYPES.values())
    in_pg = tuple(in_pg or in_lite for _, in_lite, in_pg in TYPES.values())
    nothing = (None,) * len(TYPES)
    assert set(files.rows(files.lite, "SELECT * FROM u")) == {lite, nothing}
    moment = "2024-02-29 06:30:00.5+00"
    assert set(files.rows(pg, "SELECT * FROM u")) == {(moment, *in_pg[1:]), nothing}


@pytest.mark.usefixtures("one_child")
@pytest.mark.parametrize("files", ["h2"], indirect=True)
def test_an_array_is_refused_by_its_column_and_with_a_way_out(files: Files) -> None:
    files.execute(files.file, "CREATE TABLE SHOP.A (ID INTEGER, LIST INTEGER ARRAY)")
    run = files.run(files.file, "SELECT * FROM SHOP.A", files.lite, "a", create_table=True)
    assert (run.status, run.merge_state) == ("error", "none")
    assert "LIST" in (run.error or "")
    assert "an array cannot be moved" in (run.error or "")
    assert "Cast the column" in (run.hint or "")


@pytest.mark.usefixtures("one_child")
def test_a_column_that_the_database_numbers_keeps_the_numbers_it_is_fed(files: Files) -> None:
    for how in ("ALWAYS", "BY DEFAULT"):
        table = f"SHOP.N_{how[:2]}"
        files.execute(
            files.file, f"CREATE TABLE {table} (ID INTEGER GENERATED {how} AS IDENTITY PRIMARY KEY, V VARCHAR(20))"
        )
        query = "SELECT id + 40 AS id, v FROM t"
        for strategy in ("full", "upsert", "incremental"):
            run = files.run(files.lite, query, files.file, table, merge_strategy=strategy, merge_key="ID")
            assert run.status == "success", f"{how} {strategy}: {run.error}"
            assert files.rows(files.file, f"SELECT ID FROM {table} ORDER BY ID") == [("42",), ("43",), ("44",)]


@pytest.mark.usefixtures("one_child")
def test_rows_that_are_gone_from_the_source_are_deleted_or_marked(files: Files) -> None:
    more = {"merge_strategy": "upsert", "merge_key": "ID", "deletes_where": "v <> 'kept'"}
    files.execute(
        files.file, "ALTER TABLE SHOP.T ADD COLUMN GONE TIMESTAMP(6)", "UPDATE SHOP.T SET ID = 9 WHERE ID = 2"
    )
    files.execute(files.file, "INSERT INTO SHOP.T VALUES (8, 'kept', NULL)")
    mark = {"deletes": "mark", "deletes_column": "gone"}
    run = files.run(files.lite, "SELECT * FROM t", files.file, "shop.t", **more, **mark)
    assert (run.status, run.rows_marked) == ("success", 2), run.error
    assert files.rows(files.file, "SELECT ID FROM SHOP.T WHERE GONE IS NOT NULL ORDER BY ID") == [("1",), ("9",)]
    files.execute(files.lite, "INSERT INTO t VALUES (9, 'back')")
    run = files.run(
        files.lite,
        "SELECT * FROM t WHERE id = 9",
        files.file,
        "shop.t",
        **more,
        **mark,
        deletes_keys="SELECT id FROM t",
    )
    assert (run.status, run.rows_marked) == ("success", 0), run.error
    run = files.run(files.lite, "SELECT * FROM t", files.file, "shop.t", **more, deletes="hard")
    assert (run.status, run.rows_deleted) == ("success", 1), run.error
    kept = [("2", None), ("3", None), ("4", None), ("8", None), ("9", None)]
    assert files.rows(files.file, "SELECT ID, GONE FROM SHOP.T ORDER BY ID") == kept
    staging = "SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = 'pipekit_staging'"
    assert files.rows(files.file, staging) == [("pipekit_ledger",)]


@pytest.mark.usefixtures("one_child")
def test_a_kind_that_keeps_no_versions_says_so(files: Files) -> None:
    run = files.run(files.lite, "SELECT * FROM t", files.file, "shop.t", merge_strategy="snapshot", merge_key="ID")
    assert (run.status, "dests keep no versions of rows" in (run.error or "")) == ("error", True)


def test_a_kind_that_keeps_nothing_refuses_a_module_that_asks_for_it_before_a_row_moves(files: Files) -> None:
    run = files.run(files.lite, "SELECT * FROM t", files.file, "shop.t", undo_runs=2)
    assert (run.status, run.error_stage, run.hint) == ("error", "plan", "Take `undo` off the module.")
    assert "dests keep nothing of what a merge changes" in (run.error or "")


@pytest.mark.usefixtures("one_child")
def test_a_column_is_changed_by_a_statement_that_commits_itself_and_a_run_that_breaks_behind_it_knows(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    db = files.project.db
    first = files.run(files.lite, "SELECT * FROM t", files.file, "shop.t", merge_strategy="full")
    module = repo.get_module(db, first.module_id or 0)

    def change(what: Any, column: str, to: str = "") -> Run:
        return files.project.run(module, alteration=build_alteration(db, module, what, column, to, "ana"))

    wider = change("retype", "V", "VARCHAR(40)")
    assert (wider.status, wider.merge_state) == ("success", "merged"), wider.error
    narrow = change("retype", "V", "VARCHAR(2)")
    assert "nobody can look whether" in (narrow.error or "")
    with monkeypatch.context() as patch:
        patch.setattr(
            get_driver(files.file.driver), "build_ledger_sql", lambda entry: (Statement(sql="SELECT nothing"),)
        )
        broken = change("rename", "V", "LABEL")
    assert (broken.status, broken.merge_state) == ("success", "merged"), broken.error
    module = repo.get_module(db, module.id)
    assert [(c.source_name, c.dest_name) for c in module.columns] == [("v", "LABEL")]
    loaded = files.project.run(module)
    assert (loaded.status, loaded.rows_inserted) == ("success", 3), loaded.error
    assert files.rows(files.file, "SELECT LABEL FROM SHOP.T") == [("new",)] * 3
