# Commands that change a column of a module's dest. Knows the engine's calls, nothing of how a database does it.
"""`pipekit columns`."""

import sys
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import click

from pipekit.cli.options import complete_module, json_option
from pipekit.cli.session import Session, find_shell_user

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipekit.engine.events import Listener
    from pipekit.models import Run
    from pipekit.models.altering import Change


@click.group(short_help="Rename, retype and drop columns of a dest.")
def columns() -> None:
    """List the columns of a module's dest, and rename, retype or drop one; the module follows in the same step.

    COLUMN is a column's stable id (c1, c2 ...) or its name in the dest. Each change is a run: refused where the module
    is busy, in the record, and shown by --preview before it is made. Files that define the module are exported anew.
    """


def _options(command: "Callable[..., Any]") -> "Callable[..., Any]":
    for add in (
        click.argument("module", shell_complete=complete_module),
        click.option("--preview", is_flag=True, help="Look at everything, tell what it would do, and change nothing."),
        click.option("--yes", is_flag=True, help="Do not ask."),
        click.option("-q", "--quiet", is_flag=True, help="Print nothing unless it fails."),
        json_option,
        click.pass_obj,
    )[::-1]:
        command = add(command)
    return command


@columns.command(short_help="Call a column otherwise.")
@_options
@click.argument("column")
@click.argument("name")
def rename(session: Session, /, module: str, column: str, name: str, **how: Any) -> int:
    """Call COLUMN of the dest of MODULE NAME from now on.

    The module's columns, keys and expectations follow, also those of other modules into the same table. SQL of theirs
    in which the old name stands is told and stays.
    """
    return _change(session, module, ("rename", column, name), **how)


@columns.command(short_help="Give a column another type.")
@_options
@click.argument("column")
@click.argument("type", metavar="TYPE")
def retype(session: Session, /, module: str, column: str, type: str, **how: Any) -> int:
    """Give COLUMN of the dest of MODULE the type TYPE, as the dest spells it.

    Every value is looked at first: where one would not be the same, nothing is changed and its row is named.
    """
    return _change(session, module, ("retype", column, type), **how)


@columns.command(short_help="Take a column out of the dest.")
@_options
@click.argument("column")
def drop(session: Session, /, module: str, column: str, **how: Any) -> int:
    """Take COLUMN and its values out of the dest of MODULE. It is refused while the query or a key still needs it."""
    return _change(session, module, ("drop", column, ""), **how)


@columns.command("list", short_help="The columns of a module's dest.")
@click.argument("module", shell_complete=complete_module)
@json_option
@click.pass_obj
def list_(session: Session, module: str, as_json: bool) -> None:
    """List the columns of the dest of MODULE with their types, stable ids, and the query's columns that are mapped."""
    from pipekit import repo
    from pipekit.engine import open_look
    from pipekit.engine.looking.dest_table import list_dest_columns
    from pipekit.engine.variables import fill_table

    db = session.db()
    found = repo.get_module_by_name(db, module)
    dest = repo.get_connection(db, found.dest_id)
    with open_look(session.config(), session.secrets(), dest) as look:
        lines = list_dest_columns(look, replace(found, dest_table=fill_table(dest, found.dest_table)))
    if as_json:
        session.say_json([asdict(line) for line in lines])
        return
    cells = [[line.id or "-", line.name, line.type, line.source_name or "-"] for line in lines]
    session.say_table(["ID", "COLUMN", "TYPE", "MAPPED FROM"], cells, empty="The dest table is not there.")


def _change(session: Session, module: str, asked: "tuple[Change, str, str]", **how: Any) -> int:
    """`asked` is what, which column, and its new name or type."""
    from pipekit import repo
    from pipekit.cli.run import follow
    from pipekit.engine import RunOptions, run_module
    from pipekit.engine.altering.asking import build_alteration

    db, preview = session.db(), how["preview"]
    found = repo.get_module_by_name(db, module)
    alteration = build_alteration(db, found, *asked, find_shell_user())
    if not preview and not how["yes"]:
        _confirm(f"{alteration} in {found.dest_table}? `--preview` shows what it does first.")
    options = RunOptions(triggered_by="cli", dry_run=preview, alteration=alteration)

    def start(listener: "Listener | None") -> "Run":
        return run_module(session.installation(), found, options, listener)

    return follow(session, f"{alteration}", start, quiet=how["quiet"], as_json=how["as_json"])


def _confirm(question: str) -> None:
    """Asks whoever sits at a terminal; nobody else is there to say yes."""
    if not sys.stdin.isatty():
        raise click.UsageError("Say --yes to change the dest, or --preview to see what that does.")
    click.confirm(question, abort=True, err=True)
