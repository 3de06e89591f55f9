# What a command works with: configuration, secrets, state, and the two places it may write to. Knows no command.
"""`Session`: opened late, closed once; everything it prints is masked and cleaned."""

import getpass
import json
import os
import sys
import traceback
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from pipekit.cli.outlets import Outlets
from pipekit.cli.text import clean_line, clean_text, format_table, shows_everything
from pipekit.cutting import cut
from pipekit.errors import PipekitError

if TYPE_CHECKING:
    from pipekit.config import Config
    from pipekit.engine import Installation
    from pipekit.masking import Masker
    from pipekit.repo import State
    from pipekit.runner.ahead import Ahead
    from pipekit.secrets import Secrets


class Session:
    """One command line's view of the installation.

    `json` says that standard output carries one JSON document and nothing else.
    """

    def __init__(self, *, json: bool = False, debug: bool = False, outlets: Outlets | None = None) -> None:
        self.json = json
        self.debug = debug
        # Whether nothing is left to be done once the command has returned: no thread, no file of its own.
        self.ends_at_once = False
        self._outlets = outlets or Outlets()
        self.home: str | None = None
        self._config: Config | None = None
        self._secrets: Secrets | None = None
        self._masker: Masker | None = None
        self._db: State | None = None

    # -- the installation ----------------------------------------------------------------------------------------------

    def environ(self) -> dict[str, str]:
        """The environment, with `--home` in its place."""
        return {**os.environ, **({"PIPEKIT_HOME": self.home} if self.home else {})}

    def config(self) -> "Config":
        """The configuration; raises ConfigError."""
        if self._config is None:
            from pipekit.config import load_config

            self._config = load_config(self.environ())
        return self._config

    def secrets(self) -> "Secrets":
        """The secrets; the file need not exist."""
        if self._secrets is None:
            from pipekit.secrets import Secrets

            config = self.config()
            self._secrets = Secrets(config.secrets_path, self.environ(), declared=config.secret_variables)
        return self._secrets

    def db(self) -> "State":
        """The state database, opened once; raises ConfigError when there is none."""
        if self._db is None:
            from pipekit.repo import open_state

            self._db = open_state(self.config().state_path)
        return self._db

    def installation(self, ahead: "Ahead | None" = None) -> "Installation":
        """All three, for what runs modules, and the child that one run finds started."""
        from pipekit.engine import Installation

        return Installation(db=self.db(), config=self.config(), secrets=self.secrets(), ahead=ahead)

    def close(self) -> None:
        """Closes what was opened."""
        if self._db is not None:
            self._db.close()
            self._db = None

    def mask(self, text: str) -> str:
        """The text without the values of secrets."""
        if self._masker is None and (self._secrets is not None or self._db is not None):
            try:
                self._masker = self.secrets().masker()
            except (PipekitError, OSError):
                return text
        return self._masker.mask(text) if self._masker else text

    # -- output --------------------------------------------------------------------------------------------------------

    def only_tell(self) -> None:
        """Says that the command does something, and its exit code how that went, whether or not it can be printed.

        Without it, output that cannot be written fails the command: it was all there was to do.
        """
        self._outlets.only_tell()

    def clean(self, text: str) -> str:
        """Text from elsewhere, fit to be shown: secrets masked, control characters left out."""
        return clean_text(self.mask(text))

    def say(self, text: str = "") -> None:
        """A line of the answer, on standard output."""
        click.echo(self.clean(text))

    def tell(self, text: str) -> None:
        """A line beside the answer, on standard error."""
        click.echo(self.clean(text), err=True)

    def say_json(self, data: Any) -> None:
        """The answer as one JSON document."""
        ascii_only = not shows_everything()
        click.echo(json.dumps(self._mask_data(data), indent=2, ensure_ascii=ascii_only, default=str))

    def _mask_data(self, data: Any) -> Any:
        if isinstance(data, str):
            return self.mask(data)
        if isinstance(data, dict):
            return {key: self._mask_data(value) for key, value in data.items()}
        if isinstance(data, list | tuple):
            return [self._mask_data(item) for item in data]
        return data

    def say_table(
        self, headers: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[int] = (), empty: str = ""
    ) -> None:
        """A listing; an empty one says what to do next, on standard error."""
        masked = [[self.mask(cell) for cell in row] for row in rows]
        if not masked:
            self.tell(empty)
            return
        for line in format_table(headers, masked, right=right, dim=sys.stdout.isatty()):
            click.echo(line)

    # -- errors --------------------------------------------------------------------------------------------------------

    def fail_with(self, error: PipekitError) -> int:
        """Prints an error of ours and returns its exit code."""
        if self.debug:
            self.tell("".join(traceback.format_exception(error)).rstrip())
        field: str = getattr(error, "field", "")
        more: dict[str, Any] = {"field": field} if field else {}
        problems = getattr(error, "problems", ())
        if problems:
            more["problems"] = [{"line": p.line, "field": p.field, "message": p.message} for p in problems]
        return self.fail(error.code, error.message, hint=error.hint, exit_code=error.exit_code, more=more)

    def fail_unexpectedly(self, error: Exception) -> int:
        """Prints a mistake of the program: its traceback only when it is asked for."""
        if self.debug:
            self.tell("".join(traceback.format_exception(error)).rstrip())
        message = f"Pipekit itself failed: {type(error).__name__}: {error}"
        hint = "" if self.debug else "Run it again with --debug before the command's name to see where."
        return self.fail("Internal", message, hint=hint, exit_code=1)

    def fail(
        self, code: str, message: str, *, exit_code: int, hint: str = "", more: dict[str, Any] | None = None
    ) -> int:
        """One JSON document on standard output, or `Error:` and `Hint:` lines on standard error."""
        has_problems = bool(more and "problems" in more)
        message, hint = self.mask(message), cut(self.mask(hint))
        if not has_problems:
            message = cut(message)
        if self.json:
            # The exit code says it too, whether or not this can be written.
            self.only_tell()
            self.say_json({"error": {"code": code, "message": clean_text(message), "hint": hint, **(more or {})}})
            return exit_code
        lines = message.split("\n") if has_problems else [message]
        for line in lines:
            self.tell_error(line)
        if hint:
            self.tell_hint(hint)
        return exit_code

    def tell_error(self, message: str) -> None:
        """`Error: message`, on one line of standard error."""
        self.tell(f"Error: {clean_line(message)}")

    def tell_hint(self, hint: str) -> None:
        """`Hint: ...`, what to do about it."""
        self.tell(f"Hint: {clean_line(hint)}")


def find_shell_user() -> str:
    """Who sits at the shell, for the audit trail."""
    try:
        return f"shell:{getpass.getuser()}"
    except (KeyError, OSError):
        return "shell"
