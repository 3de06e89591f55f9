# Whole runs into MariaDB and out of it, on a server that is set up unkindly. Values of single types are elsewhere.
"""Strategies, keys, created tables, dests that cannot be undone, names, and who else a merge touches."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipekit import repo
from pipekit.demo.postgres import LocalPostgres
from pipekit.drivers import get_driver
from pipekit.drivers.base import LedgerEntry
from pipekit.engine import open_look
from pipekit.engine.recovering.ledger import settle_merge
from pipekit.models import Column, Guards, Run
from pipekit.runner_contract import Statement
from tests.databases.mariadb import DRIVER, PASSWORD, USER, Mariadb, start_mariadb
from tests.databases.over_jdbc import register
from tests.project import Project


class Shop:
    """A project with an empty MariaDB database, and an SQLite file that queries are asked of."""

    def __init__(self, folder: Path, server: Mariadb) -> None:
        server.clear()
        self.server = server
        self.project = Project(folder)
        register(self.project, "mariadb", DRIVER, "jdbc:mariadb://{host}:{port}/{database}")
        self.project.secrets.set("MARIADB", PASSWORD)
        sqlite3.connect(folder / "lite.db").execute("create table one (a)").connection.close()
        self.lite = self.project.add_connection("lite", f"jdbc:sqlite:{folder}/lite.db")
        self.my = self.project.add_connection("my", server.url(), username=USER, password="$MARIADB")

    def load(self, query: str, table: str, strategy: str = "full", key: str = "", **options: Any) -> Run:
        """A run of a new module from SQLite."""
        name = f"m{len(repo.list_modules(self.project.db))}"
        options |= {"merge_key": key} if key else {}
        preview = options.pop("preview", False)
        module = self.project.add_module(
            name, source=self.lite, query=query, dest=self.my, table=table, merge_strategy=strategy, **options
        )
        return self.project.run(module, preview=preview)

    def rows(self, sql: str) -> list[tuple[str, ...]]:
        return self.server.run(sql)


@pytest.fixture
def shop(tmp_path: Path, mariadb: Mariadb, one_child: None) -> Iterator[Shop]:
    shop = Shop(tmp_path, mariadb)
    yield shop
    shop.project.close()


def values(*rows: tuple[Any, ...], names: str = "k, v") -> str:
    """A query that gives some rows."""
    spelled = ", ".join(f"({', '.join(_spell(cell) for cell in row)})" for row in rows)
    return f"with x ({names}) as (values {spelled}) select * from x"


def _spell(cell: Any) -> str:
    if cell is None:
        return "null"
    return str(cell) if isinstance(cell, int) else "'" + str(cell).replace("'", "''") + "'"


def figures(run: Run) -> tuple[Any, ...]:
    assert run.status == "success", f"{run.error_stage}: {run.error}"
    return (run.rows_deleted, run.rows_inserted, run.rows_updated)


@pytest.mark.parametrize(
    "text", ["varchar(20) character set latin1", "varchar(20) character set utf8mb4 collate utf8mb4_bin", "longtext"]
)
def test_every_strategy_by_a_text_key(shop: Shop, text: str) -> None:
    """The server's own character set and engine are neither the dest's nor staging's."""
    index = "" if text == "longtext" else ", primary key (k)"
    shop.rows(f"create table t (k {text} not null, v int{index}) engine=innodb default charset=utf8mb4")
    assert figures(shop.load(values(("a", 1), ("é", 2), ("old", 3)), "t")) == (0, 3, 0)
    assert figures(shop.load(values(("é", 20), ("new", 4)), "t", "upsert", "k")) == (0, 1, 1)
    assert figures(shop.load(values(("é", 21), ("a", 10), ("x", 5)), "t", "incremental", "k")) == (2, 3, 0)
    assert figures(shop.load(values(("y", 6)), "t", "append")) == (0, 1, 0)
    told = "a 10, new 4, old 3, x 5, y 6, é 21"
    assert shop.rows(
        "select group_concat(k, ' ', v order by convert(k using utf8mb4) collate utf8mb4_bin separator ', ') from t"
    ) == [(told,)]
    assert figures(shop.load(values(("z", 1)), "t")) == (6, 1, 0)


