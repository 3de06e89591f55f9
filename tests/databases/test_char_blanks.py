# The blanks that fill up char(n): the same text in every dest, and none of them where the module says so.
"""Fixed-length text from PostgreSQL and SQLite, into every form of text."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipekit.demo.postgres import LocalPostgres
from tests.databases.test_runs import Bench, Database

pytestmark = pytest.mark.usefixtures("near_when_quick")

# (dest kind, type of the dest column, None for a table that the run makes): what `ab` of char(5) is there, and trimmed
DESTS = [
    ("postgresql", "text", "ab   ", "ab"),
    ("postgresql", "varchar", "ab   ", "ab"),
    ("postgresql", "varchar(5)", "ab   ", "ab"),
    ("postgresql", "varchar(9)", "ab   ", "ab"),
    ("postgresql", "name", "ab   ", "ab"),
    ("postgresql", "loose", "ab   ", "ab"),
    ("postgresql", "looser", "ab   ", "ab"),
    ("postgresql", "fixed", "ab      ", "ab      "),
    ("postgresql", "char(5)", "ab   ", "ab   "),
    ("postgresql", "char(8)", "ab      ", "ab      "),
    ("postgresql", "char(3)", "ab ", "ab "),
    ("postgresql", None, "ab   ", "ab"),
    ("sqlite", "text", "ab   ", "ab"),
    ("sqlite", None, "ab   ", "ab"),
]
DOMAINS = {
    "loose": "create domain loose as varchar(9)",
    "looser": "create domain looser as loose check (value <> 'x')",
    "fixed": "create domain fixed as char(8)",
}


@pytest.fixture(scope="module")
def source(postgres: LocalPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = Database("postgresql", tmp_path_factory.mktemp("source"), postgres)
    database.execute("create table t (id int, c char(5), b bpchar, v varchar(9), i int)")
    database.execute("insert into t values (1, 'ab', 'x  ', 'y  ', 7), (2, null, null, null, null)")
    yield database
    database.close()


@pytest.mark.parametrize(("kind", "type_text", "kept", "trimmed"), DESTS)
def test_blanks_of_fixed_text_arrive_in_every_dest_unless_the_module_trims_them(
    kind: str, type_text: str | None, kept: str, trimmed: str, tmp_path: Path, postgres: LocalPostgres, source: Database
) -> None:
    bench = Bench(tmp_path, ("postgresql", kind), postgres, source)
    if type_text in DOMAINS:
        bench.dest.execute(*DOMAINS.values())
    for name, expected in (("kept", kept), ("trimmed", trimmed)):
        if type_text:
            bench.dest.execute(f"create table {name} (id int, c {type_text}, b text, v text, i int)")
        options = {"trim_char": name == "trimmed", "create_table": type_text is None}
        bench.project.succeed(bench.module("select * from t order by id", name, name=name, **options))
        b = "x" if name == "trimmed" else "x  "
        assert bench.dest.rows(f"select * from {name} order by id") == [(1, expected, b, "y  ", 7), (2, *[None] * 4)]
    bench.close()


def test_blanks_that_do_not_fit_are_refused_with_the_switch_that_reads_without_them(
    tmp_path: Path, postgres: LocalPostgres, source: Database
) -> None:
    bench = Bench(tmp_path, ("postgresql", "postgresql"), postgres, source)
    bench.dest.execute("create table t (c varchar(3))")
    run = bench.project.run(bench.module("select c from t"))
    assert (run.status, run.error_stage) == ("error", "check")
    assert "'ab   '" in (run.error or "")
    assert "`trim_char: true`" in (run.hint or "")
    bench.project.succeed(bench.module("select c from t", name="m2", trim_char=True))
    assert bench.dest.rows("select c from t where c is not null") == [("ab",)]
    bench.close()


def test_a_trimmed_query_may_name_a_column_twice_and_end_in_a_comment(
    tmp_path: Path, postgres: LocalPostgres, source: Database
) -> None:
    bench = Bench(tmp_path, ("postgresql", "sqlite"), postgres, source)
    bench.dest.execute("create table t (a text, b text)")
    query = "select c, c from t where c is not null order by 1 -- all of them"
    bench.project.succeed(bench.module(query, trim_char=True, match="position"))
    assert bench.dest.rows("select * from t") == [("ab", "ab")]
    bench.close()


@pytest.mark.parametrize("kind", ["postgresql", "sqlite"])
def test_what_sqlite_declares_as_char_loses_its_blanks_only_where_asked(
    kind: str, tmp_path: Path, postgres: LocalPostgres
) -> None:
    bench = Bench(tmp_path, ("sqlite", kind), postgres)
    bench.source.execute("create table t (id int, c char(5), v varchar(5))")
    bench.source.execute("insert into t values (1, 'ab  ', 'v  '), (2, x'00', '')")
    for name in ("kept", "trimmed"):
        trims = name == "trimmed"
        query = "select * from t where id = 1"
        bench.project.succeed(bench.module(query, name, name=name, trim_char=trims, create_table=True))
        assert bench.dest.rows(f"select * from {name}") == [(1, "ab" if trims else "ab  ", "v  ")]
    bench.close()


@pytest.mark.parametrize("kind", ["postgresql", "sqlite"])
@pytest.mark.parametrize("strategy", ["upsert", "incremental"])
def test_rows_whose_key_was_loaded_in_the_other_way_are_not_taken_for_others(
    kind: str, strategy: str, tmp_path: Path, postgres: LocalPostgres, source: Database
) -> None:
    bench = Bench(tmp_path, ("postgresql", kind), postgres, source)
    options: dict[str, Any] = {"merge_strategy": strategy, "merge_key": "c, id"}
    query = "select id, c, v from t where id = 1"
    for name, there, trims in (("bare", "ab", False), ("padded", "ab   ", True)):
        bench.dest.execute(
            f"create table {name} (id int, c text, v text)", f"insert into {name} values (1, '{there}', 'old')"
        )
        run = bench.project.run(bench.module(query, name, name, trim_char=trims, **options))
        assert (run.status, run.error_stage) == ("error", "check")
        assert "1 rows of" in (run.error or "")
        assert "`trim_char" in (run.hint or "")
        assert bench.dest.rows(f"select v from {name}") == [("old",)]
        bench.project.succeed(bench.module(query, name, f"{name}2", trim_char=not trims, **options))
        assert bench.dest.rows(f"select c, v from {name}") == [(there, "y  ")]
    bench.close()
