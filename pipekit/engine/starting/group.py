# Running a group in this process, for the shell: its runs in their order, side by side where the group allows.
"""`run_group`: one execution of a group, from its group run to the fold."""

import threading
from contextlib import closing
from dataclasses import replace

from pipekit import repo
from pipekit.engine.events import Event, Listener, RunStarted
from pipekit.engine.installation import Installation
from pipekit.engine.recovering.owner import new_owner
from pipekit.engine.recovering.recover import recover_runs
from pipekit.engine.starting.module import run_claimed
from pipekit.engine.starting.waiting import WAIT_S, Vigil, give_up
from pipekit.engine.starting.workers import Workers
from pipekit.errors import Conflict, GroupBusy, PipekitError
from pipekit.models import Group, GroupRun, Run
from pipekit.models.runs import INTERRUPTED
from pipekit.runner.spares import Spares


def run_group(
    installation: Installation, group: Group, *, dry_run: bool = False, listener: Listener | None = None
) -> GroupRun:
    """Runs a group's enabled members by the rules of the queue, past failing ones, and returns the group run.

    Ctrl-C cancels it: what runs is asked to stop, the rest does not start. Events come from the threads that run the
    members, one at a time. Raises GroupBusy when another run of the group is alive, Conflict when the group is paused.
    """
    if group.paused:
        raise Conflict(f"The group {group.name!r} is paused.", hint=f"Let it go on: `pipekit resume {group.name}`.")
    with closing(Spares(installation.config.warm_runners)) as spares:
        return _run(replace(installation, spares=spares), group, dry_run, listener)


def _run(installation: Installation, group: Group, dry_run: bool, listener: Listener | None) -> GroupRun:
    crew = _Crew(installation, listener)
    group_run = _create(installation, group, crew.owner, dry_run)
    try:
        _work(installation, group_run, crew)
        crew.workers.wait()
    except KeyboardInterrupt:
        # A second Ctrl-C does not wait; recovery closes what it leaves behind.
        repo.cancel_group_run(installation.db, group_run.id, INTERRUPTED)
        crew.workers.wait()
        _close_unstarted(installation.db, group_run, crew)
    except PipekitError:
        crew.workers.wait()
        raise
    crew.raise_any()
    return repo.get_group_run(installation.db, group_run.id)


def _create(installation: Installation, group: Group, owner: str, dry_run: bool) -> GroupRun:
    """The group run with its queued runs; what a dead process has left of an earlier one is closed first."""

    def create() -> GroupRun:
        lease_s = installation.config.lease_s
        return repo.create_group_run(
            installation.db, group.id, triggered_by="manual", dry_run=dry_run, owner=owner, lease_s=lease_s
        )

    try:
        return create()
    except GroupBusy:
        recover_runs(installation)
        return create()


def _work(installation: Installation, group_run: GroupRun, crew: "_Crew") -> None:
    """Starts the group's runs as their turns come, until none waits."""
    db, woken = installation.db, crew.workers.woken
    vigil = Vigil(installation, lambda lease_s: repo.renew_places(db, crew.owner, lease_s), crew.tell)
    while waiting := _list_waiting(db, group_run):
        woken.clear()
        vigil.keep()
        if crew.start_next():
            continue
        if not crew.workers.list_running():
            vigil.wait(waiting[0].id)
        woken.wait(WAIT_S)


def _close_unstarted(db: repo.State, group_run: GroupRun, crew: "_Crew") -> None:
    """Ends a run that was claimed in the very moment of the interrupt, so that no thread runs it."""
    for run in repo.list_group_members(db, group_run.id):
        if run.status == "running" and run.owner in crew.claimers and run.id not in crew.started:
            give_up(db, run)


def _list_waiting(db: repo.State, group_run: GroupRun) -> list[Run]:
    return [run for run in repo.list_group_members(db, group_run.id) if run.status == "queued"]


class _Crew:
    """The members under way, and their events for one listener. `owner` is who has asked for them."""

    def __init__(self, installation: Installation, listener: Listener | None) -> None:
        self.owner = new_owner()
        self.workers = Workers(self._run)
        self.started: set[int] = set()
        self.claimers: set[str] = set()
        self._installation = installation
        self._listener = listener
        self._telling = threading.Lock()
        self._errors: list[BaseException] = []

    def tell(self, event: Event) -> None:
        """Hands an event to the listener, one at a time. A listener that fails does not stop a load at night."""
        with self._telling:
            try:
                if self._listener:
                    self._listener(event)
            except Exception as error:
                self._listener = None
                self._errors.append(error)

    def start_next(self) -> bool:
        """Starts the member whose turn it is; False when it is no member's turn."""
        config, claimer = self._installation.config, new_owner()
        self.claimers.add(claimer)
        run = repo.claim_next_run(
            self._installation.db,
            owner=claimer,
            lease_s=config.lease_s,
            max_runs=config.max_runs,
            asked_by=self.owner,
        )
        if run is None:
            return False
        self.workers.start(run)
        self.started.add(run.id)
        return True

    def raise_any(self) -> None:
        """Raises the first mistake of the program that a thread met."""
        if self._errors:
            raise self._errors[0]

    def _run(self, run: Run) -> None:
        self.tell(RunStarted(run))
        try:
            with self._installation.open_for_thread() as own:
                run_claimed(own, run, self.tell)
        except BaseException as error:
            self._errors.append(error)
