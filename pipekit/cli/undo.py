# The command that takes a run back. Knows the engine's calls, nothing of how it is undone.
"""`pipekit undo`."""

from typing import TYPE_CHECKING

import click

from pipekit.cli.options import json_option
from pipekit.cli.session import Session

if TYPE_CHECKING:
    from pipekit.engine.events import Listener
    from pipekit.models import Run


@click.command(short_help="Take a run back.")
@click.argument("run_id", metavar="RUN", type=int)
@click.option("-q", "--quiet", is_flag=True, help="Print nothing unless it fails.")
@json_option
@click.pass_obj
def undo(session: Session, run_id: int, quiet: bool, as_json: bool) -> int:
    """Bring the dest of run RUN back to what it held before, in one transaction, and print the receipt.

    It is a run of its own. It is refused where rows are no longer as run RUN left them: later runs must be taken back
    first. A module keeps what is needed for that where it says `undo: {runs: 3}`. What hooks and triggers did
    elsewhere, and sequences, stay as they are. The exit code is that of `pipekit run`.
    """
    from pipekit import repo
    from pipekit.cli.run import follow
    from pipekit.engine import RunOptions, run_module
    from pipekit.engine.undoing.asking import check_undo

    run = repo.get_run(session.db(), run_id)
    module = check_undo(session.db(), run)
    options = RunOptions(triggered_by="undo", undoes=run_id)

    def start(listener: "Listener | None") -> "Run":
        return run_module(session.installation(), module, options, listener)

    return follow(session, f"undo of run {run_id}", start, quiet=quiet, as_json=as_json)
