# Watermarks whose values are written in another way than the source's column: told in the record, on real databases.
"""A warning where rows would be repeated or missed for ever, and none where the database reads both alike."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipekit.demo.postgres import LocalPostgres
from tests.databases.test_runs import Bench

pytestmark = pytest.mark.usefixtures("near_when_quick")

T1, T2 = "'2026-01-01T10:00:00'", "'2026-01-01T10:00:01'"
B1, B2 = "'2026-01-01 10:00:00'", "'2026-01-01 10:00:01'"
QUERY = "select id, ts from t where ts > '{since}'"
# (source, dest, type in the source, two values, type in the dest, what the warning says: "" for none)
CASES = [
    ("sqlite", "postgresql", "timestamp", (T1, T2), "timestamp", "'T' where the value has ' '"),
    ("sqlite", "postgresql", "text", (T1, T2), "timestamp", "'T' where the value has ' '"),
    ("sqlite", "postgresql", "timestamp", (B1, B2), "timestamp", ""),
    ("sqlite", "sqlite", "timestamp", (T1, T2), "timestamp", ""),
    (
        "sqlite",
        "postgresql",
        "text",
        ("'2026-01-01 10:00:00.500'", "'2026-01-01 10:00:01.000'"),
        "timestamp",
        "fraction",
    ),
    ("sqlite", "postgresql", "text", ("'2026-01-01 10:00:00Z'", "'2026-01-01 10:00:01Z'"), "timestamptz", "time zone"),
    ("sqlite", "postgresql", "integer", ("9", "10"), "integer", ""),
    ("sqlite", "postgresql", "text", ("'9'", "'10'"), "integer", "9 is above 10"),
    ("sqlite", "postgresql", "", ("9", "10"), "integer", "has no type"),
    ("postgresql", "sqlite", "timestamp", (B1, B2), "text", ""),
    ("postgresql", "sqlite", "timestamptz", (B1, B2), "text", ""),
    ("postgresql", "sqlite", "numeric", ("9", "10"), "text", "as texts 9 is above 10"),
    ("postgresql", "sqlite", "numeric", ("19", "10"), "text", ""),
    ("postgresql", "sqlite", "timestamp", (B1, "'10000-01-01'"), "text", "after 9999"),
    ("postgresql", "sqlite", "interval", ("'9 days'", "'10 days'"), "text", "no order of time"),
    ("postgresql", "postgresql", "text", (T1, T2), "timestamp", "'T' where the value has ' '"),
    ("postgresql", "postgresql", "timestamp", (B1, B2), "date", "no time of day"),
    ("postgresql", "postgresql", "varchar(9)", ("'9'", "'10'"), "integer", "9 is above 10"),
    ("postgresql", "postgresql", "varchar(9)", ("'0009'", "'0010'"), "text", ""),
]


MakeBench = Callable[[str, str], Bench]


@pytest.fixture
def make_bench(tmp_path: Path, postgres: LocalPostgres) -> Iterator[MakeBench]:
    """Two databases of these kinds and a project that connects them."""
    made: list[Bench] = []

    def make(source: str, dest: str) -> Bench:
        made.append(Bench(tmp_path, (source, dest), postgres))
        return made[-1]

    yield make
    for bench in made:
        bench.close()


@pytest.mark.parametrize(("source", "dest", "type_text", "values", "dest_type", "words"), CASES)
def test_a_watermark_in_another_form_than_its_column_is_told(
    source: str,
    dest: str,
    type_text: str,
    values: tuple[str, str],
    dest_type: str,
    words: str,
    make_bench: MakeBench,
) -> None:
    bench = make_bench(source, dest)
    bench.source.execute(f"create table t (id integer, ts {type_text})")
    bench.source.execute(f"insert into t values (1, {values[0]}), (2, {values[1]})")
    bench.dest.execute(f"create table t (id integer, ts {dest_type})")
    mark = bench.watermark("select max(ts) from t", default="1900-01-01" if "2026" in values[0] else "0")
    guards = {"exactness": source == "sqlite"}
    module = bench.module(QUERY, merge_strategy="append", watermarks=[mark], guards=guards)
    first = bench.project.succeed(module)
    assert [check for check in first.checks if check.ok is False and "has no type" not in words] == []
    if not first.rows_read:
        bench.dest.execute("insert into t values (2, 10)")
    for dry_run in (True, False):
        run = bench.project.run(module, dry_run=dry_run)
        assert run.status == ("dry_run" if dry_run else "success"), run.error
        told = [check.detail for check in run.checks if check.name == "watermark"]
        assert [words in text for text in told] == ([True] if words else []), told
        log = bench.project.read_log(run.id)
        assert ("warning: The watermark 'since' is '" in log) == bool(words)


def test_the_command_line_warns_on_standard_error(make_bench: MakeBench) -> None:
    bench = make_bench("sqlite", "sqlite")
    bench.source.execute("create table t (id integer, ts text)", f"insert into t values (1, {T1})")
    bench.dest.execute("create table t (id integer, ts text)")
    mark = bench.watermark(f"select {B1}")
    bench.module(QUERY, merge_strategy="append", watermarks=[mark])
    for flags in (["--json"], ["-q"], ["--dry-run"]):
        done = bench.project.cli("run", "m", *flags)
        assert done.code == 0
        assert "Warning: watermark: The watermark 'since' is '2026-01-01 " in done.stderr


def test_a_comparison_that_cannot_be_told_costs_nothing(make_bench: MakeBench) -> None:
    bench = make_bench("postgresql", "postgresql")
    bench.source.execute("create table t (id integer, ts text)", f"insert into t values (1, {T1})")
    bench.dest.execute("create table t (id integer, ts text)")
    mark = bench.watermark("select max(ts) from t", default="1900-01-01")
    for number, query in enumerate(
        (
            "select id, ts from (select id, ts as hidden, ts from t) x where x.hidden > '{since}'",
            "with q as (select * from t) select id, ts from q where ts > '{since}'",
            "select id, ts from t where left(ts, 10) > '{since}'",
        )
    ):
        run = bench.project.succeed(bench.module(query, name=f"m{number}", watermarks=[mark], merge_strategy="append"))
        assert [check.name for check in run.checks if check.ok is False] == []


@pytest.mark.parametrize(
    ("value", "told"),
    [("z' or '1'='1", True), ("a','b", False), ("plain", False)],
    ids=["opens the query", "list", "plain"],
)
def test_a_value_whose_quote_ends_the_text_around_it_is_told(make_bench: MakeBench, value: str, told: bool) -> None:
    bench = make_bench("sqlite", "sqlite")
    bench.source.execute("create table t (k text)", "insert into t values ('a'), ('b')")
    bench.dest.execute("create table t (k text)")
    mark = bench.watermark(f"select '{value.replace(chr(39), chr(39) * 2)}'")
    query = "select k from t where k in ('{since}')"
    run = bench.project.succeed(bench.module(query, merge_strategy="append", watermarks=[mark]))
    assert ["its quote ends the text" in check.detail for check in run.checks if check.ok is False] == [True] * told
