# Running a group in this process, for the shell: its runs in their order, side by side where the group allows.
"""`run_group`: one execution of a group, from its group run to the fold."""

import contextlib
import threading

from pipekit import repo
from pipekit.config import Config
from pipekit.engine.events import Event, Listener, RunStarted
from pipekit.engine.recovering.owner import new_owner
from pipekit.engine.recovering.recover import recover_runs
from pipekit.engine.running.corridor import run_claimed
from pipekit.engine.running.waiting import WAIT_S, Vigil, give_up
from pipekit.errors import Conflict, GroupBusy, PipekitError
from pipekit.models import Group, GroupRun, Run
from pipekit.secrets import Secrets


def run_group(
    db: repo.State,
    config: Config,
    secrets: Secrets,
    group: Group,
    *,
    dry_run: bool = False,
    listener: Listener | None = None,
) -> GroupRun:
    """Runs a group's enabled members by the rules of the queue, past failing ones, and returns the group run.

    Ctrl-C cancels it: what runs is asked to stop, the rest does not start. Events come from the threads that run the
    members, one at a time. Raises GroupBusy when another run of the group is alive, Conflict when the group is paused.
    """
    if group.paused:
        raise Conflict(f"The group {group.name!r} is paused.", hint=f"Let it go on: `pipekit resume {group.name}`.")
    owner = new_owner()
    group_run = _create(db, config, secrets, group, dry_run, owner)
    crew = _Crew(config, secrets, listener)
    try:
        _work(db, config, secrets, group_run, owner, crew)
        crew.wait()
    except KeyboardInterrupt:
        repo.cancel_group_run(db, group_run.id)
        crew.wait()
        _close_unstarted(db, group_run, crew)
    except PipekitError:
        crew.wait()
        raise
    crew.raise_any()
    return repo.get_group_run(db, group_run.id)


def _create(db: repo.State, config: Config, secrets: Secrets, group: Group, dry_run: bool, owner: str) -> GroupRun:
    """The group run with its queued runs; what a dead process has left of an earlier one is closed first."""

    def create() -> GroupRun:
        return repo.create_group_run(
            db, group.id, triggered_by="manual", dry_run=dry_run, owner=owner, lease_s=config.lease_s
        )

    try:
        return create()
    except GroupBusy:
        recover_runs(db, config, secrets)
        return create()


def _work(db: repo.State, config: Config, secrets: Secrets, group_run: GroupRun, owner: str, crew: "_Crew") -> None:
    """Starts the group's runs as their turns come, until none waits."""
    vigil = Vigil(db, config, secrets, lambda lease_s: repo.renew_places(db, owner, lease_s), crew.tell)
    while waiting := _list_waiting(db, group_run):
        crew.woken.clear()
        vigil.keep()
        claimer = new_owner()
        crew.claimers.add(claimer)
        run = repo.claim_next_run(db, owner=claimer, lease_s=config.lease_s, max_runs=config.max_runs, asked_by=owner)
        if run is not None:
            crew.start(run, claimer)
            continue
        if not crew.running:
            vigil.wait(waiting[0].id)
        crew.woken.wait(WAIT_S)


def _close_unstarted(db: repo.State, group_run: GroupRun, crew: "_Crew") -> None:
    """Ends a run that was claimed in the very moment of the interrupt, so that no thread runs it."""
    for run in repo.list_group_members(db, group_run.id):
        if run.status == "running" and run.owner in crew.claimers and run.id not in crew.started:
            give_up(db, run, run.owner)


def _list_waiting(db: repo.State, group_run: GroupRun) -> list[Run]:
    return [run for run in repo.list_group_members(db, group_run.id) if run.status == "queued"]


class _Crew:
    """The threads that run members, each with a State of its own."""

    def __init__(self, config: Config, secrets: Secrets, listener: Listener | None) -> None:
        self.woken = threading.Event()
        self._config = config
        self._secrets = secrets
        self._listener = listener
        self._telling = threading.Lock()
        self.started: set[int] = set()
        self.claimers: set[str] = set()
        self._ended: set[int] = set()
        self._errors: list[BaseException] = []

    @property
    def running(self) -> int:
        """How many runs go on."""
        return len(self.started - self._ended)

    def tell(self, event: Event) -> None:
        """Hands an event to the listener, one at a time. A listener that fails does not stop a load at night."""
        with self._telling:
            try:
                if self._listener:
                    self._listener(event)
            except Exception as error:
                self._listener = None
                self._errors.append(error)

    def start(self, run: Run, owner: str) -> None:
        """Runs a claimed run in a thread of its own."""
        thread = threading.Thread(target=self._run, args=(run, owner), name=f"run-{run.id}", daemon=True)
        thread.start()
        self.started.add(run.id)

    def wait(self) -> None:
        """Waits until every run has ended. A second Ctrl-C does not wait; recovery closes what it leaves behind.

        Not by joining the threads: a join that was interrupted takes a thread for ended from then on.
        """
        while self.running:
            self.woken.clear()
            self.woken.wait(WAIT_S)

    def raise_any(self) -> None:
        """Raises the first mistake of the program that a thread met."""
        if self._errors:
            raise self._errors[0]

    def _run(self, run: Run, owner: str) -> None:
        self.tell(RunStarted(run))
        try:
            with contextlib.closing(repo.open_state(self._config.state_path)) as db:
                run_claimed(db, self._config, self._secrets, run, owner, self.tell)
        except BaseException as error:
            self._errors.append(error)
        finally:
            self._ended.add(run.id)
            self.woken.set()
