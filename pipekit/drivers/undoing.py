# What a driver must know whose merges can be taken back. Records and SQL text only, no I/O here.
"""`Undoing`, a part of `drivers.base.Driver`: what a merge keeps of what it changes, and how a dest gets it back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from pipekit.drivers.facts import Keeping, MergePlan, Reference
from pipekit.drivers.tables import TableColumn, TableName
from pipekit.runner_contract import Query, Statement

# Beside the columns of the dest: -1 is a row as it was before the merge, 1 one as it was after it.
SIDE = "pipekit_side"
# What else stands beside them while a run is taken back.
RESERVED = frozenset({SIDE, "pipekit_row", "pipekit_sum", "pipekit_number"})
_PREFIX = "pipekit_undo."

# How errors begin that the engine knows by it.
NO_LONGER = "The dest's rows are no longer as the run left them"
IN_THE_WAY = "Rows that the run deleted are there again"
NOT_BACK = "After it the dest's rows would not be what they were"
UNDO_FIRST = (
    "Undo the later runs first, or run the module again; what others have done to these rows nobody can take back here."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """What a dest keeps of one run: its columns as they were (those that are not computed), rows of each side, bytes.

    `replaced` says that the rows before it lie in the table that the run has replaced.
    """

    images: TableName
    columns: tuple[TableColumn, ...]
    before: int
    after: int
    bytes: int | None = None
    replaced: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Undo:
    """How a run is taken back. `key` is a unique key of the dest without NULLs, empty where it has none.

    `referring` are foreign keys that point at the dest: rows that stay are updated then, not deleted and inserted.
    `silent` are triggers that must not fire, as they change what is put back. `fixed` are columns that no update
    changes.
    """

    dest: TableName
    kept: Kept
    key: tuple[str, ...] = ()
    referring: tuple[Reference, ...] = ()
    silent: bool = False
    only: bool = False
    fixed: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class Fires:
    """A trigger of a dest that fires for a session like ours, and what switches it off and on again as it was."""

    name: str
    off: str
    on: str


class Undoing:
    """A kind that cannot take merges back leaves all of it as it is."""

    can_undo: ClassVar[bool] = False

    def find_unkept(self, query: Query, plan: MergePlan, keeping: Keeping) -> str:
        """Why nothing can be kept of what a merge into an existing dest changes, as a clause; `""` when it can."""
        return ""

    def find_kept(self, query: Query, images: TableName) -> Kept | None:
        """What is kept of a run, None where there is no such table."""
        raise NotImplementedError

    def build_touched_sql(self, undo: Undo, later: Kept) -> str:
        """One cell: rows as the run left them that a later run has deleted or changed, by what is kept of both."""
        raise NotImplementedError

    def find_triggers(self, query: Query, dest: TableName) -> tuple[Fires, ...]:
        """What fires when rows are put back."""
        raise NotImplementedError

    def build_undo_sql(self, undo: Undo, triggers: Sequence[Fires]) -> tuple[Statement, ...]:
        """Between the ledger row and the commit: looks, brings the rows back, looks again, and drops what was kept.

        Counts `deleted`, `updated` and `inserted`, and `gone` and `back`, what they must be. A look that finds
        something ends the transaction with `NO_LONGER`, `IN_THE_WAY` or `NOT_BACK`.
        """
        raise NotImplementedError

    def build_drop_images_sql(self, images: TableName) -> tuple[str, ...]:
        """Removes what is kept of a run, if it is there."""
        raise NotImplementedError


def name_images(run_key: str) -> str:
    """What the table is called, beside staging tables, in which a run's merge keeps what it changes."""
    return f"{_PREFIX}{run_key[:20]}"


def choose_key(keys: Sequence[tuple[str, ...]], columns: Sequence[TableColumn]) -> tuple[str, ...]:
    """The first unique key none of whose columns may be NULL; empty without one."""
    firm = {column.name for column in columns if not column.nullable}
    return next((key for key in keys if firm.issuperset(key)), ())


def build_look(sql: str, message: str, details: str, hint: str) -> Statement:
    """A count that must be 0, told with a few of the keys or rows that `details` lists."""
    told = f"{message}: {{got}} rows, the first {{told}}."
    return Statement(sql=sql, name=message, value=True, refusal=told, details=details, hint=hint)
