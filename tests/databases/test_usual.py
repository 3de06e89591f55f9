# Runs held against their module's own good ones, on real databases.
"""`guards: {usual: ...}`."""

from typing import Any

import pytest

from pipekit import repo
from pipekit.definitions import edit
from pipekit.models import Guards, Module, Run
from tests.databases.places import Place
from tests.near import NearRunner
from tests.profiles import is_quick


@pytest.fixture(autouse=True)
def near(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipekit.engine.runners.NativeRunner", NearRunner)


def add_module(place: Place, usual: str, name: str) -> Module:
    return place.project.add_module(
        f"{name}_{usual}",
        source=place.me,
        dest=place.me,
        query="select id, v from s where id <> {none}",
        table="t",
        guards=Guards(usual=usual),  # type: ignore[arg-type]
        watermarks=[{"name": "none", "connection_id": place.me.id, "resolver_sql": "select -1"}],
    )


def fill(place: Place, rows: int, nulls: int) -> None:
    values = ", ".join(f"({number}, {'NULL' if number < nulls else repr('x')})" for number in range(rows))
    place.execute(f"DELETE FROM s; INSERT INTO s VALUES {values}")


def find_verdict(run: Run) -> Any:
    return next(((check.ok, check.detail) for check in run.checks if check.name == "usual"), None)


@pytest.mark.parametrize("usual", ["stop"] if is_quick() else ["off", "rows", "warn", "stop"])
def test_a_run_unlike_ten_good_ones_is_told_or_refused_as_the_module_says(place: Place, usual: str) -> None:
    place.execute("CREATE TABLE t (id integer NOT NULL, v text); CREATE TABLE s (id integer, v text)")
    module = add_module(place, usual, type(place).__name__)
    project = place.project
    looks_at_nulls = usual in ("warn", "stop")
    for number in range(10):
        fill(place, 200 + number, 3)
        young = (None, f"not made: {number} of 10 good runs that tell what is usual")
        assert find_verdict(project.succeed(module)) == (young if looks_at_nulls else None)
    fill(place, 205, 2)
    alike = (True, "205 rows; usual are 132 to 277 (by 10 runs)")
    assert find_verdict(project.succeed(module)) == (None if usual == "off" else alike)
    fill(place, 205, 205)
    odd_nulls = project.run(module)
    fill(place, 20, 0)
    odd_rows = project.run(module)
    if usual == "stop":
        assert (odd_nulls.status, odd_nulls.error_stage) == ("error", "check")
        assert "good ones before it: v is all NULL; usual are 0.0% to " in (odd_nulls.error or "")
        assert "before it: the source gave 20 rows; usual are 133 to 277 (by 11 runs)." in (odd_rows.error or "")
        assert len(place.rows("select * from t")) == 205
    else:
        assert (odd_nulls.status, odd_rows.status) == ("success", "success")
        told = [find_verdict(run) or (None, "") for run in (odd_nulls, odd_rows)]
        assert [ok for ok, _ in told] == {"off": [None, None], "rows": [True, False], "warn": [False, False]}[usual]
        assert ("v is all NULL" in told[0][1]) is (usual == "warn")
    by_hand = project.run(module, watermarks={"none": "-2"})
    assert by_hand.status == "success", by_hand.error
    assert (find_verdict(by_hand) or (None,))[0] is None
    edit.update(project.db, edit.MODULE, "ana", module.id, source_query="select id, v from s where id > {none}")
    assert find_verdict(project.succeed(repo.get_module(project.db, module.id))) in (
        None,
        (None, "not made: 0 of 10 good runs that tell what is usual"),
    )


@pytest.mark.parametrize("place", ["postgres_place"], indirect=True)
def test_as_many_rows_as_ever_that_are_much_larger_are_told_by_their_bytes(place: Place) -> None:
    place.execute("CREATE TABLE t (id integer NOT NULL, v text); CREATE TABLE s (id integer, v text)")
    module = add_module(place, "stop", "large")
    for number in range(10):
        fill(place, 200 + number, 3)
        place.project.succeed(module)
    place.execute("UPDATE s SET v = repeat('x', 100)")
    run = place.project.run(module)
    assert (run.status, run.error_stage) == ("error", "check")
    assert "before it: its 209 rows are " in (run.error or "")
    assert " bytes; usual are " in (run.error or "")
