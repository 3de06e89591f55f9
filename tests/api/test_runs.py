# Runs through the API: asking, watching, cancelling, pausing, and one from the request to its receipt.
"""Rules for runs and group runs over HTTP."""

from pathlib import Path
from typing import Any

import pytest

from pipekit import repo
from pipekit.engine.definition import read_definition
from pipekit.engine.previews import sign_definition
from pipekit.engine.receipt import build_receipt
from pipekit.errors import ConfigError
from pipekit.models import Preview, Samples
from pipekit.repo import trial
from pipekit.runner.process import wait_until
from tests.api.caller import Caller, Home
from tests.patience import PATIENCE_S


def start(home: Home, name: str = "orders") -> int:
    """A run that has begun, owned by this test."""
    run_id = repo.enqueue_run(home.db, repo.get_module_by_name(home.db, name).id, triggered_by="test").id
    claimed = repo.claim_next_run(home.db, owner="test", lease_s=600, max_runs=4)
    assert claimed is not None
    assert claimed.id == run_id
    return run_id


def end(home: Home, run_id: int, **fields: Any) -> None:
    assert repo.finish_run(home.db, run_id, owner="test", status=fields.pop("status", "success"), **fields)


def test_a_run_is_queued_at_once_with_who_asked(home: Home, otto: Caller) -> None:
    home.make_module()
    answer = otto.post("/modules/orders/run", {"dry_run": True}, expect=202)
    run = otto.get(f"/runs/{answer['run_id']}")
    assert (run["status"], run["triggered_by"], run["dry_run"]) == ("queued", "api:otto", True)
    entry = repo.list_audit(home.db)[0]
    assert (entry.user, entry.action, entry.name, entry.detail["run_id"]) == ("otto", "run", "orders", run["run_id"])


def test_a_module_that_waits_or_runs_is_busy(home: Home, otto: Caller) -> None:
    home.make_module()
    start(home)
    error = otto.fail("POST", "/modules/orders/run", 409)
    assert error["code"] == "ModuleBusy"
    assert error["hint"]
    assert repo.list_audit(home.db) == []


def test_a_disabled_module_may_be_run_by_hand(home: Home, otto: Caller) -> None:
    home.make_module(enabled=False)
    assert otto.post("/modules/1/run", expect=202)["run_id"]


def test_an_override_of_no_watermark_is_refused_before_there_is_a_run(home: Home, otto: Caller) -> None:
    home.make_module()
    error = otto.fail("POST", "/modules/orders/run", 422, {"watermarks": {"since": "5"}})
    assert "since" in error["message"]
    assert otto.get("/runs") == []


def test_a_value_that_is_sql_is_refused_to_an_operator(home: Home, otto: Caller) -> None:
    source, _ = home.connect()
    mark = {"name": "since", "connection_id": source.id, "resolver_sql": "select 1"}
    home.make_module(query="select * from o where id > {since}", watermarks=[mark])
    error = otto.fail("POST", "/modules/orders/run", 422, {"watermarks": {"since": "0 or true"}})
    assert (error["field"], "number" in error["message"]) == ("watermarks.since", True)
    assert otto.get("/runs") == []


def test_overrides_reach_the_run(home: Home, otto: Caller) -> None:
    source, _ = home.connect()
    mark = {"name": "since", "connection_id": source.id, "resolver_sql": "select 1"}
    home.make_module(watermarks=[mark])
    run_id = otto.post("/modules/orders/run", {"watermarks": {"since": "5"}})["run_id"]
    assert repo.get_overrides(home.db, run_id) == {"since": "5"}


