# The command line: the root command, and the one place where errors are printed. Loads nothing heavy.
"""`main` runs `pipekit`; each command lives in the file of its group and is loaded when it is asked for."""

import logging
import os
import resource
import sys
from collections.abc import Sequence
from contextlib import suppress
from traceback import walk_tb
from typing import Any, NoReturn

import click

from pipekit import __version__
from pipekit.cli.lazy import LazyGroup
from pipekit.cli.outlets import open_outlets
from pipekit.cli.session import Session
from pipekit.errors import ConfigError, Invalid, OutputLost, PipekitError

COMMANDS = {
    "init": "setup:init",
    "serve": "serve:serve",
    "doctor": "setup:doctor",
    "apply": "files:apply",
    "export": "files:export",
    "run": "run:run",
    "undo": "undo:undo",
    "verify": "verify:verify",
    "runs": "runs:runs",
    "run-group": "groups:run_group",
    "group-runs": "groups:group_runs",
    "pause": "groups:pause",
    "resume": "groups:resume",
    "schedules": "schedules:schedules",
    "alerts": "alerts:alerts",
    "secrets": "secrets:secrets",
    "set-password": "users:set_password",
    "users": "users:users",
    "connections": "connections:connections",
    "modules": "modules:modules",
    "columns": "columns:columns",
    "drivers": "drivers:drivers",
    "query": "query:query",
    "copy": "run:copy",
    "jrunner": "jrunner:jrunner",
    "import-scripts": "import_scripts:import_scripts",
    "import-state": "import_state:import_state",
    "purge": "serve:purge",
    "demo": "setup:demo",
    "completion": "setup:completion",
}

# What a shell says of a program that a closed pipe has ended.
READER_LEFT = 141

EXIT_CODES = {
    0: "done",
    1: "a run failed or was cancelled, or something remote went wrong",
    2: "usage or configuration",
    3: "busy: another run of the module or group is alive",
    READER_LEFT: "the reader of the rows, the file or the list closed the pipe, as `head` does; of a run never",
}


def _epilog() -> str:
    codes = "\n".join(f"  {code}  {meaning}" for code, meaning in EXIT_CODES.items())
    return f"\b\nExit codes:\n{codes}"


@click.group(
    cls=LazyGroup,
    commands_by_name=COMMANDS,
    epilog=_epilog(),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("--home", metavar="DIR", help="Where config.yaml, pipekit.db and secrets.env lie (same as PIPEKIT_HOME).")
@click.option("--debug", is_flag=True, help="Show the traceback of an unexpected error (same as PIPEKIT_DEBUG=1).")
@click.version_option(__version__, prog_name="pipekit", message="%(prog)s %(version)s")
@click.pass_obj
def cli(session: Session, home: str | None, debug: bool) -> None:
    """Keeps tables in one database in step with queries in another."""
    session.home = home
    session.debug = session.debug or debug


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command line and returns its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    # Memory holds secrets, here and in what is started from here.
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    options = given[: given.index("--")] if "--" in given else given
    with open_outlets() as outlets:
        is_debug = os.environ.get("PIPEKIT_DEBUG", "") not in ("", "0")
        session = Session(json="--json" in options, debug=is_debug, outlets=outlets)
        try:
            code = _end(session, _run(given, session))
        finally:
            session.close()
    if arguments is None and session.ends_at_once:
        _leave(code)
    return code


def _leave(code: int) -> NoReturn:
    """Ends the process with its last line: taking it apart object by object would keep a scheduler waiting."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        with suppress(OSError, ValueError):
            stream.flush()
    logging.shutdown()
    os._exit(code)


def _end(session: Session, code: int) -> int:
    """The exit code, after all that was printed has gone out."""
    try:
        sys.stdout.flush()
    except OutputLost as lost:
        return code or _tell_lost(session, lost)
    return code


def _tell_lost(session: Session, lost: OutputLost) -> int:
    """Nobody is told of a reader that has left; for anything else the message, on standard error."""
    if lost.has_left:
        return READER_LEFT
    session.json = False
    return session.fail_with(lost)


def _run(arguments: list[str], session: Session) -> int:
    try:
        result: Any = cli.main(args=arguments, prog_name="pipekit", standalone_mode=False, obj=session)
        return result if isinstance(result, int) else 0
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return 2
    except click.ClickException as error:
        return session.fail("Usage", error.format_message(), hint=_usage_hint(error), exit_code=2)
    except (click.Abort, KeyboardInterrupt) as error:
        # The library takes the end of a file for Ctrl-D, whichever file it was.
        if cut := _find_cut_file(error.__cause__):
            return session.fail_with(_explain_cut_file(cut))
        return session.fail("Interrupted", "Interrupted.", exit_code=1)
    except OutputLost as lost:
        return _tell_lost(session, lost)
    except PipekitError as error:
        return session.fail_with(error)
    except Exception as error:
        if isinstance(error, UnicodeEncodeError) and error.encoding != "utf-8":
            return session.fail_with(_explain_encoding(error))
        return session.fail_unexpectedly(error)


def _find_cut_file(error: BaseException | None) -> str:
    """The compiled file in the midst of which Python came to its end; `""` when that was not what failed."""
    if isinstance(error, EOFError):
        for frame, _ in walk_tb(error.__traceback__):
            if path := frame.f_locals.get("bytecode_path"):
                return str(path)
    return ""


def _explain_cut_file(path: str) -> PipekitError:
    """Python writes such files by itself, and does not notice when a full disk takes only a part of one."""
    message = f"Python's compiled file {path} is cut short, as a full disk leaves it."
    return ConfigError(message, hint="Make room, then remove that file: Python makes it anew.")


def _usage_hint(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    return f"Try '{context.command_path} --help'." if context is not None else ""


def _explain_encoding(error: UnicodeEncodeError) -> PipekitError:
    """What is printed as it is must not be changed for a terminal or a file that cannot hold it."""
    character = error.object[error.start]
    message = f"Standard output is {error.encoding} here, which has no {character!a}."
    return Invalid(message, hint="Set PYTHONIOENCODING=utf-8, or a locale that is UTF-8.")
