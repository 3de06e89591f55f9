# What a module expects of its rows, asked of staging on real databases: what holds, what does not, and how it is told.
"""`expect:` of a module."""

import itertools
from typing import Any

import pytest

from pipekit.models import Guards, Run
from tests.databases.places import Place, Postgres
from tests.near import NearRunner

_NUMBERS = itertools.count(1)
ROWS = "(1, 1, 'new'), (2, 1, 'odd'), (3, NULL, NULL), (3, 5, 'paid')"
# Fields of `expect`, and what is told; nothing where every line holds.
LINES: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "no NULL": ({"expect_not_null": "id"}, ()),
    "a NULL": ({"expect_not_null": "id, K"}, ("not_null: K\n  1 rows, for example (id = 3, k = NULL, v = NULL)",)),
    "each once": ({"expect_unique": "id, k"}, ()),
    "a key twice": (
        {"expect_unique": "id, v\nid\nk"},
        ("unique: id\n  1 keys", "(id = 3, times = 2)", "unique: k\n  1"),
    ),
    "values of a text": ({"expect_accepted": "v: new, odd, paid"}, ()),
    "a value of a text": ({"expect_accepted": "v: new, paid"}, ("1 rows, for example (id = 2, k = 1, v = odd)",)),
    "values of a number": ({"expect_accepted": "k: 1, 5"}, ()),
    "a value of a number": ({"expect_accepted": "k: 1"}, ("accepted: k: 1\n  1 rows", "k = 5")),
    "no rows": ({"expect_sql": "select * from {staging} where id < 0 -- {x}"}, ()),
    "rows": (
        {"expect_sql": "select s.id, t.v from {staging} s join t on t.id = s.id;\n---\nselect 1 where 1 = 0"},
        ("sql: select s.id", "1 rows, for example (id = 1, v = old)", "1 of 2 lines"),
    ),
    "many rows": (
        {
            "expect_sql": "with recursive n (i) as (select 1 union all select i + 1 from n where i < 1500)"
            " select i from n"
        },
        ("more than 1,000 rows, for example (i = 1); (i = 2); (i = 3)",),
    ),
    "two things": (
        {"expect_not_null": "v", "expect_accepted": "v: new"},
        ("2 of 2 lines of `expect` do not hold: not_null: v; accepted: v: new.",),
    ),
    "a column that is not there": ({"expect_not_null": "nowhere"}, ("names a column that is not loaded",)),
    "a query that is none": ({"expect_sql": "select nowhere from {staging}"}, ("`expect` could not be asked",)),
    "a change": ({"expect_sql": "delete from t"}, ("`expect` could not be asked",)),
}


@pytest.fixture(autouse=True)
def near(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipekit.engine.runners.NativeRunner", NearRunner)


def load(place: Place, strategy: str = "append", **options: Any) -> Run:
    place.execute("CREATE TABLE t (id integer, k integer, v varchar(20)); INSERT INTO t VALUES (1, 1, 'old')")
    place.execute(f"CREATE TABLE s (id integer, k integer, v text); INSERT INTO s VALUES {ROWS}")
    module = place.project.add_module(
        f"e{next(_NUMBERS)}",
        source=place.me,
        dest=place.me,
        query="select id, k, v from s",
        table="t",
        merge_strategy=strategy,
        **options,
    )
    return place.project.run(module)


def test_rows_that_are_not_as_expected_are_told_and_not_merged(place: Place) -> None:
    for name, (fields, told) in LINES.items():
        place.clear()
        run = load(place, **fields)
        assert (run.status, run.error_stage) == (("error", "check") if told else ("success", None)), (name, run.error)
        assert len(place.rows("select * from t")) == (1 if told else 5), name
        assert all(text in (run.error or "") for text in told), (name, run.error)
        if not told:
            assert next(check.ok for check in run.checks if check.name == "expect"), name


@pytest.mark.parametrize("load_by", ["swap", "direct"])
def test_a_way_without_staging_is_refused_and_one_with_its_own_table_is_looked_at(
    postgres_place: Postgres,
    load_by: str,
) -> None:
    postgres_place.clear()
    run = load(postgres_place, "full", load=load_by, expect_not_null="v")
    assert run.status == "error"
    assert {"swap": "not_null: v", "direct": "loads without staging"}[load_by] in (run.error or "")
    assert len(postgres_place.rows("select * from t")) == 1


@pytest.mark.parametrize("fields", [{"expect_accepted": "v: x"}, {"guards": Guards(usual="stop")}, {}])
def test_many_rows_are_all_staged_where_each_is_looked_at(place: Place, fields: dict[str, Any]) -> None:
    """Else a large load goes on into a dest behind its first rows, or straight into an empty one."""
    place.execute("CREATE TABLE t (id integer, v varchar(20)); CREATE TABLE s (id integer, v text)")
    many = "with recursive n (i) as (select 1 union all select i + 1 from n where i < 120000) select i, 'x' from n"
    place.execute(f"INSERT INTO s {many}; UPDATE s SET v = 'odd' WHERE id = 119999")
    if isinstance(place, Postgres):
        place.execute("ANALYZE s")
    module = place.project.add_module(
        f"e{next(_NUMBERS)}", source=place.me, dest=place.me, query="select id, v from s", table="t", **fields
    )
    run = place.project.run(module)
    assert (run.status, "1 rows, for example (id = 119999, v = odd)" in (run.error or "")) == (
        ("error", True) if "expect_accepted" in fields else ("success", False)
    )
    ways = " ".join(check.detail for check in run.checks if check.name == "load")
    assert not fields or "direct" not in ways, ways
    assert fields or isinstance(place, Postgres) or "direct" in ways, ways