def test_runs_are_listed_by_pages_and_filters(home: Home, vera: Caller) -> None:
    for name in ("orders", "items"):
        home.make_module(name)
        for status in ("success", "error"):
            end(home, start(home, name), status=status)
    assert [run["run_id"] for run in vera.get("/runs?limit=3")] == [4, 3, 2]
    assert [run["run_id"] for run in vera.get("/runs?limit=3&before_id=2")] == [1]
    assert [run["run_id"] for run in vera.get("/runs?module=orders&status=error")] == [2]
    assert [run["run_id"] for run in vera.get("/runs?module=1")] == [2, 1]
    assert vera.get("/runs?module=nobody") == []
    for query in ("limit=201", "limit=0", "status=fine", "before_id=0", f"before_id={2**63}"):
        vera.fail("GET", f"/runs?{query}", 422)


def test_a_run_shows_its_record_but_no_key_and_no_owner(home: Home, vera: Caller) -> None:
    home.make_module()
    run_id = start(home)
    repo.update_run(home.db, run_id, resolved_sql="select 1", rows_read=3_000_000_000)
    end(home, run_id)
    run = vera.get(f"/runs/{run_id}")
    assert (run["resolved_sql"], run["rows_read"]) == ("select 1", 3_000_000_000)
    assert not {"owner", "run_key", "fence"} & set(run)
    assert set(run) == set(repo.get_run(home.db, run_id).to_json())


def test_a_log_is_read_by_offset_until_it_has_ended(home: Home, vera: Caller) -> None:
    home.make_module()
    run_id = start(home)
    repo.append_live_log(home.db, run_id, "first\nsecond \N{SNOWMAN}\n")
    piece = vera.get(f"/runs/{run_id}/log?limit=6")
    assert piece == {"text": "first\n", "times": [], "next_offset": 6, "ended": False}
    rest = vera.get(f"/runs/{run_id}/log?offset=6")
    assert (rest["text"], rest["ended"]) == ("second \N{SNOWMAN}\n", False)
    at = "2026-11-30T17:00:01Z"
    repo.append_live_log(home.db, run_id, [repo.TimedText(at, "third\n")])
    end(home, run_id)
    assert vera.get(f"/runs/{run_id}/log?offset={rest['next_offset']}&limit=2")["ended"] is False
    last = vera.get(f"/runs/{run_id}/log?offset={rest['next_offset']}")
    assert (last["text"], last["times"], last["ended"]) == ("third\n", [{"place": 0, "at": at}], True)
    assert vera.get(f"/runs/{run_id}/log?offset={2**62}") == {
        "text": "",
        "times": [],
        "next_offset": 2**62,
        "ended": True,
    }
    vera.fail("GET", "/runs/99/log", 404)


def test_a_run_that_waits_ends_at_once_when_it_is_cancelled(home: Home, otto: Caller) -> None:
    home.make_module()
    run_id = otto.post("/modules/orders/run")["run_id"]
    assert otto.post(f"/runs/{run_id}/cancel", expect=202) == {"cancelled": True}
    assert otto.get(f"/runs/{run_id}")["status"] == "cancelled"
    assert otto.post(f"/runs/{run_id}/cancel") == {"cancelled": False}
    assert [entry.action for entry in repo.list_audit(home.db)] == ["cancel", "run"]


def test_a_run_that_runs_is_asked_to_stop(home: Home, otto: Caller) -> None:
    home.make_module()
    run_id = start(home)
    assert otto.post(f"/runs/{run_id}/cancel") == {"cancelled": True}
    assert otto.get(f"/runs/{run_id}")["cancel_requested"] is True


def test_a_group_runs_its_enabled_members_and_can_be_cancelled(home: Home, otto: Caller) -> None:
    group = repo.create_group(home.db, name="nightly")
    for name, enabled in (("a", True), ("b", False), ("c", True)):
        repo.create_member(home.db, group_id=group.id, module_id=home.make_module(name, enabled=enabled).id)
    group_run_id = otto.post("/groups/nightly/run", {"dry_run": True}, expect=202)["group_run_id"]
    assert otto.fail("POST", "/groups/1/run", 409)["code"] == "GroupBusy"
    shown = otto.get(f"/group-runs/{group_run_id}")
    assert [(run["module"], run["dry_run"]) for run in shown["runs"]] == [("a", True), ("c", True)]
    assert [run["module"] for run in otto.get(f"/runs?group_run={group_run_id}")] == ["c", "a"]
    assert otto.get("/group-runs?group=nightly&status=running")[0]["group_run_id"] == group_run_id
    assert home.call("ana").fail("DELETE", "/groups/nightly", 409)["code"] == "GroupBusy"
    assert otto.post(f"/group-runs/{group_run_id}/cancel", expect=202) == {"cancelled": True}
    assert otto.get(f"/group-runs/{group_run_id}")["status"] == "cancelled"
    assert otto.get(f"/group-runs?before_id={group_run_id}") == []


