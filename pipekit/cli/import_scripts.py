# The command that reads old scripts. Knows where its two texts go, nothing of how scripts are read.
"""`pipekit import-scripts`."""

from pathlib import Path

import click

from pipekit.cli.files import tell_import
from pipekit.cli.options import json_option
from pipekit.cli.session import Session


@click.command(name="import-scripts", short_help="Turn scripts around jrunner into a definition file.")
@click.argument("folder", type=click.Path(file_okay=False))
@click.option("--output", metavar="FILE", help="Write the definition file here, and the report to standard output.")
@json_option
@click.pass_obj
def import_scripts(session: Session, folder: str, output: str | None, as_json: bool) -> None:
    """Read the scripts, `pull.sql` and `insert.sql` of FOLDER and write the definition file they amount to.

    Nothing is run and nothing is changed. The file goes to standard output and a report to standard error: what each
    module does, what was not understood (such a module is disabled), and which passwords the scripts hold, by name and
    place. Passwords are references in the file. Read the report, then `pipekit apply` the file.
    """
    from pipekit.scripts.importing import import_scripts as read_folder

    found = read_folder(Path(folder))
    counts = {"modules": found.modules, "disabled": found.disabled}
    tell_import(session, found.text, found.report, counts, output, as_json)
