# The page about the command line is the one made from the commands, and every exit code is told in both places.
"""Rules for docs/cli.md."""

from pathlib import Path

import click

from pipekit.cli import EXIT_CODES, cli
from pipekit.cli.reference import build_reference
from pipekit.definitions.reference import build_field_tables

PAGE = Path(__file__).resolve().parents[2] / "docs" / "cli.md"


def test_the_page_is_current() -> None:
    assert PAGE.read_text("utf-8") == build_reference(), "run: python -m pipekit.cli.reference > docs/cli.md"


def test_every_command_and_option_has_a_help_text() -> None:
    def check(command: click.Command, path: str) -> None:
        assert command.help, path
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.help, f"{path} {parameter.name}"
        if isinstance(command, click.Group):
            for name in command.list_commands(click.Context(command)):
                inner = command.get_command(click.Context(command), name)
                assert inner is not None
                check(inner, f"{path} {name}")

    check(cli, "pipekit")


def test_every_exit_code_is_told_in_the_help() -> None:
    text = cli.get_help(click.Context(cli, info_name="pipekit"))
    for code, meaning in EXIT_CODES.items():
        assert f"{code}  {meaning}" in " ".join(text.replace("\n", " ").split(" "))


def test_the_fields_of_a_definition_file_are_documented() -> None:
    page = (PAGE.parent / "definitions.md").read_text("utf-8")
    assert page.endswith(build_field_tables()), "the part below `## Fields`: python -m pipekit.definitions.reference"