def test_a_paused_group_is_not_run_until_it_goes_on(home: Home, otto: Caller) -> None:
    repo.create_group(home.db, name="nightly")
    assert otto.post("/groups/nightly/pause")["paused"] is True
    assert "paused" in otto.fail("POST", "/groups/nightly/run", 409)["message"]
    assert otto.post("/groups/nightly/resume")["paused"] is False
    otto.post("/groups/nightly/run", expect=202)
    assert [entry.action for entry in repo.list_audit(home.db)] == ["run", "resume", "pause"]


def test_the_whole_program_is_paused_and_goes_on(home: Home, otto: Caller) -> None:
    assert otto.get("/pause") == {"paused": False}
    assert otto.post("/pause") == {"paused": True} == otto.get("/pause")
    assert repo.is_paused(home.db)
    assert otto.post("/resume") == {"paused": False} == otto.get("/pause")
    assert [entry.action for entry in repo.list_audit(home.db)] == ["resume", "pause"]


def test_health_fails_when_the_state_cannot_be_written(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "HOLDS_S", 0.0)
    nobody = home.call(None)
    healthy = nobody.get("/health")
    assert (healthy["status"], healthy["state_writable"]) == ("ok", True)
    real = repo.open_state

    def open_read_only(path: Path, **options: Any) -> repo.State:
        db = real(path, **options)
        db.execute("PRAGMA query_only = ON")
        return db

    monkeypatch.setattr(trial, "open_state", open_read_only)
    failing = nobody.get("/health", expect=503)
    assert (failing["status"], failing["state_writable"]) == ("failing", False)
    with pytest.raises(ConfigError):
        repo.set_paused(open_read_only(home.config.state_path), True)
    assert home.call(None).get("/health", expect=503)["state_writable"] is False


def test_health_is_tried_once_in_a_while_however_many_ask(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Path] = []
    real = repo.open_state

    def open_counted(path: Path) -> repo.State:
        opened.append(path)
        return real(path)

    monkeypatch.setattr(trial, "open_state", open_counted)
    monkeypatch.setattr(trial, "HOLDS_S", 1e9)
    nobody = home.call(None)
    assert [nobody.get("/health")["status"] for _ in range(20)] == ["ok"] * 20
    assert len(opened) == 1


def test_health_fails_when_there_is_no_state(home: Home) -> None:
    home.config.state_path.rename(home.folder / "away.db")
    assert home.call(None).get("/health", expect=503)["status"] == "failing"


def test_a_module_runs_from_the_request_to_its_receipt(tmp_path: Path) -> None:
    home = Home(tmp_path / "home", with_service=True)
    try:
        ana = home.call("ana")
        with ana.client:
            assert ana.get("/health")["scheduler_alive"] is True
            home.make_module()
            run_id = ana.post("/modules/orders/run", expect=202)["run_id"]
            assert wait_until(lambda: ana.get(f"/runs/{run_id}/log")["ended"], PATIENCE_S)
            run = ana.get(f"/runs/{run_id}")
        assert (run["status"], run["rows_read"], run["rows_inserted"]) == ("success", 100, 100), run["error"]
        assert all(check["ok"] for check in run["checks"])
        assert any("100" in line for line in build_receipt(home.get_run(run_id)))
    finally:
        home.close()


