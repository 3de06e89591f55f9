# Tests of `pipekit verify` from end to end: what is told of planted differences, by either means, and what is not.
"""A module's dest held against its source, between SQLite and PostgreSQL and back."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipekit import repo
from pipekit.demo.postgres import LocalPostgres
from pipekit.engine.events import Event, RowsCompared
from pipekit.models import Difference, Guards, Run, Verified, Verify
from tests.databases.test_runs import PAIRS, Bench, Database

pytestmark = pytest.mark.usefixtures("near_when_quick")

HASHES = "64-bit hashes"


@pytest.fixture(params=PAIRS, ids=lambda pair: "-".join(pair))
def bench(request: pytest.FixtureRequest, tmp_path: Path, postgres: LocalPostgres) -> Iterator[Bench]:
    bench = Bench(tmp_path, request.param, postgres)
    yield bench
    bench.source.close()
    bench.dest.close()


@pytest.fixture(params=["18", "15"])
def near(request: pytest.FixtureRequest, tmp_path: Path, postgres: LocalPostgres) -> Iterator[Bench]:
    """From one PostgreSQL, of either version, into another."""
    server = postgres if request.param == "18" else request.getfixturevalue("old_postgres")
    bench = Bench(tmp_path, ("postgresql", "postgresql"), postgres, Database("postgresql", tmp_path, server))
    yield bench
    bench.source.close()
    bench.dest.close()


def verify(bench: Bench, module: Any, **asked: Any) -> tuple[Run, Verified]:
    """The run, and what it found with its values."""
    seen: list[Verified] = []

    def listen(event: Event) -> None:
        if isinstance(event, RowsCompared):
            seen.append(event.found)

    watermarks = asked.pop("watermarks", {})
    run = bench.project.run(module, listen, verify=Verify(**asked), watermarks=watermarks)
    assert seen, (run.error, run.hint)
    assert len(seen) == 1 or asked.get("repair")
    assert run.verify is not None
    assert run.verify["missing"] == seen[-1].missing
    return run, seen[-1]


def fill(bench: Bench, rows: int = 3000) -> None:
    """The same rows on both sides."""
    make = "CREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY, a TEXT, n INTEGER)"
    series = f"WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < {rows})"
    for database in (bench.source, bench.dest):
        database.execute(
            make,
            f"{series} INSERT INTO t SELECT i, 'a' || i, i % 7 FROM s"
            if database.kind == "sqlite"
            else f"INSERT INTO t SELECT i, 'a' || i, i % 7 FROM generate_series(1, {rows}) AS i",
        )


PLANTED = (
    "UPDATE t SET a = a || ' ' WHERE id = 3",
    "UPDATE t SET a = '' WHERE id = 5",
    "UPDATE t SET a = 'a9' WHERE id = 8",
    "UPDATE t SET a = 'a8' WHERE id = 9",
    "UPDATE t SET n = NULL WHERE id = 11",
    "DELETE FROM t WHERE id IN (100, 2999)",
    "INSERT INTO t VALUES (9000, 'new', NULL)",
)


def find(found: Verified) -> set[tuple[str, str | None, tuple[str, ...]]]:
    return {(item.kind, item.key.get("id"), item.columns) for item in found.examples}


def test_a_verify_tells_exactly_what_was_planted_and_changes_nothing(bench: Bench) -> None:
    fill(bench)
    module = bench.module("SELECT * FROM t")
    run, found = verify(bench, module)
    assert (run.status, found.equal, found.rows_source, found.rows_dest) == ("success", True, 3000, 3000)
    assert found.means.startswith(HASHES) == (bench.source.kind == bench.dest.kind == "postgresql")
    bench.dest.execute(*PLANTED)
    before = bench.dest.rows("SELECT * FROM t ORDER BY id")
    run, found = verify(bench, module)
    assert (run.status, run.error_stage, run.merge_state) == ("error", "check", "none")
    assert (found.missing, found.extra, found.differing) == (2, 1, 5)
    assert (found.rows_source, found.rows_dest) == (3000, 2999)
    assert find(found) == {
        ("differing", "3", ("a",)), ("differing", "5", ("a",)), ("differing", "8", ("a",)), ("differing", "9", ("a",)),
        ("differing", "11", ("n",)), ("missing", "100", ()), ("missing", "2999", ()), ("extra", "9000", ()),
    }  # fmt: skip
    assert Difference(kind="differing", key={"id": "3"}, columns=("a",), values=(("a3", "a3 "),)) in found.examples
    assert bench.dest.rows("SELECT * FROM t ORDER BY id") == before


@pytest.mark.parametrize(
    ("strategy", "key", "table"),
    [
        ("full", (), PLANTED),
        ("upsert", ("id",), PLANTED[:-1]),
        ("incremental", ("id",), PLANTED[:-1]),
        ("append", (), PLANTED[:-1]),
    ],
)
def test_a_repair_writes_what_differs_and_looks_again(
    bench: Bench, strategy: Any, key: tuple[str, ...], table: tuple[str, ...]
) -> None:
    fill(bench)
    bench.dest.execute("CREATE TABLE log (id INTEGER)", *table)
    module = bench.module("SELECT * FROM t", merge_strategy=strategy, merge_key=key, guards=Guards(dest_truth=False))
    extra = len(PLANTED) - len(table)
    run, found = verify(bench, module, repair=True)
    assert (run.status, run.merge_state, found.equal) == ("success", "merged", True), run.error
    assert found.repaired == {"missing": 2, "extra": 1 - extra, "differing": 5}
    assert (run.rows_deleted, run.rows_updated, run.rows_inserted) == (1 - extra, 5, 2)
    rows = "SELECT * FROM t ORDER BY id"
    assert bench.dest.rows(rows) == bench.source.rows(rows)
    if strategy == "full":
        assert (run.dest_rows_before, run.dest_rows_after) == (2999, 3000)
    assert repo.list_past(bench.project.db, module.id) == []
    again, found = verify(bench, module)
    assert (again.status, found.equal) == ("success", True)


def test_a_repair_takes_no_rows_of_other_tables_along(bench: Bench) -> None:
    fill(bench, 10)
    child = "CREATE TABLE child (t_id INTEGER REFERENCES t (id) ON DELETE CASCADE)"
    bench.dest.execute("INSERT INTO t VALUES (11, 'x', 1)", child, "INSERT INTO child VALUES (11)")
    run = bench.project.run(bench.module("SELECT * FROM t"), verify=Verify(repair=True))
    assert (run.status, run.merge_state) == ("error", "none")
    assert "child" in (run.error or "")
    assert bench.dest.rows("SELECT count(*) FROM child") == [(1,)]


@pytest.mark.parametrize(
    ("columns", "asked", "told"),
    [
        ("a INTEGER", {}, "no unique key"),
        ("a INTEGER NOT NULL PRIMARY KEY", {"key_from": "1"}, "a part was asked for"),
        ("a INTEGER", {"key_from": "1"}, "needs a key"),
        ("a INTEGER NOT NULL PRIMARY KEY", {"key_from": "x", "repair": False}, "'x' is none"),
        ("a INTEGER", {"last_days": 1, "column": "a", "repair": False}, "which days"),
        ("a INTEGER", {"last_days": 1, "column": "z", "repair": False}, "'z' is none"),
        ("a TEXT NOT NULL PRIMARY KEY", {"sample": 1.0, "repair": False}, "whole number"),
    ],
)
def test_what_cannot_be_verified_or_mended_is_refused_before_a_row_moves(
    bench: Bench, columns: str, asked: dict[str, Any], told: str
) -> None:
    for database in (bench.source, bench.dest):
        database.execute(f"CREATE TABLE t ({columns})")
    bench.source.execute("INSERT INTO t VALUES (1)")
    run = bench.project.run(bench.module("SELECT * FROM t"), verify=Verify(**{"repair": True, **asked}))
    assert (run.status, run.error_stage, run.rows_read) == ("error", "plan", None)
    assert told in (run.error or "")
    assert run.hint


def test_rows_without_a_key_are_counted_as_often_as_they_are_there(bench: Bench) -> None:
    for database, rows in ((bench.source, "(1), (1), (2), (NULL)"), (bench.dest, "(1), (2), (2), (NULL)")):
        database.execute("CREATE TABLE t (a INTEGER)", f"INSERT INTO t VALUES {rows}")
    _, found = verify(bench, bench.module("SELECT * FROM t"))
    assert (found.missing, found.extra, found.differing) == (1, 1, 0)


@pytest.mark.parametrize(
    ("strategy", "key", "counts", "kept"),
    [
        ("full", None, (1, 3, 1), 0),
        ("upsert", "id", (1, 3, 1), 3),
        ("incremental", "id", (1, 3, 1), 3),
        ("append", None, (1, 3, 1), 3),
    ],
)
def test_rows_that_a_strategy_leaves_in_the_dest_are_told_and_are_no_difference(
    bench: Bench, strategy: Any, key: Any, counts: tuple[int, int, int], kept: int
) -> None:
    fill(bench, 20)
    bench.dest.execute("DELETE FROM t WHERE id = 20", "UPDATE t SET n = 99 WHERE id = 7")
    bench.source.execute("DELETE FROM t WHERE id < 4")
    module = bench.module(
        "SELECT * FROM t WHERE id > {since}",
        merge_strategy=strategy,
        merge_key=(key,) if key else (),
        watermarks=[bench.watermark("SELECT max(id) FROM t", default="0")],
    )
    given = {"since": "0"} if strategy == "full" else {}
    _, found = verify(bench, module, watermarks=given)
    assert ((found.missing, found.extra, found.differing), found.extra_kept) == (counts, kept)
    bench.dest.execute("INSERT INTO t SELECT 20, 'a20', 6", "UPDATE t SET n = 0 WHERE id = 7")
    run, found = verify(bench, module, watermarks=given)
    assert found.equal == (strategy != "full")
    assert (run.status == "success") == found.equal


@pytest.mark.parametrize("deletes", ["hard", "mark"])
def test_rows_that_deletes_would_take_are_a_difference_and_a_repair_takes_them(bench: Bench, deletes: Any) -> None:
    fill(bench, 20)
    bench.dest.execute("ALTER TABLE t ADD COLUMN gone TIMESTAMP")
    bench.source.execute("DELETE FROM t WHERE id IN (3, 4, 18)")
    options = {"merge_strategy": "upsert", "merge_key": ("id",), "deletes": deletes}
    options |= {"deletes_column": "gone"} if deletes == "mark" else {}
    module = bench.module("SELECT * FROM t", **options, deletes_where="id < 10 -- the new ones")
    run, found = verify(bench, module)
    assert (run.status, found.equal) == ("error", False)
    assert (found.missing, found.extra, found.extra_kept, found.differing) == (0, 3, 1, 0)
    assert find(found) == {("extra", "3", ()), ("extra", "4", ())}
    if deletes == "mark":
        bench.dest.execute("UPDATE t SET gone = '2026-01-01 00:00:00' WHERE id IN (4, 5)")
        _, found = verify(bench, module)
        assert (found.missing, found.extra, found.extra_kept) == (1, 2, 1)
    run, found = verify(bench, module, repair=True)
    assert (run.status, found.equal, found.extra_kept) == ("success", True, 1), run.error
    assert found.repaired == {"missing": deletes == "mark", "extra": 2 - (deletes == "mark"), "differing": 0}
    there = "SELECT id FROM t WHERE gone IS NULL ORDER BY id"
    assert [row[0] for row in bench.dest.rows(there)] == [n for n in range(1, 21) if n not in (3, 4)]
    assert len(bench.dest.rows("SELECT id FROM t")) == (20 if deletes == "mark" else 18)
    bench.source.execute("DELETE FROM t WHERE id < 9")
    repo.update_module(bench.project.db, module.id, guards=Guards(shrink=0.9))
    refused = bench.project.run(repo.get_module(bench.project.db, module.id), verify=Verify(repair=True))
    assert (refused.error_stage, refused.merge_state) == ("check", "none")
    assert "less than the set share" in (refused.error or "")


def test_a_bounded_verify_sees_only_its_rows(bench: Bench) -> None:
    fill(bench)
    bench.dest.execute("UPDATE t SET n = -1 WHERE id IN (10, 20, 2500)", "DELETE FROM t WHERE id = 21")
    module = bench.module("SELECT * FROM t")
    assert verify(bench, module, key_from="15", key_to="30")[1].differing == 1
    _, found = verify(bench, module, key_from="15", key_to="30")
    assert (found.rows_source, found.rows_dest, found.missing) == (16, 15, 1)
    _, sampled = verify(bench, module, sample=10.0)
    assert 250 <= sampled.rows_source <= 350
    assert sampled.equal == ("with 95 % confidence fewer than" in sampled.compared)


def test_the_last_days_of_a_column_are_compared(bench: Bench) -> None:
    for database in (bench.source, bench.dest):
        database.execute(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, at TIMESTAMP)",
            "INSERT INTO t VALUES (1, '2001-01-01 00:00:00'), (2, '2999-01-01 00:00:00')",
        )
    bench.dest.execute("DELETE FROM t")
    _, found = verify(bench, bench.module("SELECT * FROM t"), last_days=7, column="at")
    assert (found.missing, found.examples[0].key) == (1, {"id": "2"})


def test_what_a_record_keeps_of_a_verify_are_keys_and_no_values(bench: Bench) -> None:
    fill(bench, 5)
    bench.dest.execute("UPDATE t SET a = 'a secret value' WHERE id = 2")
    run, _ = verify(bench, bench.module("SELECT * FROM t"))
    assert run.verify is not None
    assert run.verify["examples"] == [{"kind": "differing", "key": {"id": "2"}, "columns": ["a"]}]
    assert "a secret value" not in repr(run)


# A type; a value of the source; one of the dest that is another although `=` or a hash may say otherwise.
ALIKE = [
    ("numeric", "1.0", "1.00"), ("numeric(6,2)", "1.01", "1.02"), ("text", "'a'", "'a '"), ("text", "''", "NULL"),
    ("varchar(9)", "'a'", "'A'"), ("bpchar", "'a'", "'a '"), ("double precision", "'0'", "'-0'"),
    ("real", "1", "1.0000001"), ("jsonb", "'[1]'", "'[1.0]'"), ("json", "'[1]'", "'[1 ]'"),
    ("interval", "'1 day'", "'24:00'"), ("timestamptz", "'2024-01-01 00:00+00'", "'2024-01-01 00:00:00.000001+00'"),
    ("timetz", "'10:00+00'", "'12:00+02'"), ("bytea", "'\\x00'", "'\\x0000'"), ("integer[]", "'{1,NULL}'", "'{1,2}'"),
    ("int4range", "'[1,5)'", "'[1,6)'"), ("bit varying", "B'1'", "B'10'"), ("money", "'1.00'", "'1.01'"),
    ("point", "'(0,0)'", "'(0,-0)'"), ("inet", "'10.0.0.1/32'", "'10.0.0.1/31'"), ("uuid", "gen_random_uuid()", "NULL"),
    ("char(5)", "'a'", "'b'"),
    ("boolean", "true", "NULL"), ("tsvector", "'a:1'", "'a:2'"), ('"char"', "'a'", "'b'"), ("oid", "1", "2"),
]  # fmt: skip


def test_between_two_postgresqls_values_of_every_type_are_told_apart_by_hashes(near: Bench) -> None:
    names = [f"c{place}" for place in range(len(ALIKE))]
    columns = ", ".join(f"{name} {type}" for name, (type, _, _) in zip(names, ALIKE, strict=True))
    near.source.execute(f"CREATE TABLE t (id integer PRIMARY KEY, {columns})")
    near.dest.execute(f"CREATE TABLE t (id bigint PRIMARY KEY, {columns})")
    ours = ", ".join(value for _, value, _ in ALIKE)
    near.source.execute(
        f"INSERT INTO t SELECT 1, {ours}",
        f"INSERT INTO t SELECT i, {', '.join(names)} FROM t, generate_series(2, {len(ALIKE)}) AS i",
    )
    module = near.module("SELECT * FROM t")
    assert near.project.run(module).status == "success"
    run, found = verify(near, module)
    assert (found.equal, found.means.startswith(HASHES), run.rows_staged) == (True, True, None)
    for place, (_, _, theirs) in enumerate(ALIKE):
        near.dest.execute(f"UPDATE t SET c{place} = {theirs} WHERE id = {place + 1}")
    _, found = verify(near, module)
    assert found.means.startswith(HASHES)
    assert {item.columns for item in found.examples} == {(name,) for name in names[:20]}
    assert (found.missing, found.extra, found.differing) == (0, 0, len(ALIKE))


def test_only_rows_of_differing_buckets_move_between_two_postgresqls(near: Bench) -> None:
    fill(near, 20_000)
    near.dest.execute("UPDATE t SET n = 3 - n WHERE id IN (7, 14_000)".replace("_", ""))
    run, found = verify(near, near.module("SELECT * FROM t"))
    assert found.differing == 2
    assert 2 <= (run.rows_staged or 0) < 50


def test_values_that_rows_have_exchanged_are_seen(near: Bench) -> None:
    fill(near, 4000)
    # So far away that all the others share a few ranges of keys: a sum that rows of one range could keep must not.
    for database in (near.source, near.dest):
        database.execute("INSERT INTO t VALUES (2000000000, 'far', 0)")
    near.dest.execute(
        "UPDATE t SET a = CASE id % 2 WHEN 0 THEN 'a' || (id + 1) ELSE 'a' || (id - 1) END WHERE id BETWEEN 2 AND 2001"
    )
    assert verify(near, near.module("SELECT * FROM t"))[1].differing == 2000


# As a trigger may: rows are as many as before, and the sum of n is another; what a and b have exchanged no sum sees.
CHANGED = "UPDATE t SET n = n + 1 WHERE id = 3"
EXCHANGED = "UPDATE t SET n = CASE id WHEN 3 THEN 4 ELSE 3 END WHERE id IN (3, 4)"


@pytest.mark.parametrize(
    ("how", "change", "is_seen"),
    [
        ("counts", CHANGED, False), ("sums", CHANGED, True), ("values", CHANGED, True),
        ("sums", EXCHANGED, False), ("values", EXCHANGED, True),
    ],
)  # fmt: skip
def test_a_full_load_ends_with_what_its_module_asks_for(bench: Bench, how: Any, change: str, is_seen: bool) -> None:
    fill(bench, 20)
    module = bench.module("SELECT * FROM t", verify=how, guards=Guards(dest_truth=False))
    run = bench.project.succeed(module)
    assert (run.rows_read, run.rows_staged, run.rows_inserted) == (20, 20, 20)
    assert [check.ok for check in run.checks if check.name == "verify"] == [True]
    assert run.verify is not None
    assert (run.verify["asked"], run.verify["equal"], run.verify["rows_dest"]) == (None, True, 20)
    _change_after_each_insert(bench, change)
    run = bench.project.run(module)
    assert (run.status, run.merge_state, run.rows_inserted) == ("error" if is_seen else "success", "merged", 20)
    if is_seen:
        assert run.error_stage == "check"
        assert "After the load" in (run.error or "")
        assert "The merge was committed." in (run.error or "")


@pytest.mark.parametrize(("strategy", "key"), [("upsert", ("id",)), ("incremental", ("id",)), ("append", ())])
def test_a_load_that_leaves_rows_in_the_dest_ends_with_its_own_compared(
    bench: Bench, strategy: Any, key: tuple[str, ...]
) -> None:
    fill(bench, 20)
    bench.dest.execute("DELETE FROM t WHERE id > 15", "UPDATE t SET n = 99 WHERE id = 1")
    module = bench.module(
        "SELECT * FROM t WHERE id > {since}",
        merge_strategy=strategy,
        merge_key=key,
        verify="values",
        guards=Guards(dest_truth=False),
        watermarks=[bench.watermark("SELECT max(id) FROM t", default="0")],
    )
    run = bench.project.succeed(module)
    assert run.verify is not None
    assert (run.verify["equal"], run.verify["rows_source"], run.rows_inserted) == (True, 5, 5)
    assert "the query's rows (since = 15)" in run.verify["compared"]
    bench.dest.execute("DELETE FROM t WHERE id > 15")
    _change_after_each_insert(bench, "UPDATE t SET n = 50 WHERE id = 18")
    run = bench.project.run(module)
    assert (run.status, run.error_stage, run.merge_state) == ("error", "check", "merged")
    assert "After the load" in (run.error or "")
    bench.dest.execute("DELETE FROM t WHERE id > 15")
    repo.update_module(bench.project.db, module.id, verify="counts")
    run = bench.project.succeed(repo.get_module(bench.project.db, module.id))
    assert [check.ok for check in run.checks if check.name == "verify"] == [None]
    assert run.verify is None


def _change_after_each_insert(bench: Bench, change: str) -> None:
    """When the last row has come."""
    if bench.dest.kind == "sqlite":
        bench.dest.execute(f"CREATE TRIGGER after_last AFTER INSERT ON t WHEN NEW.id = 20 BEGIN {change}; END")
        return
    body = f"BEGIN {change}; RETURN NULL; END"
    bench.dest.execute(
        f"CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$",
        "CREATE TRIGGER after_last AFTER INSERT ON t FOR EACH STATEMENT EXECUTE FUNCTION change()",
    )


def test_a_null_that_the_dest_does_not_take_is_told_of_the_source(near: Bench) -> None:
    near.source.execute("CREATE TABLE t (id text, a integer)", "INSERT INTO t VALUES ('1', 1), (NULL, 2)")
    near.dest.execute("CREATE TABLE t (id text PRIMARY KEY, a integer)", "INSERT INTO t VALUES ('1', 1)")
    run = near.project.run(near.module("SELECT * FROM t"), verify=Verify())
    assert (run.status, run.error_stage) == ("error", "check")
    assert "null value in column" in (run.error or "")
