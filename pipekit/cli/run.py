# Commands that move rows: run and copy. Knows the engine's calls, nothing of how a run goes.
"""`pipekit run` and `pipekit copy`."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from pipekit.cli.options import complete_connection, complete_module, json_option
from pipekit.cli.session import Session, find_shell_user
from pipekit.cli.text import clean_line

if TYPE_CHECKING:
    from pipekit.engine.events import Listener
    from pipekit.engine.progress import Usual
    from pipekit.models import Run, Way


@click.command(short_help="Run a module.")
@click.argument("module", shell_complete=complete_module)
@click.option("--dry-run", is_flag=True, help="Resolve watermarks and build the SQL, move nothing.")
@click.option("--preview", is_flag=True, help="Stage and check, tell what the merge would do, merge nothing.")
@click.option("merges", "--merge-preview", type=int, metavar="RUN", help="Merge what this preview has staged.")
@click.option("dropped", "--drop-preview", type=int, metavar="RUN", help="Remove what this preview has staged.")
@click.option(
    "watermarks", "--watermark", multiple=True, metavar="NAME=VALUE", help="Use this value for a watermark; repeatable."
)
@click.option("-q", "--quiet", is_flag=True, help="Print nothing unless the run fails.")
@json_option
@click.pass_obj
def run(
    session: Session,
    module: str,
    dry_run: bool,
    preview: bool,
    merges: int | None,
    dropped: int | None,
    watermarks: tuple[str, ...],
    quiet: bool,
    as_json: bool,
) -> int:
    """Run MODULE and print its receipt. Where no slot is free it waits for one, after runs that were asked for before.

    What --preview has staged is kept for an hour (`preview_kept_s` in config.yaml): --merge-preview merges those rows,
    unless the module, the dest or its rows have changed.

    Ctrl-C cancels the run and leaves the dest unchanged, unless the merge had been committed. The exit code is 0 when
    the run succeeded, 1 when it failed or was cancelled, 3 when another run of the module is alive
    or waits.
    """
    from pipekit.runner.ahead import Ahead

    if sum((dry_run, preview, merges is not None, dropped is not None)) > 1:
        raise click.UsageError("--dry-run, --preview, --merge-preview and --drop-preview exclude each other.")
    values = parse_watermarks(watermarks)
    if values and (merges is not None or dropped is not None):
        raise click.UsageError("The rows of a preview were read with its own values of watermarks.")
    if dropped is not None:
        return _drop_preview(session, module, dropped, as_json=as_json)
    with Ahead() as ahead:
        from pipekit import repo

        db = session.db()
        found = repo.get_module_by_name(db, module)
        ahead.load([repo.get_connection(db, each).driver for each in (found.source_id, found.dest_id)])
        from pipekit.engine import RunOptions, run_module
        from pipekit.engine.progress import find_usual

        options = RunOptions(
            dry_run=dry_run,
            preview=preview,
            merges=merges,
            watermarks=values,
            triggered_by="cli",
            user=find_shell_user(),
        )

        def start(listener: "Listener | None") -> "Run":
            return run_module(session.installation(ahead), found, options, listener)

        is_usual = not (dry_run or preview or merges is not None or values)
        usual = find_usual(db, [found.id]).get(found.id) if is_usual else None
        return follow(session, found.name, start, usual, quiet=quiet, as_json=as_json)


def _drop_preview(session: Session, name: str, run_id: int, *, as_json: bool) -> int:
    """Exit code 0 when nothing is left, 1 when the dest does not answer: then the server asks it again."""
    from pipekit import repo
    from pipekit.engine import drop_preview

    db = session.db()
    module = repo.get_module_by_name(db, name)
    is_gone = drop_preview(session.installation(), module, repo.get_run(db, run_id))
    detail = {"run_id": run_id}
    repo.note_audit(db, user=find_shell_user(), action="drop", kind="preview", name=module.name, detail=detail)
    if as_json:
        session.say_json({"run_id": run_id, "dropped": is_gone})
    elif is_gone:
        session.say(f"What run {run_id} staged is removed.")
    else:
        session.tell_error(f"The dest of run {run_id} does not answer; its staging table is removed when it does.")
    return int(not is_gone)


def parse_watermarks(given: tuple[str, ...]) -> dict[str, str]:
    """What `--watermark NAME=VALUE` says; a usage error for anything else."""
    values: dict[str, str] = {}
    for item in given:
        name, separator, value = item.partition("=")
        if not separator or not name.strip():
            raise click.UsageError(f"--watermark takes NAME=VALUE, not '{item}'.")
        values[name.strip()] = value
    return values


@click.command(short_help="Copy a query's rows into a table, without a module.")
@click.argument("source", shell_complete=complete_connection)
@click.argument("sql")
@click.argument("dest", shell_complete=complete_connection)
@click.argument("table")
@click.option(
    "--strategy",
    type=click.Choice(["full", "incremental", "append", "upsert", "snapshot"]),
    default="full",
    show_default=True,
    help="How the rows are merged into the table.",
)
@click.option(
    "--load",
    type=click.Choice(["auto", "staged", "swap", "direct"]),
    default="auto",
    show_default=True,
    help="Which way they take into it, see docs/running.md.",
)
@click.option("--key", default="", metavar="COLUMNS", help='The merge key; "a, b" for several columns.')
@click.option("--create/--no-create", default=True, help="Make the table when it is missing.  [default: create]")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing unless the run fails.")
@json_option
@click.pass_obj
def copy(
    session: Session,
    source: str,
    sql: str,
    dest: str,
    table: str,
    strategy: str,
    load: "Way",
    key: str,
    create: bool,
    quiet: bool,
    as_json: bool,
) -> int:
    """Copy the rows of SQL (- reads standard input) on the connection SOURCE into TABLE on the connection DEST.

    It is a run like any other: staged, checked, merged in one transaction and kept in the run log.
    """
    from pipekit import repo
    from pipekit.models import as_strategy, parse_key
    from pipekit.runner.ahead import Ahead

    columns = parse_key(key)
    if strategy in ("incremental", "upsert", "snapshot") and not columns:
        raise click.UsageError(f"The strategy {strategy} needs --key.")
    db = session.db()
    one, two = (repo.get_connection_by_name(db, name) for name in (source, dest))
    query = sys.stdin.read() if sql == "-" else sql
    with Ahead() as ahead:
        ahead.load((one.driver, two.driver))
        from pipekit.engine import CopySpec, RunOptions, copy_query

        spec = CopySpec(
            source=one,
            query=query,
            dest=two,
            table=table,
            strategy=as_strategy(strategy),
            key=columns,
            load=load,
            create_table=create,
        )

        def start(listener: "Listener | None") -> "Run":
            return copy_query(session.installation(ahead), spec, RunOptions(triggered_by="cli"), listener)

        return follow(session, f"copy to {table}", start, quiet=quiet, as_json=as_json)


def follow(
    session: Session,
    name: str,
    start: "Callable[[Listener | None], Run]",
    usual: "Usual | None" = None,
    *,
    quiet: bool,
    as_json: bool,
) -> int:
    """Runs with progress, by what is `usual` for it, prints the record or the receipt, and returns the exit code."""
    from pipekit.cli.progress import show_progress

    session.only_tell()
    with terminate_like_interrupt(), show_progress(session.tell, name, usual, quiet=quiet or as_json) as listener:
        finished = start(listener)
    session.ends_at_once = True
    failed = finished.status not in ("success", "dry_run")
    if not failed:
        for check in finished.checks:
            if check.ok is False:
                session.tell(f"Warning: {check.name}: {clean_line(check.detail)}")
    if as_json:
        session.say_json(describe_record(session, finished))
        return int(failed)
    if not quiet or failed:
        print_receipt(session, finished)
    if failed:
        stage = f" in stage {finished.error_stage}" if finished.error_stage else ""
        session.tell_error(f"The run ended as {finished.status}{stage}: {finished.error or 'no cause was recorded'}")
        if finished.hint:
            session.tell_hint(finished.hint)
    return int(failed)


def describe_record(session: Session, run: "Run") -> dict[str, Any]:
    """A run's record as JSON data, a preview's with what it has found."""
    from pipekit import repo

    found = repo.find_preview(session.db(), run.id) if run.preview else None
    return run.to_json() | (found.to_json() if found else {})


def print_receipt(session: Session, finished: "Run") -> None:
    """The receipt; for a dry run with the SQL that would have run."""
    from pipekit import repo
    from pipekit.cli.previews import print_preview
    from pipekit.engine.receipt import build_receipt

    for line in build_receipt(finished):
        session.say(line)
    if finished.preview:
        if found := repo.find_preview(session.db(), finished.id):
            print_preview(session, finished, found)
        return
    if finished.status == "dry_run":
        for title, sql in (("query", finished.resolved_sql), ("merge", finished.merge_sql)):
            if sql:
                session.say(f"-- {title}\n{sql}")


@contextmanager
def terminate_like_interrupt() -> Iterator[None]:
    """SIGTERM, and a terminal that went away, cancel a run as Ctrl-C does, so that its record tells what happened.

    Who wants a run to outlive its terminal starts it with `nohup`, which has SIGHUP ignored.
    """

    def interrupt(number: int, _: Any) -> None:
        if number == signal.SIGHUP:
            # Kernel and shell each send one; the second must not end the clean-up.
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        raise KeyboardInterrupt

    numbers = [signal.SIGTERM, signal.SIGHUP]
    before = {number: signal.getsignal(number) for number in numbers}
    for number in numbers:
        if before[number] != signal.SIG_IGN:
            signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
