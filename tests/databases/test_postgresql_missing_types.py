# Types that the source has and the dest lacks, where a run makes the dest: between two real databases of PostgreSQL.
"""Values of every type arrive: in the type itself, in what is nearest, or as text that can go back."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipekit.demo.postgres import LocalPostgres
from pipekit.models import Column
from tests.databases.test_runs import Bench

pytestmark = pytest.mark.usefixtures("near_when_quick")

MADE = (
    "create schema app",
    "create type mood as enum ('sad', 'it''s ok', '')",
    "create type app.\"My Mood\" as enum ('x', 'a,b {\"}')",
    "create type pair as (a int, b text)",
    "create type span as range (subtype = numeric)",
    "create domain word as text",
    "create domain small as numeric(4,1)",
)
# (a value, the column's type in a dest that is made, the same with the enums made too)
VALUES = [
    ("'it''s ok'::mood", "text", "mood"),
    ("array['sad', '', null]::mood[]", "text[]", "mood[]"),
    ('\'a,b {"}\'::app."My Mood"', "text", 'app."My Mood"'),
    ("row(1, 'a \"b\" ,')::pair", "text", "text"),
    ("array[row(1, 'a \"b\" ,')::pair, null]", "text[]", "text[]"),
    ("span(1.50, 2)", "text", "text"),
    ("'w'::word", "text", "text"),
    ("array['w']::word[]", "text[]", "text[]"),
    ("array[1.5]::small[]", "numeric(4,1)[]", "numeric(4,1)[]"),
    ("int4multirange(int4range(1, 3))", "int4multirange", "int4multirange"),
    ("array[1, 2]", "integer[]", "integer[]"),
]
QUERY = "select " + ", ".join(f"{value} as c{number}" for number, (value, _, _) in enumerate(VALUES))


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, postgres: LocalPostgres) -> Iterator[Bench]:
    bench = Bench(Path(tmp_path_factory.mktemp("types")), ("postgresql", "postgresql"), postgres)
    bench.source.execute(*MADE)
    yield bench
    bench.close()


def look(bench: Bench, table: str) -> list[tuple[Any, ...]]:
    """The columns' types."""
    return bench.dest.rows(
        f"select format_type(atttypid, atttypmod) from pg_attribute where attrelid = '{table}'::regclass and attnum > 0"
    )


def texts(query: str) -> str:
    columns = ", ".join(f"c{number}::text" for number in range(len(VALUES)))
    return f"select {columns} from ({query}) as q"


def test_a_type_that_the_dest_lacks_becomes_what_holds_its_values_and_the_receipt_names_it(bench: Bench) -> None:
    run = bench.project.succeed(bench.module(QUERY, table="plain", name="plain", create_table=True))
    assert look(bench, "plain") == [(type_text,) for _, type_text, _ in VALUES]
    assert bench.dest.rows(texts("select * from plain")) == bench.source.rows(texts(QUERY))
    told = next(check.detail for check in run.checks if check.name == "dest types")
    assert "c0: the type mood is not in the dest and becomes text" in told


def test_what_became_text_goes_back_as_it_was(bench: Bench) -> None:
    bench.project.succeed(bench.module(QUERY, table="there", name="there", create_table=True))
    own = ("mood", "mood[]", 'app."My Mood"', "pair", "pair[]", "span", "word", "word[]", "small[]")
    types = (*own, "int4multirange", "int[]")
    columns = ", ".join(f"c{number} {type_text}" for number, type_text in enumerate(types))
    bench.source.execute(f"create table back ({columns})")
    module = bench.project.add_module(
        "back", source=bench.dest_connection, query="select * from there", dest=bench.source_connection, table="back"
    )
    bench.project.succeed(module)
    assert bench.source.rows(texts("select * from back")) == bench.source.rows(texts(QUERY))


def test_enums_are_made_with_the_table_where_the_module_says_so(bench: Bench) -> None:
    options: dict[str, Any] = {"create_table": True, "create_types": True}
    missing = bench.module(QUERY, table="made", name="no_schema", **options)
    assert 'schema "app" does not exist' in (bench.project.run(missing).error or "")
    failing = bench.module(QUERY.replace("'w'::word", "1/(random() * 0)"), table="made", name="failing", **options)
    assert bench.project.run(failing).status == "error"
    assert bench.dest.rows("select to_regtype('mood')") == [(None,)]
    bench.dest.execute("create schema app")
    module = bench.module(QUERY, table="made", name="enums", **options)
    bench.project.succeed(module)
    assert look(bench, "made") == [(type_text,) for _, _, type_text in VALUES]
    assert bench.dest.rows(texts("select * from made")) == bench.source.rows(texts(QUERY))
    assert bench.dest.rows("select enum_range(null::mood)::text") == bench.source.rows(
        "select enum_range(null::mood)::text"
    )
    bench.project.succeed(module)
    bench.dest.execute("drop table made")
    bench.project.succeed(module)
    bench.dest.execute("drop table made", "drop type mood", "drop schema app cascade")


def test_an_enum_of_the_same_name_with_other_labels_is_refused_with_both(bench: Bench) -> None:
    bench.source.execute("create type shade as enum ('light', 'dark')")
    bench.dest.execute("create type shade as enum ('dark', 'light')")
    options: dict[str, Any] = {"table": "shades", "create_table": True, "create_types": True}
    run = bench.project.run(bench.module("select 'dark'::shade as s", name="shades", **options))
    assert (run.status, run.error_stage) == ("error", "check")
    assert "light, dark" in (run.error or "")
    assert "dark, light" in (run.error or "")
    columns = (Column(id="c1", source_name="s", source_type="", dest_name="s", dest_type="text"),)
    bench.project.succeed(bench.module("select 'dark'::shade as s", name="shaded", columns=columns, **options))


def test_a_type_that_a_person_has_chosen_and_the_dest_lacks_is_told_with_the_mend(bench: Bench) -> None:
    columns = (Column(id="c1", source_name="s", source_type="", dest_name="s", dest_type="geometry"),)
    run = bench.project.run(bench.module("select 1 as s", table="no", name="no", create_table=True, columns=columns))
    assert 'type "geometry" does not exist' in (run.error or "")
    assert "dest_type" in (run.hint or "")
