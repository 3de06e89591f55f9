# Commands for connections: list, show, test.
"""`pipekit connections`."""

import time
from typing import TYPE_CHECKING, Any

import click

from pipekit.cli.options import complete_connection, json_option
from pipekit.cli.session import Session

if TYPE_CHECKING:
    from pipekit.models import Connection


@click.group(short_help="List, show and test connections.")
def connections() -> None:
    """List, show and test connections. They are defined in files: see `pipekit apply`."""


@connections.command("list", short_help="All connections.")
@json_option
@click.pass_obj
def list_(session: Session, as_json: bool) -> None:
    """List connections by name. Passwords are shown as the references they are."""
    from pipekit import repo

    found = repo.list_connections(session.db())
    if as_json:
        session.say_json([_data(item) for item in found])
        return
    session.say_table(
        ["NAME", "DRIVER", "USERNAME", "URL"],
        [[item.name, item.driver, item.username or "-", item.jdbc_url] for item in found],
        empty="There are no connections. Define them in a file and `pipekit apply FILE`.",
    )


def _data(item: "Connection") -> dict[str, Any]:
    return {
        "name": item.name,
        "driver": item.driver,
        "jdbc_url": item.jdbc_url,
        "username": item.username,
        "password": item.password,
    }


@connections.command(short_help="One connection and the modules that use it.")
@click.argument("name", shell_complete=complete_connection)
@json_option
@click.pass_obj
def show(session: Session, name: str, as_json: bool) -> None:
    """Show the connection NAME."""
    from pipekit import repo

    item = repo.get_connection_by_name(session.db(), name)
    users = [m.name for m in repo.list_modules(session.db()) if item.id in (m.source_id, m.dest_id)]
    if as_json:
        session.say_json(_data(item) | {"modules": users})
        return
    for label, value in _data(item).items():
        session.say(f"{label:<9} {value if value is not None else '-'}")
    session.say(f"{'modules':<9} {', '.join(users) or '-'}")


@connections.command(short_help="Connect and look.")
@click.argument("name", shell_complete=complete_connection)
@json_option
@click.pass_obj
def test(session: Session, name: str, as_json: bool) -> None:
    """Connect to NAME, log in, and list its schemas. The exit code is 1 when that fails."""
    from pipekit import repo
    from pipekit.engine.looking.look import list_reachable_schemas, open_look

    item = repo.get_connection_by_name(session.db(), name)
    started = time.monotonic()
    with open_look(session.config(), session.secrets(), item) as look:
        schemas = list_reachable_schemas(look)
    seconds = round(time.monotonic() - started, 3)
    if as_json:
        session.say_json({"name": item.name, "ok": True, "seconds": seconds, "schemas": schemas})
        return
    session.say(f"{item.name}: connected in {seconds:.2f} s; schemas: {', '.join(schemas) or 'none with tables'}")
