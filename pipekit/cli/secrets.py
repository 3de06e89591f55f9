# Commands for secrets: set, list, delete. Values are read, never printed.
"""`pipekit secrets`."""

import sys

import click

from pipekit.cli.options import json_option
from pipekit.cli.session import Session
from pipekit.errors import Invalid


@click.group(short_help="Set, list and delete secrets.")
def secrets() -> None:
    """Set, list and delete secrets. Connections refer to them as $NAME."""


@secrets.command("set", short_help="Keep the value of a secret.")
@click.argument("key")
@click.argument("value", required=False)
@click.pass_obj
def set_(session: Session, key: str, value: str | None) -> None:
    """Keep VALUE under KEY in the secrets file.

    Left out, VALUE is asked for without echo, or is the first line of a pipe. Given on the command line it can be seen
    by everyone on this machine while the command runs, and stays in the history of the shell.
    """
    name = key.removeprefix("$")
    if value is None:
        value = _ask_value(name)
    else:
        session.tell("Warning: a value on the command line can be seen by others; leave it out to be asked for it.")
    if not value:
        raise Invalid("The value is empty.", field="value")
    session.secrets().set(name, value)
    session.tell(f"Kept {name} in {session.config().secrets_path}.")


def _ask_value(name: str) -> str:
    if sys.stdin.isatty():
        value: str = click.prompt(f"Value of {name}", hide_input=True, default="", show_default=False, err=True)
        return value
    return sys.stdin.readline().rstrip("\r\n")


@secrets.command("list", short_help="Names of secrets, without values.")
@json_option
@click.pass_obj
def list_(session: Session, as_json: bool) -> None:
    """List the names of the secrets in the secrets file. Values are never shown."""
    names = sorted(session.secrets().names())
    if as_json:
        session.say_json([{"name": name} for name in names])
        return
    empty = "There are no secrets. Keep one with `pipekit secrets set NAME`."
    session.say_table(["NAME"], [[name] for name in names], empty=empty)


@secrets.command(short_help="Forget a secret.")
@click.argument("key")
@click.pass_obj
def delete(session: Session, key: str) -> None:
    """Delete KEY from the secrets file."""
    name = key.removeprefix("$")
    session.secrets().delete(name)
    session.tell(f"Deleted {name}.")
