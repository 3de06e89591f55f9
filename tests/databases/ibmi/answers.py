# What a test lets the double answer to a statement. Knows no bytes.
"""`Rows`, `Called`, `Count` and `Outcome`, of which a `Talk` gives one to each statement."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Protocol

from tests.databases.ibmi.columns import Column

# In a row: a value that could not be mapped. The driver gives NULL for it and a warning of its own.
UNMAPPED: Any = object()
Row = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a request ended: error class and return code, and what SQLCA and messages say of it.

    `warned` are the eleven flags SQLWARN0 to A; `counts` the six numbers ERRD.
    """

    error_class: int = 0
    code: int = 0
    state: str = "00000"
    sqlcode: int = 0
    counts: tuple[int, int, int, int, int, int] = (0, 0, 0, 0, 0, 0)
    warned: str = " " * 11
    message: str = "SQL0000"
    text: str = ""
    help: str = ""

    @property
    def is_error(self) -> bool:
        """Whether the request did nothing."""
        return self.error_class != 0 and self.code < 0


DONE = Outcome()
# No row is left; with the last rows; and the same where the cursor is closed.
END = Outcome(1, 100, "02000", 100, message="SQL0100", text="Row not found.")
LAST = replace(END, error_class=2, code=701)


def fail(sqlcode: int, state: str, text: str, help: str = "") -> Outcome:
    """An SQL error; `sqlcode` is negative, as -803 of a duplicate key."""
    return Outcome(1, sqlcode, state, sqlcode, message=f"SQL{-sqlcode:04d}", text=text, help=help)


def warn(sqlcode: int, state: str, text: str, warned: str = " " * 11) -> Outcome:
    """A warning; `sqlcode` is positive, or 0 as for 01004."""
    return Outcome(1, sqlcode, state, sqlcode, warned=warned, message=f"SQL{sqlcode:04d}", text=text)


class Mischief(Enum):
    """What becomes of a connection."""

    RESET = "the answer is cut in its middle, and the connection reset"
    END = "the job ends, and the connection with it"
    STALL = "nothing comes any more"
    GARBLE = "bytes that are no answer"


@dataclass(frozen=True, slots=True)
class Trouble:
    """What comes with the block that holds the row `at`, counted from 0: an outcome, or mischief.

    A block with a warning ends at its row, as one reply has one return code.
    """

    at: int
    what: Outcome | Mischief


@dataclass(frozen=True, slots=True)
class Rows:
    """A result; `rows` may be a function of the parameters, and starts anew for each cursor."""

    columns: Sequence[Column]
    rows: Iterable[Row] | Callable[[Row], Iterable[Row]]
    troubles: Sequence[Trouble] = ()
    # Before the first block; a query timeout below it ends the query, and a cancel does.
    delay_s: float = 0
    markers: Sequence[Column] = ()


@dataclass(frozen=True, slots=True)
class Ring(Rows):
    """The same rows over and over, `count` in all, as bytes made before: then the double is not what takes the time.

    `marks` are the indicators of the rows, `data` their values; `replies.make_ring` makes them.
    """

    count: int = 0
    marks: bytes = b""
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Called(Rows):
    """The one result set of a procedure."""


def _count(rows: Sequence[Row]) -> int:
    return len(rows)


@dataclass(frozen=True, slots=True)
class Count:
    """A statement without a result; `done` takes the rows of parameters and says how many changed, or what failed."""

    markers: Sequence[Column] = ()
    done: Callable[[Sequence[Row]], int | Outcome] = field(default=_count)
    warning: Outcome | None = None


Answer = Rows | Count | Outcome


class Talk(Protocol):
    """What answers the statements of one connection."""

    def answer(self, sql: str) -> Answer:
        """The answer to a statement that is prepared."""
        ...

    def end(self, commit: bool) -> None:
        """COMMIT, or ROLLBACK."""
        ...

    def close(self) -> None:
        """The connection is gone; what is not committed is rolled back."""
        ...


@dataclass(frozen=True, slots=True)
class Saying:
    """A `Talk` of a function, which has no transactions."""

    say: Callable[[str], Answer]

    def answer(self, sql: str) -> Answer:
        return self.say(sql)

    def end(self, commit: bool) -> None:
        pass

    def close(self) -> None:
        pass