def test_a_preview_is_asked_for_read_by_role_merged_and_dropped(home: Home, ana: Caller, otto: Caller) -> None:
    module = home.make_module()
    asked = otto.post("/modules/orders/run", {"preview": True}, expect=202)["run_id"]
    assert otto.get(f"/runs/{asked}")["preview"] is True
    assert repo.claim_next_run(home.db, owner="test", lease_s=600, max_runs=4) is not None
    otto.fail("GET", f"/runs/{asked}/preview", 404)
    signed = sign_definition(read_definition(home.db, module))
    samples = Samples(insert=({"id": "1"},))
    found = Preview(would_insert=1, would_update=0, would_delete=2, unchanged=None, samples=samples, definition=signed)
    repo.keep_preview(home.db, asked, found, 3600.0)
    end(home, asked, status="dry_run")
    shown = ana.get(f"/runs/{asked}/preview")
    assert (shown["would_delete"], shown["unchanged"], shown["samples"]["insert"]) == (2, None, [{"id": "1"}])
    assert otto.get(f"/runs/{asked}/preview") == {**shown, "samples": None}
    otto.fail("POST", "/modules/orders/run", 422, {"preview": True, "merge_preview": asked})
    merging = otto.post("/modules/orders/run", {"merge_preview": asked}, expect=202)["run_id"]
    assert otto.get(f"/runs/{merging}")["merges_preview"] == asked
    repo.cancel_queued_run(home.db, merging)
    otto.client.delete(f"/api/runs/{asked}/preview")
    assert otto.get(f"/runs/{asked}/preview")["kept_until"] is None
    otto.fail("POST", "/modules/orders/run", 409, {"merge_preview": asked})


def test_an_undo_is_a_run_that_is_asked_for_and_refused_where_nothing_is_kept(home: Home, otto: Caller) -> None:
    home.make_module()
    run_id = start(home)
    assert "has not ended" in otto.fail("POST", f"/runs/{run_id}/undo", 409)["message"]
    end(home, run_id, merge_state="merged")
    assert "nothing is kept" in otto.fail("POST", f"/runs/{run_id}/undo", 409)["message"]
    kept = start(home)
    end(home, kept, merge_state="merged", undo_rows=3)
    asked = otto.post(f"/runs/{kept}/undo", expect=202)["run_id"]
    run = otto.get(f"/runs/{asked}")
    assert (run["undoes"], run["triggered_by"], run["status"]) == (kept, "undo", "queued")
    assert otto.get(f"/runs/{kept}")["undo_rows"] == 3


def test_a_verify_is_asked_for_and_kept_apart_from_loads(home: Home, otto: Caller) -> None:
    home.make_module()
    asked = otto.post("/modules/orders/run", {"verify": True}, expect=202)["run_id"]
    assert otto.get(f"/runs/{asked}")["verify"] == {"asked": {}}
    otto.fail("POST", "/modules/orders/run", 422, {"verify": True, "dry_run": True})


def test_an_admin_asks_for_a_change_of_a_dest_column_by_its_id(home: Home, ana: Caller, otto: Caller) -> None:
    columns = [{"id": "c1", "source_name": "id", "dest_name": "number"}]
    home.make_module()
    ana.patch("/modules/orders", {"columns": columns})
    assert otto.fail("POST", "/modules/orders/columns/c1", 403, {"what": "drop"})
    assert ana.fail("POST", "/modules/orders/columns/c1", 422, {"what": "rename"})["field"] == "to"
    body = {"what": "rename", "to": "no", "preview": True}
    run = ana.get(f"/runs/{ana.post('/modules/orders/columns/c1', body, expect=202)['run_id']}")
    assert (run["dry_run"], run["status"], run["triggered_by"]) == (True, "queued", "api:ana")
    assert run["alteration"] == {"what": "rename", "column": "number", "to": "no", "id": "c1", "was": ""}
    assert repo.list_audit(home.db)[0].detail["column"] == "rename number to no"
