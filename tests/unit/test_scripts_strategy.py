# From an insert's SQL to a merge strategy, with everything no strategy can say.
"""`pipekit/scripts/statements.py`, `strategy.py` and `columns.py`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipekit.scripts.sqlreader import list_output_names, split_statements
from pipekit.scripts.statements import read_statement
from pipekit.scripts.strategy import Merge, find_merges

QUERY = "select k, a, b from x"
INSERT = "insert into d (k, a, b) select k, a, b from s"


def merge(sql: str, query: str = QUERY, **ddl: tuple[str, ...]) -> Merge:
    """How a load into `s` goes on."""
    after = [read_statement(text) for text in split_statements(sql)]
    [found] = find_merges("s", query, True, [], after, ddl)
    return found


@pytest.mark.parametrize(
    ("sql", "strategy", "key"),
    [
        (f"truncate table d; {INSERT}", "full", ()),
        (f"begin; delete from d; {INSERT}; commit", "full", ()),
        (INSERT, "append", ()),
        (f"delete from d where k in (select k from s); {INSERT}", "incremental", ("k",)),
        (f"delete from d where (k, a) in (select distinct k, a from s); {INSERT}", "incremental", ("k", "a")),
        (f"delete from d using s where d.k = s.k and s.a = d.a; {INSERT}", "incremental", ("k", "a")),
        (f"delete from d t where exists (select 1 from s where s.k = t.k); {INSERT}", "incremental", ("k",)),
        (f"delete d from d inner join s on s.k = d.k; {INSERT}", "incremental", ("k",)),
        (f"delete from d where k = '2024'; {INSERT}", "incremental", ("k",)),
        (f"{INSERT} on conflict (k) do update set a = excluded.a, b = excluded.b", "upsert", ("k",)),
        (
            "update d set a = s.a, b = s.b from s where d.k = s.k;"
            f"{INSERT} where not exists (select 1 from d where d.k = s.k)",
            "upsert",
            ("k",),
        ),
        (
            "update d set a = s.a, b = s.b from s where d.k = s.k;"
            "insert into d (k, a, b) select s.k, s.a, s.b from s left join d t on t.k = s.k where t.k is null",
            "upsert",
            ("k",),
        ),
        (
            "merge into d using s on (d.k = s.k) when matched then update set a = s.a, b = s.b"
            " when not matched then insert (k, a, b) values (s.k, s.a, s.b)",
            "upsert",
            ("k",),
        ),
    ],
)
def test_a_strategy_is_recognised(sql: str, strategy: str, key: tuple[str, ...]) -> None:
    found = merge(sql)
    assert (found.table, found.strategy, found.key, found.problems, found.columns.problems) == (
        "d",
        strategy,
        key,
        [],
        [],
    )


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        (f"delete from d where day >= '2024'; {INSERT}", "no merge key expresses"),
        (f"delete from d where k in (select k from s where a = 1); {INSERT}", "no merge key expresses"),
        (f"{INSERT} where a > 1", "WHERE of its own"),
        (f"{INSERT} join y on y.k = s.k", "joins"),
        ("insert into d (k, a, b) select distinct k, a, b from s", "DISTINCT"),
        (f"{INSERT} on conflict (k) do nothing", "DO NOTHING"),
        (f"{INSERT} on conflict (k) do update set a = excluded.a", "inserts b but does not update it"),
        (f"{INSERT} on conflict (k) do update set a = d.a + 1, b = excluded.b", "something else"),
        (f"{INSERT} where not exists (select 1 from d where d.k = s.k)", "not there yet"),
        ("replace into d select * from s", "does not name"),
        ("merge into d using s on d.k = s.k when not matched then insert (k) values (s.k)", "only inserts"),
        (f"update s set a = 1; {INSERT}", "changes the rows in s"),
        (f"update other set n = 1; {INSERT}", "runs before the merge"),
        (f"{INSERT}; insert into log select count(*) from s", "computes columns"),
        (f"{INSERT}; {INSERT}", "more than once"),
    ],
)
def test_what_no_strategy_says_is_a_problem(sql: str, told: str) -> None:
    after = [read_statement(text) for text in split_statements(sql)]
    found = find_merges("s", QUERY, True, [], after, {})
    problems = [text for one in found for text in (*one.problems, *one.columns.problems)]
    assert any(told in text for text in problems), problems


def test_what_follows_is_a_hook_and_what_clears_staging_is_not() -> None:
    found = merge(f"{INSERT}; analyze d; update totals set n = 1; select refresh(); truncate s; drop table s")
    assert found.hooks == ["analyze d", "update totals set n = 1", "select refresh()"]
    assert found.problems == []


def test_a_load_without_more_sql_goes_straight_into_its_table() -> None:
    for clear, strategy in ((True, "full"), (False, "append")):
        [found] = find_merges("public.d", QUERY, clear, [], [], {})
        assert (found.table, found.strategy, found.columns.match) == ("public.d", strategy, "position")


# -- columns -----------------------------------------------------------------------------------------------------------


def test_columns_that_a_query_calls_otherwise_are_mapped_through_staging() -> None:
    found = merge("insert into d (x, y) select two, one from s", "select p, q as r from t", s=("one", "two"))
    assert found.columns.pairs == [("r", "x"), ("p", "y")]


def test_a_star_goes_by_position_through_the_names_that_are_known() -> None:
    assert merge("insert into d select * from s", "select p, q from t", d=("x", "q")).columns.pairs == [("p", "x")]
    assert merge("insert into d select * from s", "select * from t").columns.match == "position"
    assert merge("insert into d (y, x) select * from s", "select p, q from t").columns.pairs == [("p", "y"), ("q", "x")]


@pytest.mark.parametrize(
    ("sql", "query", "told"),
    [
        ("insert into d (x) select upper(one) from s", "select one from t", "computes"),
        ("insert into d (x) select two from s", "select one from t", "does not have"),
        ("insert into d (x) select one from s", "select one, two from t", "two are not inserted"),
        ("insert into d select two, one from s", "select one, two from t", "not known"),
        ("insert into d (x, y) select one from s", "select one from t", "as many columns"),
        ("insert into d (y, x) select * from s", "select * from t", "cannot be told"),
    ],
)
def test_columns_that_do_not_meet_are_a_problem(sql: str, query: str, told: str) -> None:
    assert any(told in text for text in merge(sql, query).columns.problems)


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("select a, b.c, d as e, trim(f) g, count(*), 'x' as y from t", ("a", "c", "e", "g", "", "y")),
        ('with z as (select 1 as q) select "A b", z.q from z', ("A b", "q")),
        ("select case when a = 1 then 2 end, case when a then b end w from t", ("", "w")),
        ("select * from t", None),
        ("select t.*, a from t", None),
        ("values (1)", None),
    ],
)
def test_the_names_of_a_querys_columns_are_read(sql: str, names: tuple[str, ...] | None) -> None:
    assert list_output_names(sql) == names


@given(
    st.text(alphabet="ab(),.;'\"=*-/ \n", max_size=60), st.sampled_from(["delete from ", "insert into ", "merge ", ""])
)
def test_no_text_stops_the_reader(text: str, start: str) -> None:
    for statement in split_statements(start + text):
        read_statement(statement)
