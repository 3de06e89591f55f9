# Claims, runs, failures, cancels, crashes, recoveries and edits in any order, against a small model. State only.
"""Whatever the order of events: one live run for a module, no lock without an owner, no run left running."""

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from pipekit import repo
from pipekit.errors import Conflict, ModuleBusy
from tests.profiles import examples

MODULES = 3
MAX_RUNS = 2
LEASE_S = 3600.0  # nothing runs out by itself: crashes are said by the model

modules = st.integers(0, MODULES - 1)


class LeaseMachine(RuleBasedStateMachine):
    """`alive` are owners that live, by the run they own; a crash makes one dead without a word to the database."""

    running: Bundle[int] = Bundle("running")

    @initialize()
    def open(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.db = repo.open_state(Path(self.folder.name) / "pipekit.db", create=True)
        self.db.execute("PRAGMA synchronous = OFF")
        here = repo.create_connection(self.db, name="here", driver="sqlite", jdbc_url="jdbc:sqlite:x.db")
        self.here = here.id
        self.modules = [self._make(f"m{number}") for number in range(MODULES)]
        self.group = repo.create_group(self.db, name="g").id
        self.alive: dict[int, str] = {}
        self.dead: dict[int, str] = {}
        self.queued: set[int] = set()
        self.ended: dict[int, str] = {}
        self.owners = 0
        self.db.insert("server", {"id": 1, "owner": "s", "lease_expires_at": "9999", "started_at": repo.now()})

    def _make(self, name: str) -> int:
        return repo.create_module(
            self.db, name=name, source_id=self.here, dest_id=self.here, source_query="select 1", dest_table=name
        ).id

    def _new_owner(self) -> str:
        self.owners += 1
        return f"owner-{self.owners}"

    @rule(number=modules)
    def ask(self, number: int) -> None:
        module = self.modules[number]
        busy = bool(self._live_runs_of(module))
        try:
            run = repo.enqueue_run(self.db, module, triggered_by="api")
        except ModuleBusy:
            assert busy
            return
        assert not busy
        self.queued.add(run.id)

    @rule(target=running)
    def claim(self) -> Any:
        owner = self._new_owner()
        run = repo.claim_next_run(self.db, owner=owner, lease_s=LEASE_S, max_runs=MAX_RUNS)
        if run is None:
            assert not self.queued or len(self.alive) + len(self.dead) >= MAX_RUNS or self._all_waiting_are_blocked()
            return multiple()
        assert run.id in self.queued
        assert len(self.alive) + len(self.dead) < MAX_RUNS
        self.queued.remove(run.id)
        self.alive[run.id] = owner
        return run.id

    @rule(number=modules, target=running)
    def claim_at_once(self, number: int) -> Any:
        owner = self._new_owner()
        module = self.modules[number]
        options: dict[str, Any] = {"triggered_by": "cli", "dry_run": False, "staging_table": None}
        busy = repo.get_module(self.db, module).running
        try:
            run = repo.claim_module(self.db, module, owner=owner, lease_s=LEASE_S, **options)
        except ModuleBusy:
            assert busy
            return multiple()
        self.alive[run.id] = owner
        return run.id

    @rule(run_id=running)
    def heartbeat(self, run_id: int) -> None:
        owner = self.alive.get(run_id) or self.dead.get(run_id, "nobody")
        state = repo.renew_lease(self.db, run_id, owner, LEASE_S)
        assert (state == "lost") == (run_id in self.ended)

    @rule(run_id=consumes(running), status=st.sampled_from(["success", "error", "cancelled", "dry_run"]))
    def finish(self, run_id: int, status: Any) -> None:
        owner = self.alive.pop(run_id, None)
        if owner is None:
            # A process that was taken for dead, or is, cannot write over what is known by now.
            stranger = repo.finish_run(self.db, run_id, owner="stranger", status="success")
            assert not stranger
            return
        assert repo.finish_run(self.db, run_id, owner=owner, status=status)
        assert not repo.finish_run(self.db, run_id, owner=owner, status="error", error="twice")
        self.ended[run_id] = status

    @rule(run_id=running)
    def crash(self, run_id: int) -> None:
        if run_id in self.alive:
            self.dead[run_id] = self.alive.pop(run_id)

    @rule(run_id=running)
    def recover(self, run_id: int) -> None:
        dead = self.dead.pop(run_id, None)
        medic = self._new_owner()
        if dead is None:
            assert not repo.take_over_run(self.db, run_id, owner=medic, dead_owner="stranger", lease_s=LEASE_S)
            return
        fence = repo.get_run(self.db, run_id).fence
        assert repo.take_over_run(self.db, run_id, owner=medic, dead_owner=dead, lease_s=LEASE_S)
        module = repo.get_run(self.db, run_id).module_id
        assert module is None or repo.get_module(self.db, module).fence > fence
        assert repo.renew_lease(self.db, run_id, dead, LEASE_S) == "lost"
        assert not repo.finish_run(self.db, run_id, owner=dead, status="success")
        assert repo.finish_run(self.db, run_id, owner=medic, status="error", error="its process ended")
        self.ended[run_id] = "error"

    @rule(number=modules)
    def cancel(self, number: int) -> None:
        for run in repo.list_live_runs(self.db):
            if run.module_id != self.modules[number]:
                continue
            if run.status == "queued":
                assert repo.cancel_queued_run(self.db, run.id)
                self.queued.remove(run.id)
                self.ended[run.id] = "cancelled"
            else:
                assert repo.request_cancel(self.db, run.id)

    @rule(number=modules)
    def edit(self, number: int) -> None:
        repo.update_module(self.db, self.modules[number], source_query="select 2")

    @rule(number=modules)
    def delete_and_make_anew(self, number: int) -> None:
        module = self.modules[number]
        live = self._live_runs_of(module)
        try:
            repo.delete_module(self.db, module)
        except Conflict:
            assert live
            return
        # Runs that were waiting for the module are closed by the next claim.
        for run_id in [run.id for run in live]:
            self.queued.discard(run_id)
            self.ended[run_id] = "error"
        self.modules[number] = self._make(f"m{number}")

    def _live_runs_of(self, module: int) -> list[Any]:
        return [run for run in repo.list_live_runs(self.db) if run.module_id == module]

    def _all_waiting_are_blocked(self) -> bool:
        waiting = [repo.get_run(self.db, run_id).module_id for run_id in self.queued]
        return all(module is not None and repo.get_module(self.db, module).running for module in waiting)

    @invariant()
    def a_module_is_held_exactly_by_its_one_running_run(self) -> None:
        if not hasattr(self, "db"):
            return
        for module in self.modules:
            row = repo.get_module(self.db, module)
            runs = [run for run in self._live_runs_of(module) if run.status == "running"]
            assert len(runs) == int(row.running)
            assert (row.lease_owner is None) == (not row.running)
            assert not runs or runs[0].owner == row.lease_owner

    @invariant()
    def running_runs_are_those_of_the_model(self) -> None:
        if hasattr(self, "db"):
            running = {run.id for run in repo.list_live_runs(self.db) if run.status == "running"}
            assert running == set(self.alive) | set(self.dead)

    @invariant()
    def a_record_that_has_ended_stays_as_it_is(self) -> None:
        if hasattr(self, "db"):
            for run_id, status in list(self.ended.items())[-5:]:
                found = repo.get_run(self.db, run_id)
                assert found.status in (status, "queued")  # queued: its module was deleted, no claim has looked since

    def teardown(self) -> None:
        if hasattr(self, "db"):
            self.db.close()
            self.folder.cleanup()


TestLeases = LeaseMachine.TestCase
TestLeases.settings = settings(max_examples=examples(60), stateful_step_count=40)