def test_keys_that_differ_by_case_are_two_where_the_dest_says_so(shop: Shop) -> None:
    shop.rows("create table b (k varchar(10) collate utf8mb4_bin primary key, v int) engine=innodb charset=utf8mb4")
    assert figures(shop.load(values(("a", 1), ("A", 2)), "b", "upsert", "k")) == (0, 2, 0)
    shop.rows(
        "create table c (k varchar(10) primary key, v int) engine=innodb charset=utf8mb4 collate utf8mb4_general_ci"
    )
    run = shop.load(values(("a", 1), ("A", 2)), "c", "upsert", "k")
    assert run.status == "error"
    assert "more than once" in (run.error or "")


def test_null_keys_match_where_the_module_says_so(shop: Shop) -> None:
    shop.rows("create table t (k int, v int) engine=innodb; insert into t values (null, 1), (1, 1)")
    guards = Guards(null_keys=True)
    query = values((None, 2), (2, 2))
    assert figures(shop.load(query, "t", "upsert", "k", guards=guards)) == (0, 1, 1)
    assert figures(shop.load(query, "t", "incremental", "k", guards=guards)) == (2, 2, 0)


@pytest.mark.parametrize("strategy", ["full", "incremental", "upsert", "append"])
@pytest.mark.parametrize("refers", [False, True])
def test_a_preview_says_what_a_run_then_does(shop: Shop, strategy: str, refers: bool) -> None:
    shop.rows(
        "create table t (k varchar(9), v int, index (k)) engine=innodb charset=utf8mb4 collate utf8mb4_general_ci;"
        "insert into t values ('a', 1), ('B', 2), (null, 3), ('z', 4)"
    )
    if refers and strategy != "append":
        shop.rows("delete from t where k is null; alter table t add primary key (k);")
        shop.rows("create table c (k varchar(9) collate utf8mb4_general_ci references t (k)) engine=innodb")
    query = values(("A", 1), ("b", 20), ("x", 5), *([] if refers else [(None, 30)]))
    guards = Guards(null_keys=True)
    before = shop.rows("select * from t")
    looked = shop.load(query, "t", strategy, "k", guards=guards, preview=True)
    found = repo.find_preview(shop.project.db, looked.id)
    assert found is not None, looked.error
    assert shop.rows("select * from t") == before
    run = shop.project.run(repo.get_module_by_name(shop.project.db, looked.module), merges=looked.id)
    assert (found.would_delete, found.would_insert, found.would_update) == figures(run)


def test_what_is_expected_of_rows_is_asked_of_staging(shop: Shop) -> None:
    shop.rows("create table t (k varchar(9), v int) engine=innodb")
    expect = {"expect_unique": "k", "expect_accepted": "v: 1\nk: a, b", "expect_sql": "select k from {staging}"}
    run = shop.load(values(("a", 1), ("a", 2), ("é", 1)), "t", **expect)
    assert "4 of 4 lines of `expect` do not hold" in (run.error or "")
    assert "(k = a, times = 2)" in (run.error or "")
    assert "accepted: k: a, b\n  1 rows, for example (k = é, v = 1)" in (run.error or "")


@pytest.mark.parametrize("charset", ["latin1", "utf8mb4"])
def test_a_keyed_merge_finds_its_rows_by_an_index(shop: Shop, charset: str) -> None:
    """With staging in another character set no index serves, and each row is compared with each."""
    shop.rows(f"create table t (k varchar(40) primary key, v int) engine=innodb charset={charset}")
    many = "with recursive g (i) as (select 1 union all select i + 1 from g where i < 2000)"
    rows = f"{many} select 'key' || i k, i v from g"
    shop.load(rows, "t")
    shop.rows("flush status")
    run = shop.load(rows, "t", "upsert", "k")
    assert figures(run) == (0, 0, 2000)
    [(read,)] = shop.rows(
        "select sum(variable_value) from information_schema.global_status where variable_name in"
        " ('handler_read_next', 'handler_read_rnd_next', 'handler_read_key')"
    )
    assert int(float(read)) < 60_000


