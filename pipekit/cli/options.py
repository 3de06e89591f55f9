# Options and arguments that several commands share, with their completion from the state. Knows no command.
"""`json_option`, and arguments that complete names."""

from collections.abc import Callable
from typing import Any

import click

from pipekit.cli.session import Session

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")


def complete_module(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Names of modules that begin like what is typed."""
    return _complete(context, incomplete, lambda repo, db: [module.name for module in repo.list_modules(db)])


def complete_connection(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Names of connections that begin like what is typed."""
    return _complete(context, incomplete, lambda repo, db: [item.name for item in repo.list_connections(db)])


def complete_group(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Names of groups that begin like what is typed."""
    return _complete(context, incomplete, lambda repo, db: [group.name for group in repo.list_groups(db)])


def _complete(context: click.Context, incomplete: str, list_names: Callable[[Any, Any], list[str]]) -> list[str]:
    """A shell that completes must not see an error: no state, no names."""
    try:
        from pipekit import repo

        session = Session()
        session.home = context.find_root().params.get("home")
        names = list_names(repo, session.db())
        session.close()
    except Exception:
        return []
    return [name for name in names if name.lower().startswith(incomplete.lower())]
