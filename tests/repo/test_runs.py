# The record of runs: what it keeps, how it is listed, and that listing walks an index and leaves the long texts alone.
"""Runs."""

import itertools
import json
from typing import Any

import pytest

from pipekit import repo
from pipekit.cutting import STATEMENT, TOLD
from pipekit.errors import Invalid, NotFound
from pipekit.models import Check, Connection, Module, Run
from pipekit.repo.runs import build_list_sql


def make_run(db: repo.State, dw: Connection, name: str = "copy", status: Any = None, **fields: Any) -> Run:
    run = repo.start_adhoc_run(
        db, name=name, dest_id=dw.id, dest_table="t", owner="me", triggered_by="cli", dry_run=False
    )
    if status:
        repo.finish_run(db, run.id, owner="me", status=status, **fields)
    return repo.get_run(db, run.id)


def test_what_a_run_learns_comes_back_as_it_was(db: repo.State, dw: Connection) -> None:
    run = make_run(db, dw)
    learnt: dict[str, Any] = {
        "attempt": 2,
        "stages": {"stage": 1.25},
        "watermark_values": {"since": "0x00 é 🙂"},
        "resolved_sql": "select '🙂'",
        "staging_sql": "create",
        "merge_sql": "insert",
        "merge_state": "unknown",
        "rows_read": 2**40,
        "rows_staged": 1,
        "rows_deleted": 2,
        "rows_inserted": 3,
        "rows_updated": 4,
        "dest_rows_before": 5,
        "dest_rows_after": 6,
        "checks": (Check(name="count", ok=True, detail="1 = 1"),),
        "error_stage": "merge",
        "error": "no",
        "hint": "try",
        "stdout": "out",
        "stderr": "err",
    }
    assert repo.update_run(db, run.id, **learnt) is True
    kept = repo.get_run(db, run.id)
    assert {name: getattr(kept, name) for name in learnt} == learnt
    assert repo.finish_run(db, run.id, owner="me", status="error") is True
    ended = repo.get_run(db, run.id)
    assert {name: getattr(ended, name) for name in learnt} == learnt


def test_a_run_that_has_ended_learns_nothing_more(db: repo.State, dw: Connection) -> None:
    run = make_run(db, dw, status="success")
    assert repo.update_run(db, run.id, rows_read=7) is False
    assert repo.get_run(db, run.id) == run


@pytest.mark.parametrize("field", ["status", "owner", "fence", "run_key", "finished_at", "colour"])
def test_what_only_a_lease_may_change_is_not_updated(db: repo.State, dw: Connection, field: str) -> None:
    run = make_run(db, dw)
    with pytest.raises(TypeError, match=field):
        repo.update_run(db, run.id, **{field: "x"})


def test_text_that_is_not_unicode_does_not_keep_a_run_from_ending(db: repo.State, dw: Connection) -> None:
    run = make_run(db, dw, status="error", error="bad \udcff byte", stderr="\ud800")
    assert (run.error, run.stderr) == ("bad \ufffd byte", "\ufffd")


def test_an_unknown_merge_is_settled_once_even_after_the_run_has_ended(db: repo.State, orders: Module) -> None:
    run = repo.claim_module(
        db, orders.id, owner="me", lease_s=20, triggered_by="cli", dry_run=False, staging_table=None
    )
    repo.finish_run(db, run.id, owner="me", status="error", merge_state="unknown")
    assert [r.id for r in repo.list_leftover_runs(db, orders.id)] == [run.id]
    assert repo.list_leftover_runs(db, orders.id + 1) == []
    assert repo.settle_merge_state(db, run.id, "merged") is True
    assert repo.settle_merge_state(db, run.id, "none") is False
    assert repo.get_run(db, run.id).merge_state == "merged"
    assert repo.list_leftover_runs(db, orders.id) == []
    with pytest.raises(ValueError, match="unknown"):
        repo.settle_merge_state(db, run.id, "unknown")


def test_a_run_without_a_module_can_be_left_unsettled_too(db: repo.State, dw: Connection) -> None:
    run = make_run(db, dw, status="error", merge_state="unknown")
    assert [r.id for r in repo.list_leftover_runs(db)] == [run.id]


