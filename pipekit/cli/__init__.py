# The command line: the root command, and the one place where errors are printed. Loads nothing heavy.
"""`main` runs `pipekit`; each command lives in the file of its group and is loaded when it is asked for."""

import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from pipekit import __version__
from pipekit.cli.argv import hide_passwords
from pipekit.cli.lazy import LazyGroup
from pipekit.cli.session import Session
from pipekit.errors import PipekitError

COMMANDS = {
    "init": "setup:init",
    "serve": "serve:serve",
    "doctor": "setup:doctor",
    "apply": "files:apply",
    "export": "files:export",
    "run": "run:run",
    "runs": "runs:runs",
    "run-group": "groups:run_group",
    "group-runs": "groups:group_runs",
    "pause": "groups:pause",
    "resume": "groups:resume",
    "schedules": "schedules:schedules",
    "secrets": "secrets:secrets",
    "set-password": "users:set_password",
    "users": "users:users",
    "connections": "connections:connections",
    "modules": "modules:modules",
    "drivers": "drivers:drivers",
    "query": "query:query",
    "copy": "run:copy",
    "jrunner": "jrunner:jrunner",
    "import-scripts": "import_scripts:import_scripts",
    "purge": "serve:purge",
    "demo": "setup:demo",
    "completion": "setup:completion",
}

EXIT_CODES = {
    0: "done",
    1: "a run failed or was cancelled, or something remote went wrong",
    2: "usage or configuration",
    3: "busy: another run of the module or group is alive",
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
    if "jrunner" in given:
        hide_passwords()
    options = given[: given.index("--")] if "--" in given else given
    session = Session(json="--json" in options, debug=os.environ.get("PIPEKIT_DEBUG", "") not in ("", "0"))
    try:
        code = _run(given, session)
        sys.stdout.flush()
    except BrokenPipeError:
        _let_go_of_stdout()
        code = 1
    finally:
        session.close()
    return code


def _run(arguments: list[str], session: Session) -> int:
    try:
        result: Any = cli.main(args=arguments, prog_name="pipekit", standalone_mode=False, obj=session)
        return result if isinstance(result, int) else 0
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return 2
    except click.ClickException as error:
        return session.fail("Usage", error.format_message(), hint=_usage_hint(error), exit_code=2)
    except (click.Abort, KeyboardInterrupt):
        return session.fail("Interrupted", "Interrupted.", exit_code=1)
    except PipekitError as error:
        return session.fail_with(error)
    except SystemExit:
        # click itself leaves this way when the reader of our output went away.
        _let_go_of_stdout()
        return 1
    except BrokenPipeError:
        raise
    except Exception as error:
        return session.fail_unexpectedly(error)


def _usage_hint(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    return f"Try '{context.command_path} --help'." if context is not None else ""


def _let_go_of_stdout() -> None:
    """Python would complain about the closed pipe once more when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
