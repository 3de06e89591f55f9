# Commands for groups: run one, look at group runs, pause and resume. Knows the engine's calls, nothing of how runs go.
"""`pipekit run-group`, `group-runs`, `pause` and `resume`."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from pipekit.cli.options import complete_group, json_option
from pipekit.cli.session import Session, find_shell_user
from pipekit.cli.text import format_count, format_time
from pipekit.errors import Conflict

if TYPE_CHECKING:
    from pipekit.models import GroupRun, Run

STATUSES = ["running", "success", "dry_run", "error", "cancelled"]


@click.command("run-group", short_help="Run the modules of a group.")
@click.argument("group", shell_complete=complete_group)
@click.option("--dry-run", is_flag=True, help="Resolve watermarks and build the SQL of every module, move nothing.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing unless a run fails.")
@json_option
@click.pass_obj
def run_group(session: Session, group: str, dry_run: bool, quiet: bool, as_json: bool) -> int:
    """Run the enabled modules of GROUP in their order, here, and print a line for each as it ends.

    A module that fails does not stop the others. Ctrl-C cancels what runs and skips the rest. The exit code is 0 when
    every run succeeded, 1 when one failed or was cancelled, 3 when another run of the group is alive.
    """
    from pipekit import repo
    from pipekit.cli.progress import show_group_progress
    from pipekit.cli.run import terminate_like_interrupt
    from pipekit.engine import run_group as run_group_here
    from pipekit.engine.progress import find_usual

    session.only_tell()
    db = session.db()
    found = repo.get_group_by_name(db, group)
    report = _Report(session, quiet=quiet, as_json=as_json)
    members = [member.module_id for member in repo.list_members(db, found.id)]
    usual = {} if dry_run else find_usual(db, members)
    progress = show_group_progress(session.tell, found.name, report.say_run, usual, quiet=quiet or as_json)
    with terminate_like_interrupt(), progress as listener:
        ended = run_group_here(session.installation(), found, dry_run=dry_run, listener=listener)
    report.say_end(ended, repo.list_group_members(db, ended.id))
    return int(_has_failed(ended.status))


def _has_failed(status: str) -> bool:
    return status not in ("success", "dry_run")


class _Report:
    """What `run-group` prints: a line for each run, a summary, or one JSON document."""

    def __init__(self, session: Session, *, quiet: bool, as_json: bool) -> None:
        self._session = session
        self._quiet = quiet
        self._as_json = as_json
        self._told: set[int] = set()

    def say_run(self, run: "Run") -> None:
        """The line of a run that has ended, with its error."""
        from pipekit.engine.receipt import build_receipt

        self._told.add(run.id)
        if self._as_json or (self._quiet and not _has_failed(run.status)):
            return
        for line in build_receipt(run)[: 2 if run.error else 1]:
            self._session.say(line)

    def say_end(self, ended: "GroupRun", runs: "list[Run]") -> None:
        """What was not told yet (runs that never started), and the summary."""
        if self._as_json:
            self._session.say_json(_data(ended, runs))
            return
        for run in runs:
            if run.id not in self._told:
                self.say_run(run)
        if not self._quiet or _has_failed(ended.status):
            self._session.say(_summarize(ended, runs))


def _data(item: "GroupRun", runs: "list[Run]") -> dict[str, Any]:
    return item.to_json() | {"runs": [run.to_json() for run in runs]}


def _summarize(item: "GroupRun", runs: "list[Run]") -> str:
    """`nightly  group run 7  error  2 of 3 done  12.4 s`."""
    from pipekit.engine.receipt import format_duration

    done = sum(not _has_failed(run.status) for run in runs)
    counted = f"{done} of {len(runs)} done" if runs else "it has no enabled modules"
    return f"{item.group_name}  group run {item.id}  {item.status}  {counted}  {format_duration(_took_s(item))}"


def _took_s(item: "GroupRun") -> float | None:
    if not item.started_at or not item.finished_at:
        return None
    return (datetime.fromisoformat(item.finished_at) - datetime.fromisoformat(item.started_at)).total_seconds()


@click.group("group-runs", short_help="List, show and cancel group runs.")
def group_runs() -> None:
    """List, show and cancel group runs."""


@group_runs.command("list", short_help="The latest group runs.")
@click.option("--group", shell_complete=complete_group, help="Only runs of this group.")
@click.option("--status", type=click.Choice(STATUSES), help="Only group runs with this status.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many at most.")
@json_option
@click.pass_obj
def list_(session: Session, group: str | None, status: Any, limit: int, as_json: bool) -> None:
    """List group runs, the latest first. Times are local; TOOK is from start to finish."""
    from pipekit import repo
    from pipekit.engine.receipt import format_duration

    db = session.db()
    group_id = repo.get_group_by_name(db, group).id if group else None
    found = repo.list_group_runs(db, group_id=group_id, status=status, limit=limit)
    if as_json:
        session.say_json([item.to_json() for item in found])
        return
    session.say_table(
        ["GROUP RUN", "GROUP", "STATUS", "TRIGGERED BY", "STARTED", "TOOK"],
        [
            [
                str(item.id),
                item.group_name,
                item.status,
                item.triggered_by,
                format_time(item.started_at),
                format_duration(_took_s(item)),
            ]
            for item in found
        ],
        right=(0, 5),
        empty="There are no such group runs. Start one with `pipekit run-group GROUP`.",
    )


@group_runs.command(short_help="One group run and its runs.")
@click.argument("group_run_id", metavar="ID", type=int)
@json_option
@click.pass_obj
def show(session: Session, group_run_id: int, as_json: bool) -> None:
    """Show group run ID with the runs of its modules, in their order."""
    from pipekit import repo

    item = repo.get_group_run(session.db(), group_run_id)
    runs = repo.list_group_members(session.db(), group_run_id)
    if as_json:
        session.say_json(_data(item, runs))
        return
    session.say(_summarize(item, runs))
    if runs:
        session.say_table(
            ["ORDER", "RUN", "MODULE", "STATUS", "STARTED", "TOOK", "READ", "ERROR"],
            [_run_row(run) for run in runs],
            right=(0, 1, 5, 6),
        )


def _run_row(run: "Run") -> list[str]:
    from pipekit.cli.text import shorten
    from pipekit.engine.receipt import format_duration, get_duration_s

    took = format_duration(get_duration_s(run))
    place = str(run.run_order) if run.run_order is not None else "-"
    error = shorten(f"{run.error_stage}: {run.error}", 60) if run.error else ""
    moment = format_time(run.started_at)
    return [place, str(run.id), run.module, run.status, moment, took, format_count(run.rows_read), error]


@group_runs.command(short_help="Ask a group run to stop.")
@click.argument("group_run_id", metavar="ID", type=int)
@json_option
@click.pass_obj
def cancel(session: Session, group_run_id: int, as_json: bool) -> None:
    """Ask group run ID to stop: the runs that go on are cancelled, the others do not start."""
    from pipekit import repo
    from pipekit.engine.starting.requests import ask_group_cancel

    session.only_tell()
    group_run = repo.get_group_run(session.db(), group_run_id)
    if not ask_group_cancel(session.db(), group_run, user=find_shell_user()):
        raise Conflict(
            f"Group run {group_run_id} has ended already.", hint=f"See `pipekit group-runs show {group_run_id}`."
        )
    if as_json:
        session.say_json({"group_run_id": group_run_id, "cancel_requested": True})
        return
    session.say(f"Group run {group_run_id} was asked to stop.")


@click.command(short_help="Hold back a group, or everything the server starts.")
@click.argument("group", required=False, shell_complete=complete_group)
@click.pass_obj
def pause(session: Session, group: str | None) -> None:
    """Hold back the runs of GROUP; without GROUP everything that the server would start.

    Runs that go on are not touched, and `pipekit run` from a shell still works.
    """
    _switch(session, group, True)


@click.command(short_help="Let a group, or everything, go on after `pause`.")
@click.argument("group", required=False, shell_complete=complete_group)
@click.pass_obj
def resume(session: Session, group: str | None) -> None:
    """Let GROUP go on after `pause`; without GROUP everything. A group that was paused by itself stays paused."""
    _switch(session, group, False)


def _switch(session: Session, group: str | None, paused: bool) -> None:
    from pipekit import repo
    from pipekit.engine.starting.requests import ask_group_pause, ask_pause

    db, user = session.db(), find_shell_user()
    if group is None:
        ask_pause(db, paused, user=user)
        session.tell("Paused: the server starts no runs." if paused else "Resumed: the server starts runs again.")
        return
    found = repo.get_group_by_name(db, group)
    ask_group_pause(db, found, paused, user=user)
    session.tell(f"{found.name} is paused." if paused else f"{found.name} goes on.")
