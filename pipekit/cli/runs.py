# Commands that look at runs: list, show, cancel, archive.
"""`pipekit runs`."""

import json
import time
from typing import TYPE_CHECKING, Any

import click

from pipekit.cli.options import complete_module, json_option
from pipekit.cli.session import Session, find_shell_user
from pipekit.cli.text import format_count, format_time
from pipekit.errors import Conflict

if TYPE_CHECKING:
    from pipekit.models import Run
    from pipekit.repo import ArchivedRun

STATUSES = ["queued", "running", "success", "dry_run", "error", "cancelled"]
FOLLOW_EVERY_S = 0.5


@click.group(short_help="List, show and cancel runs.")
def runs() -> None:
    """List, show and cancel runs."""


@runs.command("list", short_help="The latest runs.")
@click.option("--module", shell_complete=complete_module, help="Only runs of this module.")
@click.option("--status", type=click.Choice(STATUSES), help="Only runs with this status.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many at most.")
@json_option
@click.pass_obj
def list_(session: Session, module: str | None, status: str | None, limit: int, as_json: bool) -> None:
    """List runs, the latest first. Times are local; TOOK is from start to finish."""
    from pipekit import repo

    found = repo.list_runs(session.db(), module=module, status=_as_status(status), limit=limit)
    if as_json:
        session.say_json([run.to_json() for run in found])
        return
    session.say_table(
        ["RUN", "MODULE", "STATUS", "STARTED", "TOOK", "READ", "INSERTED"],
        [_row(run) for run in found],
        right=(0, 4, 5, 6),
        empty="There are no such runs. Start one with `pipekit run MODULE`.",
    )


def _as_status(status: str | None) -> Any:
    return status


def _row(run: "Run") -> list[str]:
    from pipekit.engine.receipt import format_duration, get_duration_s

    status = f"{run.status} ({run.error_stage})" if run.status == "error" and run.error_stage else run.status
    took = format_duration(get_duration_s(run))
    counts = [format_count(run.rows_read), format_count(run.rows_inserted)]
    return [str(run.id), run.module, status, format_time(run.started_at), took, *counts]


@runs.command(short_help="One run: its receipt, its log.")
@click.argument("run_id", metavar="ID", type=int)
@click.option("--log", is_flag=True, help="Print the log of the run as well.")
@click.option("--follow", is_flag=True, help="Print the log as it grows, until the run ends.")
@json_option
@click.pass_obj
def show(session: Session, run_id: int, log: bool, follow: bool, as_json: bool) -> None:
    """Show the record of run ID."""
    from pipekit import repo
    from pipekit.cli.run import describe_record, print_receipt
    from pipekit.engine.receipt import stamp_blocks

    db = session.db()
    run = repo.get_run(db, run_id)
    text = ""
    blocks = _read_log(session, run_id, follow=follow) if log or follow else ()
    if as_json:
        text = "".join(part.text for block in blocks for part in block)
    else:
        for told in stamp_blocks(blocks):
            click.echo(session.clean(told), nl=False)
    if follow:
        run = repo.get_run(db, run_id)
    if as_json:
        session.say_json(describe_record(session, run) | ({"live_log": text} if log or follow else {}))
        return
    print_receipt(session, run)


def _read_log(session: Session, run_id: int, *, follow: bool) -> Any:
    """Pieces of the live log; with `follow` until the run has ended."""
    from pipekit import repo

    offset = 0
    while True:
        ended = repo.get_run(session.db(), run_id).status not in ("queued", "running")
        found, offset = repo.read_timed_log(session.db(), run_id, offset)
        if found:
            yield found
        elif ended or not follow:
            return
        else:
            time.sleep(FOLLOW_EVERY_S)


@runs.command(short_help="Ask a run to stop.")
@click.argument("run_id", metavar="ID", type=int)
@json_option
@click.pass_obj
def cancel(session: Session, run_id: int, as_json: bool) -> None:
    """Ask run ID to stop. It stops within seconds; the dest stays as it was unless the merge had been committed.

    A run that waits in the queue is cancelled at once.
    """
    from pipekit import repo
    from pipekit.engine.starting.requests import ask_cancel

    session.only_tell()
    run = repo.get_run(session.db(), run_id)
    if not ask_cancel(session.db(), run, user=find_shell_user()):
        raise Conflict(f"Run {run_id} has ended already.", hint=f"See `pipekit runs show {run_id}`.")
    has_ended = repo.get_run(session.db(), run_id).status == "cancelled"
    if as_json:
        session.say_json({"run_id": run_id, "cancel_requested": True})
        return
    session.say(f"Run {run_id} was cancelled." if has_ended else f"Run {run_id} was asked to stop.")


@runs.command(short_help="Runs of the first Pipekit that were kept.")
@click.argument("archived_id", metavar="[ID]", type=int, required=False)
@click.option("--module", shell_complete=complete_module, help="Only runs of this module.")
@click.option("--status", help="Only runs with this status.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many at most.")
@json_option
@click.pass_obj
def archive(
    session: Session, archived_id: int | None, module: str | None, status: str | None, limit: int, as_json: bool
) -> None:
    """List the runs that `pipekit import-state --runs` has kept, or show all that was recorded of run ID.

    FIRST is a run's number in the first Pipekit; times are as they were written there.
    """
    from pipekit import repo

    if archived_id is not None:
        _show_archived(session, repo.get_archived_run(session.db(), archived_id), as_json)
        return
    found = repo.list_archived_runs(session.db(), module=module, status=status, limit=limit)
    if as_json:
        session.say_json([{n: value for n, value in run.to_json().items() if n != "record"} for run in found])
        return
    session.say_table(
        ["ID", "FIRST", "MODULE", "STATUS", "STARTED", "FINISHED", "ROWS"],
        [
            [str(run.id), run.first_id, run.module, run.status, run.started_at, run.finished_at, format_count(run.rows)]
            for run in found
        ],
        right=(0, 1, 6),
        empty="No run was kept. `pipekit import-state FILE --runs` keeps those of the first Pipekit.",
    )


def _show_archived(session: Session, run: "ArchivedRun", as_json: bool) -> None:
    if as_json:
        session.say_json(run.to_json())
        return
    session.say(f"{run.module} run {run.first_id} of the first Pipekit: {run.status}")
    for name, value in run.record.items():
        if value in (None, "", []):
            continue
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        session.say(f"{name}:\n{text.rstrip()}" if "\n" in text else f"{name}: {text}")
