# Every error Pipekit raises on purpose. Knows how long text is cut, nothing else of the program.
"""The error tree. An error's docstring is its default message.

PipekitError                     exit code 1
+ NotFound                       2   no such module, connection, run ...
+ Invalid                        2   input that cannot be accepted; `field` says where
+ ConfigError                    2   the installation must be mended before anything can run
  - SecretMissing                    a $NAME without a value
  - DriverUnknown                    a kind no driver exists for
+ StateError                       1   the state database cannot be read or written now (locked, full, damaged)
+ Conflict                       2
  - NameTaken
  - ModuleBusy                   3   another run of the module is alive
  - GroupBusy                    3   another run of the group is alive
+ RunnerError                    1   anything that went wrong in, or with, a runner child
  - ConnectFailed                    the database cannot be reached or refuses the login
  - StatementFailed                  a statement was refused by the database
  - Inexact                          a value the dest cannot hold exactly
  - CheckFailed                      a check inside a transaction failed; it was rolled back
  - TimedOut                         a limit of time passed
  - RunnerDied                       the child ended without an answer
  - Cancelled                        stopped on request
+ RunFailed                      1   a run ended in `error`; `stage` and `cause`
+ Unauthorized                   1   nobody is logged in, or the login is wrong
+ Forbidden                      1   the user may not do this
+ TooMany                        1   too many tries in a short time
+ OutputLost                     1   standard output is closed or full, where what goes there is all there is to do
"""

import os
from errno import EBADF, EDQUOT, EFBIG, ENOSPC, EPIPE
from typing import ClassVar

from pipekit.cutting import SENT, cut


class PipekitError(Exception):
    """Something went wrong."""

    # A long message or hint is cut here, where every error begins: it may quote a value of any size.

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str = "", *, hint: str = "") -> None:
        self.message = cut(message, SENT) or (type(self).__doc__ or "").strip().splitlines()[0]
        self.hint = cut(hint, SENT)
        super().__init__(self.message)

    @property
    def code(self) -> str:
        """The stable name of this kind of error, for JSON."""
        return type(self).__name__


class NotFound(PipekitError):
    """There is no such thing."""

    exit_code = 2


class Invalid(PipekitError):
    """This value cannot be accepted."""

    exit_code = 2

    def __init__(self, message: str = "", *, field: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.field = field


class ConfigError(PipekitError):
    """Pipekit is not set up correctly."""

    exit_code = 2


class SecretMissing(ConfigError):
    """A secret that is referred to has no value."""


class DriverUnknown(ConfigError):
    """There is no driver of this kind."""


class StateError(PipekitError):
    """The state database cannot be used."""


class Conflict(PipekitError):
    """This cannot be done while things are as they are."""

    exit_code = 2


class NameTaken(Conflict):
    """This name is taken."""


class ModuleBusy(Conflict):
    """The module is already running."""

    exit_code = 3


class GroupBusy(Conflict):
    """The group is already running."""

    exit_code = 3


class RunnerError(PipekitError):
    """The runner failed.

    `transient` marks a fault that trying again can cure (a lost connection, a deadlock), `sqlstate` is the database's
    own code where it has one, `column` and `row` (counted from 1, in the order the source delivered) say where a value
    was refused, `position` (a character counted from 1) where in `statement`, as it was sent, the database saw the
    fault.
    """

    def __init__(
        self,
        message: str = "",
        *,
        hint: str = "",
        transient: bool = False,
        sqlstate: str = "",
        column: str = "",
        row: int | None = None,
        position: int | None = None,
        statement: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.transient = transient
        self.sqlstate = sqlstate
        self.column = column
        self.row = row
        self.position = position
        self.statement = statement


class ConnectFailed(RunnerError):
    """The database cannot be reached."""


class StatementFailed(RunnerError):
    """The database refused a statement."""


class Inexact(RunnerError):
    """A value cannot be stored exactly."""


class CheckFailed(RunnerError):
    """A check failed; the transaction was rolled back."""


class TimedOut(RunnerError):
    """The runner took too long."""


class RunnerDied(RunnerError):
    """The runner ended without an answer."""


class Cancelled(RunnerError):
    """The run was cancelled."""


class RunFailed(PipekitError):
    """The run failed."""

    def __init__(self, message: str = "", *, stage: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.stage = stage


class Unauthorized(PipekitError):
    """Log in first."""


class Forbidden(PipekitError):
    """This is not allowed."""


class TooMany(PipekitError):
    """Too many tries."""


class OutputLost(PipekitError):
    """Standard output cannot be written. `has_left` says that its reader has closed the pipe, as `head` does."""

    def __init__(self, number: int) -> None:
        self.has_left = number == EPIPE
        why = "it is closed" if number == EBADF else os.strerror(number)
        is_full = number in (ENOSPC, EDQUOT, EFBIG)
        hint = "What was written is not the whole; write it where there is room." if is_full else ""
        super().__init__(f"Standard output cannot be written: {why}.", hint=hint)


RUNNER_ERRORS: dict[str, type[RunnerError]] = {
    kind.__name__: kind
    for kind in (RunnerError, ConnectFailed, StatementFailed, Inexact, CheckFailed, TimedOut, RunnerDied, Cancelled)
}