def test_a_run_whose_staging_may_be_left_is_listed_until_it_is_gone(db: repo.State, orders: Module) -> None:
    run = repo.claim_module(
        db, orders.id, owner="me", lease_s=20, triggered_by="cli", dry_run=False, staging_table=None
    )
    repo.keep_dest(db, run.id, repo.get_connection(db, orders.dest_id))
    repo.update_run(db, run.id, attempt=2, staging_left=True)
    assert repo.list_leftover_runs(db) == []
    repo.finish_run(db, run.id, owner="me", status="error")
    assert [r.id for r in repo.list_leftover_runs(db, orders.id)] == [run.id]
    repo.note_staging_left(db, run.id, False)
    assert repo.list_leftover_runs(db) == []


def test_a_run_keeps_the_address_it_used_when_its_connection_is_edited(db: repo.State, orders: Module) -> None:
    run = repo.claim_module(
        db, orders.id, owner="me", lease_s=20, triggered_by="cli", dry_run=False, staging_table=None
    )
    before = repo.get_connection(db, orders.dest_id)
    assert repo.find_kept_dest(db, run) == before
    repo.keep_dest(db, run.id, before)
    repo.update_connection(db, before.id, jdbc_url="jdbc:postgresql://elsewhere/dw", password="$OTHER")
    kept = repo.find_kept_dest(db, run)
    assert kept is not None
    assert (kept.jdbc_url, kept.username, kept.password) == (before.jdbc_url, before.username, before.password)


def test_runs_are_listed_the_newest_first_page_by_page(db: repo.State, dw: Connection) -> None:
    made = [make_run(db, dw, status="success").id for _ in range(5)]
    first = [run.id for run in repo.list_runs(db, limit=2)]
    rest = [run.id for run in repo.list_runs(db, before_id=first[-1])]
    assert first + rest == made[::-1]
    with pytest.raises(Invalid):
        repo.list_runs(db, limit=0)


def test_runs_are_found_by_the_name_they_had_and_by_module(db: repo.State, dw: Connection, orders: Module) -> None:
    run = repo.claim_module(
        db, orders.id, owner="me", lease_s=20, triggered_by="cli", dry_run=False, staging_table=None
    )
    make_run(db, dw, "copy", status="error")
    repo.update_module(db, orders.id, name="sales")
    assert [r.id for r in repo.list_runs(db, module="ORDERS")] == [run.id]
    assert [r.id for r in repo.list_runs(db, module=orders.id, status="running")] == [run.id]
    assert repo.list_runs(db, module="sales") == []
    assert [r.module for r in repo.list_runs(db, status="error")] == ["copy"]


def test_a_list_leaves_the_runners_output_out(db: repo.State, dw: Connection) -> None:
    run = make_run(db, dw, status="success", stdout="x" * 1000, stderr="y" * 1000)
    assert (run.stdout, run.stderr) == ("x" * 1000, "y" * 1000)
    [listed] = repo.list_runs(db)
    assert (listed.stdout, listed.stderr) == (None, None)
    assert listed.to_json() == {**run.to_json(), "stdout": None, "stderr": None}


def test_a_missing_run_is_said_to_be_missing(db: repo.State) -> None:
    for run_id in (7, 2**62):
        with pytest.raises(NotFound, match=f"no run {run_id}"):
            repo.get_run(db, run_id)


def plan(db: repo.State, sql: str, values: Any) -> str:
    return " | ".join(row["detail"] for row in db.rows("EXPLAIN QUERY PLAN " + sql, values))