def test_a_table_that_is_made_holds_every_text_and_can_be_undone(shop: Shop) -> None:
    """Declared widths add up to more than a row has, and the server's character set has no such letters."""
    wide = ", ".join(f"c{number} varchar(4000)" for number in range(20))
    with open_look(shop.project.config, shop.project.secrets, shop.lite, read_only=False) as look:
        look.runner.execute(look.endpoint, [Statement(sql=f"create table wide (id int, {wide}, a varchar(9000))")])
        fill = "insert into wide (id, c0, c19, a) values (1, '😀', 'x', 'y'), (2, 'a', 'A', 'é')"
        look.runner.execute(look.endpoint, [Statement(sql=fill)])
    assert figures(shop.load("select * from wide", "made", create_table=True)) == (0, 2, 0)
    assert shop.rows("select id, c0, c19, a from made order by id") == [("1", "😀", "x", "y"), ("2", "a", "A", "é")]
    assert shop.rows("select engine from information_schema.tables where table_name = 'made'") == [("InnoDB",)]
    kept = shop.rows("select data_type from information_schema.columns where table_name = 'made'")
    assert kept.count(("varchar",)) >= 3


@pytest.mark.parametrize("engine", ["MyISAM", "Aria", "MEMORY"])
def test_a_dest_without_transactions_is_refused_before_anything_is_done(shop: Shop, engine: str) -> None:
    shop.rows(f"create table t (k int, v int) engine={engine}; insert into t values (1, 1)")
    run = shop.load(values((2, 2)), "t")
    assert (run.status, run.error_stage) == ("error", "check")
    assert f"its engine {engine} has no transactions" in (run.error or "")
    assert shop.rows("select k from t") == [("1",)]
    assert figures(shop.load(values((2, 2)), "t", guards=Guards(atomic=False))) == (1, 1, 0)


def test_a_trigger_that_writes_where_nothing_can_be_undone_is_refused(shop: Shop) -> None:
    shop.rows(
        "create table notes (k int) engine=myisam; create table t (k int, v int) engine=innodb;"
        "create trigger note after insert on t for each row insert into notes values (new.k)"
    )
    run = shop.load(values((1, 1)), "t")
    assert (run.status, run.error_stage) == ("error", "check")
    assert "its trigger note writes to shop.notes, whose engine MyISAM" in (run.error or "")
    assert shop.rows("select count(*) from notes") == [("0",)]


def test_whether_a_run_merged_can_be_told_and_settled(shop: Shop) -> None:
    shop.rows("create table t (k int check (k < 5), v int) engine=innodb; insert into t values (1, 1)")
    shop.load(values((1, 1)), "t")
    run = shop.load(values((7, 7)), "t")
    assert (run.status, run.merge_state) == ("error", "none"), run.error
    assert shop.rows("select k from t") == [("1",)]
    driver, entry = get_driver("mariadb"), LedgerEntry(run_key="a\\b'c", run_id=9, module="m", fence=9)
    with open_look(shop.project.config, shop.project.secrets, shop.my, read_only=False) as look:
        assert settle_merge(look.runner, driver, look.endpoint, entry, "") == "none"
        late = look.runner.execute(look.endpoint, driver.build_ledger_sql(entry))
        assert late["ledger"] == 0
        merged = LedgerEntry(run_key="other", run_id=10, module="m", fence=10)
        look.runner.execute(look.endpoint, driver.build_ledger_sql(merged))
        assert settle_merge(look.runner, driver, look.endpoint, merged, "") == "merged"


def test_no_instant_of_the_repeated_hour_is_missed(shop: Shop) -> None:
    """The server's zone sets its clocks back; two instants have one clock there."""
    shop.rows(
        "create table t (id int primary key, ts timestamp(6) null) engine=innodb;"
        "insert into t values (1, '2021-10-31 00:50:00')"
    )
    mark = {"name": "since", "connection_id": shop.lite.id, "resolver_sql": "select max(ts) from t",
            "default_value": "1970-01-02"}  # fmt: skip
    module = shop.project.add_module(
        "m", source=shop.my, query="select * from t where ts > '{since}'", dest=shop.lite, table="t",
        merge_strategy="incremental", merge_key="id", create_table=True, watermarks=[mark],
    )  # fmt: skip
    assert shop.project.succeed(module).rows_inserted == 1
    shop.rows("insert into t values (2, '2021-10-31 01:10:00')")
    assert shop.project.succeed(module).rows_inserted == 1
    with open_look(shop.project.config, shop.project.secrets, shop.lite) as look:
        told = [row[0] for row in look.query("select ts from t order by id").rows]
    assert told == ["2021-10-31 00:50:00+00:00", "2021-10-31 01:10:00+00:00"]


