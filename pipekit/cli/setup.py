# Commands that set an installation up or look after it: init, doctor, demo, completion.
"""`pipekit init`, `doctor`, `demo`, `completion`."""

import sys
from pathlib import Path

import click

from pipekit.cli.options import json_option
from pipekit.cli.session import Session


@click.command(short_help="Make the home folder, configuration, state database and secrets file.")
@json_option
@click.pass_obj
def init(session: Session, as_json: bool) -> None:
    """Make the home folder, a commented config.yaml, the state database and an empty secrets file.

    What is there already is kept, so it is safe to repeat. The configuration is the file that PIPEKIT_CONFIG names,
    where it names one.
    """
    from pipekit.cli.home import make_home
    from pipekit.config import find_config_file, load_config

    session.only_tell()
    config = load_config(session.environ(), is_made=True)
    made = make_home(config, find_config_file(session.environ()))
    if as_json:
        session.say_json({"home": str(config.home), "files": [{"path": str(p), "made": new} for p, new in made]})
        return
    for path, new in made:
        session.say(f"{'made' if new else 'kept'}  {path}")
    session.tell("Next: write a definition file and `pipekit apply FILE`, or look at `pipekit demo`.")


@click.command(short_help="Check the installation and say how to mend it.")
@click.option(
    "--connect", metavar="[NAME]", is_flag=False, flag_value="", help="Also connect to every database, or to this one."
)
@click.option(
    "--deep", metavar="[NAME]", is_flag=False, flag_value="", help="Only write down what its database says of itself."
)
@json_option
@click.pass_obj
def doctor(session: Session, connect: str | None, deep: str | None, as_json: bool) -> int:
    """Check the configuration, secrets file, state database, disk, runner, drivers and connections.

    Each finding that is bad says how to mend it; then the exit code is 1. With --connect runs that were cut short are
    closed, and staging tables of loads that were killed are removed; those that may be somebody's are named.

    With --deep one database (--deep NAME, or --connect NAME --deep) is asked for versions, code pages, journals, rights
    and rows a second by block size, and for none of its data: to be sent to whoever helps. It changes nothing.
    """
    if deep is not None:
        if not (deep or connect):
            raise click.UsageError("--deep looks at one database: name its connection, --deep NAME.")
        return _ask_deeply(session, deep or str(connect), as_json)
    from pipekit import repo
    from pipekit.doctor import examine

    only = repo.get_connection_by_name(session.db(), connect).name if connect else None
    findings = list(examine(session.environ(), connect=connect is not None, only=only))
    bad = [finding for finding in findings if finding.level == "bad"]
    if as_json:
        data = [{"name": f.name, "level": f.level, "detail": f.detail, "mend": f.mend} for f in findings]
        session.say_json({"ok": not bad, "findings": data})
        return 1 if bad else 0
    for finding in findings:
        session.say(f"{finding.level:<4}  {finding.name}: {finding.detail}")
        if finding.mend:
            session.say(f"      mend: {finding.mend}")
    return 1 if bad else 0


def _ask_deeply(session: Session, name: str, as_json: bool) -> int:
    from pipekit import __version__, repo
    from pipekit.engine import open_look
    from pipekit.engine.looking.deep import ask_deeply

    connection = repo.get_connection_by_name(session.db(), name)
    tell = session.secrets().masker().tell
    with open_look(session.config(), session.secrets(), connection) as look:
        said = list(ask_deeply(look))
    if as_json:
        answers = [{"name": s.name, "answer": tell(s.answer), "refused": s.refused} for s in said]
        session.say_json({"pipekit": __version__, "kind": connection.driver, "said": answers})
    else:
        session.say(f"Pipekit {__version__}, kind {connection.driver}")
        for answer in said:
            session.say(f"{answer.name}: {'refused: ' if answer.refused else ''}{tell(answer.answer)}")
    return 1 if all(answer.refused for answer in said) else 0


@click.command(short_help="Show what Pipekit does, with a small shop.")
@click.option("--postgres", is_flag=True, help="Into an ephemeral PostgreSQL instead of a second SQLite file.")
@click.option("--folder", metavar="DIR", default=".demo", show_default=True, help="Where the shop is made.")
@click.pass_obj
def demo(session: Session, /, postgres: bool, folder: str) -> int:
    """Make a small shop database, run a definition file into a second one, change some rows, run again."""
    from pipekit.demo import run_demo

    session.only_tell()
    result = run_demo(Path(folder), postgres=postgres)
    return result if isinstance(result, int) else 0


@click.command(short_help="Print the completion script of a shell.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the script that completes commands, modules and connections.

    \b
    bash:  eval "$(pipekit completion bash)"     in ~/.bashrc
    zsh:   eval "$(pipekit completion zsh)"      in ~/.zshrc
    fish:  pipekit completion fish > ~/.config/fish/completions/pipekit.fish
    """
    from click.shell_completion import get_completion_class

    from pipekit.cli import cli

    found = get_completion_class(shell)
    assert found is not None
    sys.stdout.write(found(cli, {}, "pipekit", "_PIPEKIT_COMPLETE").source())
