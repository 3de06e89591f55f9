# Commands for modules: list, show, enable, disable.
"""`pipekit modules`."""

from typing import TYPE_CHECKING, Any

import click

from pipekit.cli.options import complete_module, json_option
from pipekit.cli.session import Session, find_shell_user
from pipekit.cli.text import format_time

if TYPE_CHECKING:
    from pipekit.models import Module, Run


@click.group(short_help="List, show, enable and disable modules.")
def modules() -> None:
    """List, show, enable and disable modules. They are defined in files: see `pipekit apply`."""


@modules.command("list", short_help="All modules with their last run.")
@json_option
@click.pass_obj
def list_(session: Session, as_json: bool) -> None:
    """List modules by name with the status and time of their last run."""
    from pipekit import repo

    db = session.db()
    names = {item.id: item.name for item in repo.list_connections(db)}
    found = [(item, _find_last_run(session, item)) for item in repo.list_modules(db)]
    if as_json:
        session.say_json([_data(item, last, names) for item, last in found])
        return
    session.say_table(
        ["MODULE", "FROM", "INTO", "STRATEGY", "LAST RUN"],
        [_row(item, last, names) for item, last in found],
        empty="There are no modules. Define them in a file and `pipekit apply FILE`.",
    )


def _find_last_run(session: Session, module: "Module") -> "Run | None":
    from pipekit import repo

    runs = repo.list_runs(session.db(), module=module.name, limit=1)
    return runs[0] if runs else None


def _data(item: "Module", last: "Run | None", names: dict[int, str]) -> dict[str, Any]:
    return {
        "name": item.name,
        "source": names[item.source_id],
        "dest": names[item.dest_id],
        "table": item.dest_table,
        "strategy": item.merge_strategy,
        "key": item.key_text,
        "enabled": item.enabled,
        "running": item.running,
        "last_run": {"run_id": last.id, "status": last.status, "started_at": last.started_at} if last else None,
    }


def _row(item: "Module", last: "Run | None", names: dict[int, str]) -> list[str]:
    told = f"{last.status} {format_time(last.started_at)}" if last else "never"
    name = item.name if item.enabled else f"{item.name} (disabled)"
    return [name, names[item.source_id], f"{names[item.dest_id]} {item.dest_table}", item.merge_strategy, told]


@modules.command(short_help="One module, as a definition file has it.")
@click.argument("name", shell_complete=complete_module)
@json_option
@click.pass_obj
def show(session: Session, name: str, as_json: bool) -> None:
    """Show the module NAME in the form of a definition file."""
    from pipekit import repo
    from pipekit.definitions import read_state
    from pipekit.definitions.export import build_data, dump_yaml
    from pipekit.definitions.records import Definitions

    db = session.db()
    item = repo.get_module_by_name(db, name)
    defined = build_data(Definitions(modules={item.name: read_state(db).modules[item.name]}))["modules"]
    if as_json:
        session.say_json({"name": item.name, **defined[item.name], "running": item.running})
        return
    session.say(dump_yaml(defined).rstrip())


@modules.command(short_help="Let groups run a module again.")
@click.argument("name", shell_complete=complete_module)
@click.pass_obj
def enable(session: Session, name: str) -> None:
    """Let groups run the module NAME again."""
    _switch(session, name, True)


@modules.command(short_help="Keep groups from running a module.")
@click.argument("name", shell_complete=complete_module)
@click.pass_obj
def disable(session: Session, name: str) -> None:
    """Keep groups from running the module NAME. `pipekit run` still does; a run that is under way goes on."""
    _switch(session, name, False)


def _switch(session: Session, name: str, enabled: bool) -> None:
    from pipekit import repo
    from pipekit.definitions import edit

    item = repo.get_module_by_name(session.db(), name)
    edit.update(session.db(), edit.MODULE, find_shell_user(), item.id, enabled=enabled)
    session.tell(f"{item.name} is {'enabled' if enabled else 'disabled'}.")
