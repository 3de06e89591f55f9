# What a query's text tells of the columns that its watermarks are compared with, and when it tells nothing.
"""`find_comparisons`."""

import pytest

from pipekit.engine.watermarks.comparisons import find_comparisons, find_greatest, find_lower_bounds


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("select * from t where ts > '{w}'", [("ts", "t", True)]),
        (
            "SELECT * FROM shop.orders o WHERE o.ts>='{w}' AND o.id > {n}",
            [("ts", "shop.orders", True), ("id", "shop.orders", False)],
        ),
        ("select * from t where (ts > '{w}' or ts is null)", [("ts", "t", True)]),
        ("select * from t where not ts <= '{w}'", [("ts", "t", True)]),
        ("select * from t where ts between '{w}' and '2030-01-01'", [("ts", "t", True)]),
        ("select * from t where '{w}' < ts", [("ts", "t", True)]),
        ("select * from t where ts > timestamp '{w}' order by 1", [("ts", "t", True)]),
        ('select * from "Odd t" where "the ts" > \'{w}\'', [('"the ts"', '"Odd t"', True)]),
        ("select * from [o d].[t] as x where x.[ts] > '{w}'", [("[ts]", "[o d].[t]", True)]),
        ("select * from a join b on a.id = b.id where b.ts > '{w}'", [("ts", "b", True)]),
        ("select * from a x left join b y on y.id = x.id where y.ts > '{w}'", [("ts", "b", True)]),
        ("select * from a x, b y where y.ts > '{w}'", [("ts", "b", True)]),
        ("select * from s.a where a.ts > '{w}'", [("ts", "s.a", True)]),
        ("with c as (select * from t) select * from t where ts > '{w}' -- and x > '{n}'", [("ts", "t", True)]),
        ("select * from t where note <> 'from x where y > {w}' and ts > '{w}'", [("ts", "t", True)]),
        ("select * from t where ts > '{w}' /* */ limit 5", [("ts", "t", True)]),
        # nothing is told where the text leaves a doubt
        ("select * from a join b on a.id = b.id where ts > '{w}'", []),
        ("select * from a, b where ts > '{w}'", []),
        ("select * from t where datetime(ts) > '{w}'", []),
        ("select * from t where ts > datetime('{w}')", []),
        ("select * from t where ts::text > '{w}'", []),
        ("select * from t where a + ts > {w}", []),
        ("select * from t where ts > '{w}'::timestamp - interval '1 day'", []),
        ("select * from t where ts > {w} - 10", []),
        ("select * from t where ts > '{w}' || 'Z'", []),
        ("select * from t where ts > 'x{w}'", []),
        ("select '{w}' as ts from t", []),
        ("with c as (select * from t) select * from c where c.ts > '{w}'", []),
        ("select * from generate_series(1, 9) g where g > {w}", []),
        ("select * from (select ts from t) x where x.ts > '{w}'", []),
    ],
)
def test_a_plain_column_of_a_named_table_is_found_beside_its_watermark(
    query: str, found: list[tuple[str, str, bool]]
) -> None:
    told = find_comparisons(query, {"w", "n"})
    assert [(item.column, item.table, item.is_quoted) for item in told] == found


def test_a_placeholder_that_is_no_watermark_is_left_alone() -> None:
    assert find_comparisons("select * from t where a > '{x}'", {"w"}) == []


@pytest.mark.parametrize(
    "query", ["where " * 20_000, "from " + "a, " * 20_000, "from t where " + "a." * 20_000, "'{w" * 20_000]
)
def test_a_long_query_costs_no_more_than_its_length(query: str) -> None:
    assert find_comparisons(query, {"w"}) == []


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("select max(ts) from t", ("ts", "t")),
        ("SELECT coalesce(MAX(o.id), 0) FROM shop.orders AS o WHERE x = 'max(y)'", ("id", "shop.orders")),
        ('select min("the ts") from "odd t";', ('"the ts"', '"odd t"')),
        ("select max(ts) from a, b", None),
        ("select max(cast(v as integer)) from t", None),
        ("select max(a) || max(b) from t", None),
        ("select ts from t order by ts desc limit 1", None),
        ("select 1", None),
    ],
)
def test_the_column_whose_greatest_value_is_taken_is_found(sql: str, found: tuple[str, str] | None) -> None:
    assert find_greatest(sql) == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("select * from t where id > {w}", {"w": "id"}),
        ('select t.id as "The Id", x from s.t where t.id >= {w} - 10', {"w": "The Id"}),
        ("select * from a, b where at > '{w}'::timestamp and {n} < b.no", {"w": "at", "n": "no"}),
        ("select * from t where [at] between cast('{w}' as date) and '{to}'", {"w": "at"}),
        ("with c as (select id from t where (id > {w})) select * from c", {"w": "id"}),
        ("select * from t where at > timestamp '{w}' and at < '{to}'", {"w": "at"}),
        ("select * from t where coalesce(a, b) > {w} and a + b > {n} -- and x > {m}", {}),
        ("select '{draft}' as id from t where id = {w}", {}),
    ],
)
def test_the_column_from_whose_value_a_query_reads_on_is_found(query: str, found: dict[str, str]) -> None:
    assert find_lower_bounds(query) == found
