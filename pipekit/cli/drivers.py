# Commands about kinds of databases: list, register, check. Opens no remote database.
"""`pipekit drivers`."""

import os
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from pipekit.cli.options import json_option
from pipekit.cli.session import Session, find_shell_user

if TYPE_CHECKING:
    from pipekit.engine.jars import DriverState


@click.group(short_help="List, register and check kinds of databases.")
def drivers() -> None:
    """List the kinds of databases there are, register further ones that are reached over JDBC, and check them."""


@drivers.command("list", short_help="Every kind, and how its addresses look.")
@json_option
@click.pass_obj
def list_(session: Session, as_json: bool) -> None:
    """List the kinds, built in and registered, with an example of an address and the jar of those that need one."""
    from pipekit.engine.jars import list_driver_states

    states = list_driver_states(session.db(), session.config())
    if as_json:
        session.say_json([_describe(state) for state in states])
        return
    rows = [[s.kind, s.label, s.state, s.jar or "-", s.url_template] for s in states]
    session.say_table(["KIND", "LABEL", "STATE", "JAR", "ADDRESS"], rows)


@drivers.command(short_help="Register a kind that is reached over JDBC.")
@click.option("--kind", required=True, help="The kind's name: db2i, jdbc, or one of its own such as h2 or oracle.")
@click.option("--jar", required=True, help="The driver's jar in the folder for jars (`jar_folder` in config.yaml).")
@click.option("--class", "java_class", default="", help="The driver's class; may be left out where Pipekit knows it.")
@click.option("--url-template", default="", help="How its addresses begin, {...} for what differs.")
@click.option("--folder", default="", metavar="DIR", help="Allow databases in files below this folder.")
@json_option
@click.pass_obj
def add(session: Session, kind: str, jar: str, java_class: str, url_template: str, folder: str, as_json: bool) -> None:
    """Register a JDBC driver: its jar, its class and how its addresses begin.

    Registering a kind again replaces what was registered. The jar's SHA-256 is kept, and a jar that is another since is
    not loaded. A kind is called after its product (h2, oracle), or begins with its name and _ (oracle_old): that tells
    Pipekit how it is spoken to; any other name means standard SQL.

    Without --folder its connections lead to servers alone. SQL on a database in a file reads and writes files as the
    user that Pipekit runs as, in the folder and elsewhere: docs/jdbc.md.
    """
    from pipekit.engine.jars import list_driver_states, register

    session.only_tell()
    db, config = session.db(), session.config()
    is_changed = register(
        db,
        config,
        kind=kind,
        jar=jar,
        java_class=java_class,
        url_template=url_template,
        folder=os.path.abspath(folder) if folder else "",
        user=find_shell_user(),
    )
    [state] = [state for state in list_driver_states(db, config) if state.kind == kind]
    if as_json:
        session.say_json(_describe(state) | {"changed": is_changed})
        return
    session.say(f"{kind}: {state.jar}, {state.java_class}, SHA-256 {state.jar_sha256}")
    if state.folder:
        session.say(f"Databases in files: below {state.folder}")
    if not is_changed:
        session.tell("It was registered like this before.")


@drivers.command(short_help="Load the registered drivers.")
@click.argument("kind", required=False)
@json_option
@click.pass_obj
def check(session: Session, kind: str | None, as_json: bool) -> int:
    """Check the registered drivers, or that of one KIND: the jar is there and unchanged, Java starts, the class loads.

    Nothing is connected to. The exit code is 1 when one of them is not in order.
    """
    from pipekit.engine.jars import check_drivers
    from pipekit.errors import NotFound

    found = [s for s in check_drivers(session.db(), session.config(), kind) if s.state in ("ok", "bad") or kind]
    if kind and not found:
        raise NotFound(f"There is no driver '{kind}'.", hint="`pipekit drivers list` names those there are.")
    if as_json:
        session.say_json([_describe(state) for state in found])
    else:
        for state in found:
            told = state.problem or f"{state.java_class or state.label} {'loads' if state.jar else state.state}"
            if state.about:
                told += f": {state.about}"
            session.say(f"{state.state:<5} {state.kind}: {told}")
            if state.hint and state.state != "ok":
                session.say(f"      {state.hint}")
        if not found:
            session.tell("No driver with a jar is registered: `pipekit drivers add` does that.")
    return 1 if any(state.state == "bad" for state in found) else 0


@drivers.command(short_help="Register the kinds that are built in.")
@click.option("--dry-run", is_flag=True, help="Only name the kinds that would be registered.")
@click.pass_obj
def register(session: Session, dry_run: bool) -> None:
    """Register the kinds that are built in, or bring their registration up to date. Prints the kinds this changes.

    Safe to repeat; `pipekit init` does it too.
    """
    from pipekit.cli.home import register_drivers

    if not dry_run:
        session.only_tell()
    for kind in register_drivers(session.db(), dry_run=dry_run):
        session.say(kind)


def _describe(state: "DriverState") -> dict[str, object]:
    return {name: value for name, value in asdict(state).items() if value != ""}
