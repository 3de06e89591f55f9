# Commands for definition files: apply and export.
"""`pipekit apply` and `pipekit export`."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipekit.cli.options import json_option
from pipekit.cli.session import Session, find_shell_user
from pipekit.errors import Invalid

if TYPE_CHECKING:
    from pipekit.definitions.plan import Change


@click.command(short_help="Make the state match a definition file.")
@click.argument("file")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.option("--prune", is_flag=True, help="Also delete what the file does not name.")
@json_option
@click.pass_obj
def apply(session: Session, file: str, dry_run: bool, prune: bool, as_json: bool) -> None:
    """Make the state match FILE (YAML; - reads standard input), all of it or nothing.

    Prints what is created (+), changed (~, with the fields), left (=) and deleted (-, only with --prune).
    """
    from pipekit.definitions import apply_text
    from pipekit.definitions.plan import format_plan, format_summary

    text = _read_file(file)
    if not dry_run:
        session.only_tell()
    changes = apply_text(
        session.db(),
        text,
        user=find_shell_user(),
        file="stdin" if file == "-" else file,
        dry_run=dry_run,
        prune=prune,
    )
    if as_json:
        session.say_json({"dry_run": dry_run, "changes": [_change_data(change) for change in changes]})
        return
    for line in format_plan(changes):
        session.say(line)
    session.tell(f"{format_summary(changes)}{'; dry run, nothing was changed' if dry_run else '; applied'}.")


def _change_data(change: "Change") -> dict[str, Any]:
    fields = [
        {"field": item.field} if item.is_secret else {"field": item.field, "old": item.old, "new": item.new}
        for item in change.fields
    ]
    return {"action": change.action, "kind": change.noun, "name": change.name, "fields": fields}


def _read_file(file: str) -> str:
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise Invalid(f"{file}:{line}: This is not UTF-8 text.") from error
    except OSError as error:
        raise Invalid(f"{file} cannot be read: {error.strerror}.") from error


@click.command(short_help="Write everything that is defined as a definition file.")
@click.argument("file", required=False)
@click.pass_obj
def export(session: Session, file: str | None) -> None:
    """Write connections, modules and groups as YAML to FILE, or to standard output.

    Applying the result changes nothing. Passwords are references in it, never values.
    """
    from pipekit.definitions import build_yaml, read_state
    from pipekit.repo import transaction

    with transaction(session.db()):
        definitions = read_state(session.db())
    text = build_yaml(definitions)
    if file is None or file == "-":
        sys.stdout.write(text)
        return
    write_file(Path(file), text)
    session.tell(f"Wrote {file}.")


def tell_import(
    session: Session, text: str, report: str, counts: dict[str, Any], output: str | None, as_json: bool
) -> None:
    """Gives out the definition file that something old amounts to, and the report on it."""
    if output is not None:
        write_file(Path(output), text)
    if as_json:
        data = {**counts, "report": report}
        session.say_json(data if output is not None else {**data, "definitions": text})
        return
    if output is None:
        sys.stdout.write(text)
        click.echo(report, err=True)
        return
    click.echo(report)
    session.tell(f"Wrote {output}: {counts['modules']} modules, {counts['disabled']} of them disabled.")


def write_file(path: Path, text: str) -> None:
    """Writes a file whole or not at all, where its links lead; a device or a pipe is written to, never replaced.

    Raises Invalid where it cannot be written.
    """
    if path.exists() and not path.is_file():
        half = target = path
    else:
        target = Path(os.path.realpath(path))
        half = target.with_name(f".{target.name}.{os.getpid()}.new")
    try:
        half.write_text(text, "utf-8")
        if half != target:
            half.replace(target)
    except OSError as error:
        if half != target:
            half.unlink(missing_ok=True)
        raise Invalid(f"{path} cannot be written: {error.strerror}.") from error