@pytest.mark.parametrize(
    ("module", "status", "before_id"), list(itertools.product([None, "orders", 1], [None, "error"], [None, 10]))
)
def test_every_list_of_runs_walks_an_index_and_sorts_nothing(
    db: repo.State, module: str | int | None, status: str | None, before_id: int | None
) -> None:
    sql, values = build_list_sql(module=module, status=status, before_id=before_id)
    steps = plan(db, sql, {**values, "limit": 50})
    assert "TEMP B-TREE" not in steps
    assert "run_log_chunk" not in steps
    index = {str: "run_log_by_name", int: "run_log_by_module"}.get(type(module), "run_log_by_status" if status else "")
    if index:
        assert f"SEARCH run_log USING INDEX {index}" in steps
    else:
        # Without a filter the table itself is walked backwards, which is in the order of ids, up to the limit.
        steps = steps.split(" | CORRELATED")[0]  # live figures, by their key
        assert steps == ("SEARCH run_log USING INTEGER PRIMARY KEY (rowid<?)" if before_id else "SCAN run_log")


@pytest.mark.parametrize(
    ("where", "index"),
    [
        ("status IN ('queued', 'running')", "run_log_by_status"),
        ("merge_state = 'unknown' AND module_id IS 1", "run_log_unsettled"),
        ("dest_id = 1", "run_log_by_dest"),
    ],
)
def test_the_few_runs_looked_for_among_many_are_found_by_index(db: repo.State, where: str, index: str) -> None:
    assert f"USING INDEX {index}" in plan(db, f"SELECT * FROM run_log WHERE {where}", {})


def test_the_runners_output_stands_last_in_its_row_so_that_no_other_column_lies_behind_it(db: repo.State) -> None:
    columns = [row["name"] for row in db.rows("PRAGMA table_info(run_log)")]
    assert columns[-2:] == ["stdout", "stderr"]
    sql, _ = build_list_sql(module=None, status=None, before_id=None)
    assert "NULL AS stdout, NULL AS stderr" in sql


def test_where_a_run_failed_is_kept_beside_it_and_goes_with_it(db: repo.State, orders: Module) -> None:
    run = repo.claim_module(db, orders.id, owner="o", lease_s=60, triggered_by="cli", dry_run=False, staging_table="s")
    assert repo.get_run(db, run.id).error_position is None
    assert repo.update_run(db, run.id, error="no", error_position=3)
    assert repo.finish_run(db, run.id, owner="o", status="error", error="no", error_position=7)
    assert repo.get_run(db, run.id).error_position == 7
    assert not repo.finish_run(db, run.id, owner="o", status="error", error_position=9)
    db.change("DELETE FROM run_log WHERE id = ?", (run.id,))
    assert db.rows("SELECT * FROM run_fault") == []


def test_what_went_wrong_is_cut_where_it_is_kept_and_sql_only_where_no_page_could_show_it(
    db: repo.State, dw: Connection
) -> None:
    long = "begin " + "v" * 2_000_000 + " end"
    checks = (Check(name="exact", ok=False, detail=long),)
    sql = {"resolved_sql": long[:STATEMENT], "merge_sql": long}
    run = make_run(db, dw, status="error", error=long, hint=long, stderr=long, checks=checks, **sql)
    told = [run.error or "", run.hint or "", run.stderr or "", run.checks[0].detail]
    assert max(map(len, told)) <= TOLD
    assert {(text[:9], text[-7:]) for text in told} == {("begin vvv", "vvv end")}
    assert run.resolved_sql == long[:STATEMENT]
    assert len(run.merge_sql or "") <= STATEMENT
    row = db.row("SELECT length(error) + length(hint) + length(checks_json) AS n FROM run_log WHERE id = ?", (run.id,))
    assert row is not None
    assert row["n"] < 4 * TOLD


def test_a_record_that_an_earlier_version_wrote_whole_is_cut_when_it_is_read(db: repo.State, dw: Connection) -> None:
    run = make_run(db, dw)
    long = "v" * 2_000_000
    detail = json.dumps([{"name": "exact", "ok": False, "detail": long}])
    sql = "UPDATE run_log SET error = ?, hint = ?, checks_json = ?, resolved_sql = ? WHERE id = ?"
    db.change(sql, (long, long, detail, long, run.id))
    assert len(repo.get_run(db, run.id).resolved_sql or "") <= STATEMENT
    for read in (repo.get_run(db, run.id), repo.list_runs(db)[0]):
        assert max(len(read.error or ""), len(read.hint or ""), len(read.checks[0].detail)) <= TOLD
