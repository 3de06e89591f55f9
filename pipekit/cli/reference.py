# docs/cli.md as text, from the commands themselves. Knows click's records, prints nothing.
"""`build_reference`: `python -m pipekit.cli.reference > docs/cli.md` writes it, a test keeps it current."""

import inspect
import sys
from collections.abc import Iterator

import click

from pipekit.cli import EXIT_CODES, cli

INTRODUCTION = """\
# The command line

This page is made from the commands themselves: `python -m pipekit.cli.reference > docs/cli.md`.

Results go to standard output, everything else (progress, warnings, errors) to standard error. With `--json` standard
output carries exactly one JSON document, for errors too: `{"error": {"code": ..., "message": ..., "hint": ...}}`.
An error is one line `Error: ...` and, where there is one, a line `Hint: ...`; a file with several mistakes has a line
for each.

On a terminal a run shows one live line: stage, rows, rows per second, time. Elsewhere it writes a line for each stage
and at most one every ten seconds in between.

Output that cannot be written (a closed pipe as in `pipekit run orders | head -1`, a full disk, a closed descriptor)
ends what is seen of a run, not the run: its exit code is as ever, its record has everything. Where the output is all
there is to do (`query`, `export`, lists) a reader that left ends the command silently with exit code 141, as a shell
says it of other programs; a full disk or a closed output is an error with exit code 1.

Ctrl-C, SIGTERM, or a terminal that goes away (SIGHUP) during `run`, `run-group`, `copy` and `jrunner` cancels what
runs: the dest stays as it was unless the merge had been committed, and the receipt says which. What is started with
`nohup` outlives its terminal.
"""


def build_reference() -> str:
    """The whole page."""
    parts = [INTRODUCTION, _exit_codes(), *_describe(cli, click.Context(cli, info_name="pipekit"))]
    return "\n".join(parts)


def _exit_codes() -> str:
    rows = "\n".join(f"| {code} | {meaning} |" for code, meaning in EXIT_CODES.items())
    return f"## Exit codes\n\n| code | meaning |\n|---|---|\n{rows}\n"


def _describe(command: click.Command, context: click.Context) -> Iterator[str]:
    yield f"## {context.command_path}\n\n```\n{_usage(command, context)}\n```\n\n{_help(command)}\n"
    options = _options(command, context)
    if options:
        yield f"| option | |\n|---|---|\n{options}\n"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from _describe(inner, click.Context(inner, info_name=name, parent=context))


def _usage(command: click.Command, context: click.Context) -> str:
    return " ".join([context.command_path, *command.collect_usage_pieces(context)])


def _help(command: click.Command) -> str:
    """The help text; what click keeps as it is becomes a code block."""
    paragraphs = inspect.cleandoc(command.help or "").split("\n\n")
    shown = []
    for paragraph in paragraphs:
        if paragraph.startswith("\b\n"):
            shown.append(f"```\n{paragraph.removeprefix(chr(8) + chr(10))}\n```")
        else:
            shown.append(paragraph)
    return "\n\n".join(shown)


def _options(command: click.Command, context: click.Context) -> str:
    records = [
        record
        for parameter in command.params
        if isinstance(parameter, click.Option) and (record := parameter.get_help_record(context)) is not None
    ]
    return "\n".join(f"| `{name.replace('|', ' or ')}` | {text.replace('|', ' or ')} |" for name, text in records)


if __name__ == "__main__":
    sys.stdout.write(build_reference())