@pytest.mark.parametrize("lower", [0, 1])
def test_tables_are_found_as_the_server_finds_them(tmp_path: Path, one_child: None, lower: int) -> None:
    """With `lower_case_table_names=1` it keeps every name in small letters, and takes any."""
    with start_mariadb(f"--lower-case-table-names={lower}") as server:
        shop = Shop(tmp_path, server)
        server.run("CREATE TABLE Orders (k int primary key, v int); INSERT INTO Orders VALUES (1, 1)")
        run = shop.load(values((2, 2)), "Shop.ORDERS" if lower else "shop.Orders")
        assert figures(run) == (1, 1, 0)
        assert run.dest_rows_before == 1
        missed = shop.load(values((2, 2)), "shop.ORDERS")
        assert (missed.status == "success") == bool(lower)
        assert "no dest table" in (missed.error or "no dest table")
        shop.project.close()


def test_its_types_reach_postgresql_as_what_they_are(shop: Shop, postgres: LocalPostgres, dest_db: str) -> None:
    shop.rows(
        "create table t (id int primary key, b tinyint(1), n bigint unsigned, f float, y year, d date, h time(1),"
        " dt datetime(3), ts timestamp(6) null, c char(4), x varbinary(3), e enum('a','b'), j json)"
        " engine=innodb charset=utf8mb4;"
        "insert into t values (1, 1, 18446744073709551615, 1234567.875, 1999, '1582-10-10', '23:59:59.5',"
        " '0001-01-01 00:00:00.123', '2021-10-31 00:50:00', 'é', x'00ff', 'b', '{\"a\": 1.50}'), (2, 0"
        + ", null" * 11
        + ")"
    )
    dest = shop.project.add_connection("pg", postgres.jdbc_url(dest_db), username="postgres")
    module = shop.project.add_module(
        "out", source=shop.my, query="select * from t", dest=dest, table="made", create_table=True
    )
    assert shop.project.succeed(module).rows_inserted == 2
    told = postgres.run_sql("set timezone = 'UTC'; select * from made order by id", dest_db)
    assert told.splitlines()[-2] == (
        "1|1|18446744073709551615|1.2345679e+06|1999|1582-10-10|23:59:59.5|0001-01-01 00:00:00.123|"
        '2021-10-31 00:50:00+00|é|\\x00ff|b|{"a": 1.50}'
    )
    postgres.run_sql("create table flags (id integer, b boolean)", dest_db)
    flags = shop.project.add_module("flags", source=shop.my, query="select id, b from t", dest=dest, table="flags")
    assert shop.project.succeed(flags).rows_inserted == 2
    shop.rows("update t set b = 2 where id = 2")
    refused = shop.project.run(flags)
    assert (refused.status, refused.error_stage) != ("success", None)
    assert postgres.run_sql("select id, b from flags order by id", dest_db).split() == ["1|t", "2|f"]


def test_a_table_that_a_failed_run_made_is_gone_again(shop: Shop) -> None:
    """DDL commits by itself here."""
    column = Column(id="c1", source_name="k", dest_name="k", source_type="", dest_type="tinyint")
    query = values((1000, 1), names="k, v")
    run = shop.load(query, "made", create_table=True, columns=(column,))
    assert run.status == "error"
    assert shop.rows("show tables") == []


def test_rows_that_are_gone_from_the_source_are_deleted_or_marked(shop: Shop) -> None:
    engine = "engine=InnoDB default charset=utf8mb4 collate=utf8mb4_general_ci"
    shop.server.run(f"create table d (k varchar(10), v int, gone datetime(6)) {engine}")
    shop.server.run("insert into d values ('a', 1, null), ('b', 1, null), ('C', 1, null)")
    some = values(("a", 2), ("c", 2))
    marked = shop.load(some, "d", "upsert", "k", deletes="mark", deletes_column="gone")
    assert (marked.status, marked.rows_marked) == ("success", 1), marked.error
    assert shop.rows("select k from d where gone is not null") == [("b",)]
    every = values(("a", 2), ("c", 2), ("b", 1))
    back = shop.load(values(("b", 1)), "d", "upsert", "k", deletes="mark", deletes_column="gone", deletes_keys=every)
    assert (back.status, back.rows_marked) == ("success", 0), back.error
    gone = shop.load(some, "d", "incremental", "k", deletes="hard", deletes_where="gone is null")
    assert (gone.status, gone.rows_deleted) == ("success", 3), gone.error
    assert shop.rows("select k, v from d order by k") == [("a", "2"), ("c", "2")]
