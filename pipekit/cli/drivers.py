# Commands about kinds of databases: list, register. Opens no remote database.
"""`pipekit drivers`."""

import click

from pipekit.cli.options import json_option
from pipekit.cli.session import Session


@click.group(short_help="List and register kinds of databases.")
def drivers() -> None:
    """List the kinds of databases there are, and register them."""


@drivers.command("list", short_help="Every kind, and how its addresses look.")
@json_option
@click.pass_obj
def list_(session: Session, as_json: bool) -> None:
    """List the kinds, whether they are registered in this installation, and an example of an address."""
    from pipekit import repo
    from pipekit.drivers import DRIVERS, get_driver

    registered = {item.kind for item in repo.list_driver_registrations(session.db())}
    records = [
        {
            "kind": kind,
            "label": get_driver(kind).label,
            "registered": kind in registered,
            "url_example": get_driver(kind).url_example,
        }
        for kind in DRIVERS
    ]
    if as_json:
        session.say_json(records)
        return
    rows = [
        [str(r["kind"]), str(r["label"]), "yes" if r["registered"] else "no", str(r["url_example"])] for r in records
    ]
    session.say_table(["KIND", "LABEL", "REGISTERED", "ADDRESS"], rows, empty="")


@drivers.command(short_help="Register the kinds that are built in.")
@click.option("--dry-run", is_flag=True, help="Only name the kinds that would be registered.")
@click.pass_obj
def register(session: Session, dry_run: bool) -> None:
    """Register the kinds that are built in, or bring their registration up to date. Prints the kinds this changes.

    Safe to repeat; `pipekit init` does it too.
    """
    from pipekit.cli.home import register_drivers

    for kind in register_drivers(session.db(), dry_run=dry_run):
        session.say(kind)
