# A click group whose commands are imported when they are asked for. Knows no command.
"""`LazyGroup`: name -> "file:attribute", resolved late."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click


class LazyGroup(click.Group):
    """The root group; `commands_by_name` holds `"file:attribute"` within `pipekit.cli`."""

    def __init__(self, *arguments: Any, commands_by_name: Mapping[str, str], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._homes = commands_by_name

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order a person needs them."""
        return list(self._homes)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, imported now."""
        home = self._homes.get(cmd_name)
        if home is None:
            return None
        file, attribute = home.split(":")
        command: click.Command = getattr(import_module(f"pipekit.cli.{file}"), attribute)
        return command
