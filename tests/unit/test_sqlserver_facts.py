# Tests of reading what SQL Server's catalogue says of a dest. Opens no database.
"""pipekit.drivers.sqlserver.facts."""

import json
from typing import Any

from pipekit.drivers.base import TableFacts, TableName
from pipekit.drivers.facts import Event, Firing, Reference
from pipekit.drivers.sqlserver.driver import DRIVER
from pipekit.runner_contract import QueryResult

TABLE = DRIVER.parse_table("dbo.t")


def look(
    kind: str = "U", keep: str = "1", hidden: str = "0", unseen: str = "0", **lists: list[dict[str, Any]]
) -> TableFacts:
    names = ("events", "triggers", "columns", "keys", "references")
    cells = [json.dumps(lists[name]) if name in lists else None for name in names]
    row = (kind, "1", "1", "0", "0", "0", "0", keep, hidden, unseen, *cells)
    return DRIVER.get_table_facts(lambda _: QueryResult(columns=(), rows=(row,)), TABLE)


def line(path: str, child: str, column: str, referred: str, **more: int) -> dict[str, Any]:
    actions = {"on_delete": 0, "on_update": 0, "own": 0, "readable": 1, "hidden": 0}
    return {"path": path, "child_schema": "dbo", "child": child, "name": column, "referred": referred} | actions | more


def test_keys_of_more_columns_keep_their_order() -> None:
    found = look(keys=[{"number": 1, "name": "b"}, {"number": 1, "name": "a"}, {"number": 3, "name": "c"}])
    assert found.keys == (("b", "a"), ("c",))


def test_a_foreign_key_and_those_behind_it_are_read_with_what_they_do() -> None:
    child = Reference(
        child=TableName(schema="dbo", name="c"), columns=("x", "y"), referred=("a", "b"), on_delete="cascade"
    )
    further = Reference(
        child=TableName(schema="dbo", name="g"), columns=("c_n",), referred=("n",), on_delete="set null", parent=child
    )
    own = Reference(child=TABLE, columns=("up",), referred=("a",), on_update="set default", is_own=True)
    found = look(
        references=[
            line("7", "c", "x", "a", on_delete=1),
            line("7", "c", "y", "b", on_delete=1),
            line("9", "t", "up", "a", on_update=3, own=1),
            line("7/8", "g", "c_n", "n", on_delete=2),
        ]
    )
    assert found.referring == (child, own, further)


def test_rows_that_nobody_can_count_say_why_down_the_line() -> None:
    found = look(
        references=[line("7", "c", "x", "a", on_delete=1, readable=0), line("7/8", "g", "n", "m", on_delete=1)]
    )
    assert [reference.uncounted for reference in found.referring] == ["this login may not read it"] * 2
    [through] = look("V", references=[line("7", "c", "x", "a", on_delete=1)]).referring
    assert through.uncounted == "it is reached through the view dbo.t"
    [hidden] = look(references=[line("7", "c", "x", "a", on_delete=1, hidden=1)]).referring
    assert hidden.uncounted == "row security hides rows of it from this login"


def test_foreign_keys_of_tables_that_the_login_does_not_see_are_not_none() -> None:
    [unseen] = look(unseen="1").referring
    assert (unseen.on_delete, unseen.columns) == ("cascade", ())
    assert "VIEW DEFINITION" in unseen.uncounted


def test_triggers_views_and_columns_that_change_what_arrives_are_named() -> None:
    found = look(
        triggers=[
            {"name": "audit", "event": 1, "instead": False},
            {"name": "audit", "event": 2, "instead": False},
            {"name": "sends", "event": 3, "instead": True},
        ],
        events=[{"event": 3}],
        columns=[{"name": "code", "collection": 0}, {"name": "doc", "collection": 65536}],
    )
    written: frozenset[Event] = frozenset({"insert", "update"})
    deleted: frozenset[Event] = frozenset({"delete"})
    assert found.fires == (
        Firing(name="trigger audit", events=written),
        Firing(name="instead-of trigger sends", events=deleted),
        Firing(name="a trigger that this login may not see", events=deleted),
        Firing(name="column code with ANSI_PADDING OFF", events=written),
        Firing(name="column doc with an XML schema", events=written),
    )
    [view] = look("V").fires
    assert view.name == "view dbo.t"


def test_row_security_and_missing_rights_are_seen() -> None:
    found = look(keep="0", hidden="1")
    assert (found.hidden_rows, found.can_keep) == (True, False)
    assert not look("V").can_keep
