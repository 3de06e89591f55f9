# Queries that are plain selects of one table, and those that are not. Starts no database.
"""`read_plain_select` says yes only where each row of the table comes once at most."""

import pytest

from pipekit.drivers.selects import PlainSelect, read_plain_select


@pytest.mark.parametrize(
    ("sql", "table", "columns"),
    [
        ("select * from t", "t", None),
        ("SELECT *\nFROM app.orders o WHERE o.at > '2026-01-01' -- new ones", "app.orders", None),
        ("select id, v from t limit 5", "t", {"id": "id", "v": "v"}),
        ("select o.id as n, o.v w from orders as o order by 1", "orders", {"n": "id", "w": "v"}),
        ('select "Id" as "a ""b""", `v` from [my table];', "[my table]", {'a "b"': "Id", "v": "v"}),
        ("select s.t.id from s.t", "s.t", {"id": "id"}),
        ("select id from t where exists (select 1 from u where u.id = t.id)", "t", {"id": "id"}),
    ],
)
def test_a_plain_select_is_read(sql: str, table: str, columns: dict[str, str] | None) -> None:
    assert read_plain_select(sql) == PlainSelect(table, columns)


@pytest.mark.parametrize(
    "sql",
    [
        "select id from t join u on true",
        "select id from t, u",
        "select id from t cross apply f(t.id)",
        "select id from t union all select id from t",
        "select id from t where id in (select 1 union select 2)",
        "select upper(id) as id from t",
        "select id + 1 as id from t",
        "select 1 as id from t",
        "select 'x' as id from t",
        "select *, id from t",
        "select t.* from t",
        "select id, v as id from t",
        "select id from (select id from t) as x",
        "select id from generate_series(1, 3) as g (id)",
        "select id from t for system_time all",
        "select id from t with (nolock)",
        "select id from t tablesample system (5)",
        "select id from t start with a = 1 connect by prior id = b",
        "with x as (select 1) select id from x",
        "values (1)",
        "select 1",
    ],
)
def test_anything_more_is_not(sql: str) -> None:
    assert read_plain_select(sql) is None
