# The command that reads the first Pipekit's state file. Knows where its texts and runs go, nothing of its tables.
"""`pipekit import-state`."""

from pathlib import Path

import click

from pipekit.cli.files import tell_import
from pipekit.cli.options import json_option
from pipekit.cli.session import Session


@click.command(name="import-state", short_help="Turn the first Pipekit's state file into a definition file.")
@click.argument("file", type=click.Path())
@click.option("--output", metavar="FILE", help="Write the definition file here, and the report to standard output.")
@click.option("--runs", "with_runs", is_flag=True, help="Also keep the record of its runs here, as an archive.")
@json_option
@click.pass_obj
def import_state(session: Session, file: str, output: str | None, with_runs: bool, as_json: bool) -> None:
    """Read FILE, the pipekit.db of the first Pipekit, and write the definition file it amounts to.

    FILE is not changed and nothing is run. Connections, modules, watermarks, hooks, groups and schedules go to standard
    output, a report to standard error: what each module does, what was not understood (such a module is disabled), and
    which secrets are needed, by name. Read the report, then `pipekit apply` the file.

    With --runs the record of its runs is kept in this installation, each once; `pipekit runs archive` shows them.
    """
    from pipekit import repo
    from pipekit.first_pipekit.importing import each_run
    from pipekit.first_pipekit.importing import import_state as read_state

    path = Path(file)
    found = read_state(path)
    counts = {"modules": found.modules, "disabled": found.disabled, "runs": found.runs}
    if with_runs:
        counts["runs_kept"] = repo.keep_archived_runs(session.db(), each_run(path, session.secrets().masker()))
    tell_import(session, found.text, found.report, counts, output, as_json)
    if with_runs and not as_json:
        session.tell(f"Kept {counts['runs_kept']} of {found.runs} runs; the others were kept before.")
