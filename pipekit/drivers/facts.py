# What a merge is made of, and what it must know of its dest: who refers to it, what fires. Plain records only.
"""`MergePlan` and `TableFacts`; foreign keys that point at a dest, triggers that fire, looks inside the merge."""

from dataclasses import dataclass
from typing import Literal

from pipekit.drivers.tables import StagedColumn, TableColumn, TableName
from pipekit.models import Strategy
from pipekit.runner_contract import Statement

Action = Literal["no action", "restrict", "cascade", "set null", "set default"]
Event = Literal["insert", "update", "delete", "truncate"]

# What a database does by itself to the rows that refer to a row that goes or gets another key.
CHANGING: tuple[Action, ...] = ("cascade", "set null", "set default")


@dataclass(frozen=True, kw_only=True, slots=True)
class Reference:
    """A foreign key: `columns` of `child` refer to the columns `referred`, in that order.

    It points at the dest; with a `parent` it points at that one's child, whose rows go along or are changed. Where
    `is_own`, the child is the dest itself. `uncounted` says why nobody can tell how many of its rows would change.
    An `enforced` False declares what the database does not keep in Pipekit's session.
    """

    child: "TableName"
    columns: tuple[str, ...]
    referred: tuple[str, ...]
    on_delete: Action = "no action"
    on_update: Action = "no action"
    is_own: bool = False
    enforced: bool = True
    uncounted: str = ""
    parent: "Reference | None" = None

    @property
    def root(self) -> "Reference":
        """The foreign key that points at the dest itself."""
        return self.parent.root if self.parent else self

    def find_event(self, event: Literal["gone", "moved"]) -> Literal["gone", "moved", ""]:
        """What becomes of the rows it points at when a row of the dest goes, or gets another key."""
        if self.parent is None:
            return event
        above = self.parent.find_event(event)
        action = self.parent.get_action(above)
        if action == "cascade" and above == "gone":
            return "gone"
        return "moved" if action in CHANGING and not {*self.parent.columns}.isdisjoint(self.referred) else ""

    def get_action(self, event: Literal["gone", "moved", ""]) -> Action:
        """What the database does to the rows of the child then."""
        return self.on_delete if event == "gone" else self.on_update if event == "moved" else "no action"


@dataclass(frozen=True, kw_only=True, slots=True)
class Firing:
    """What stands between a statement and the table: `name` as a person reads it (`trigger audit`, `view v`)."""

    name: str
    events: frozenset[Event]


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """A question inside the merge's transaction.

    `count` has one cell, which is 0 where all is right. `details` is asked where it is not: one row, each cell a clause
    of a sentence or NULL. `whole` says that every fed column is looked at.
    """

    count: str
    details: str = ""
    whole: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class FedSequence:
    """A sequence that numbers a column of the dest which the load feeds.

    `can_walk` is the right to look at it and take numbers, `can_set` to set it; `indexed` says that the dest's last
    number is found without reading all rows.
    """

    column: str
    table: "TableName"
    increment: int
    low: int
    high: int
    can_walk: bool
    can_set: bool
    indexed: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class MadeType:
    """What a column of a dest that is made gets for a type the dest does not have; `create` makes one of that name."""

    type: str
    create: str = ""
    drop: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Swap:
    """How a table that a run makes may take the dest's place.

    `obstacles` are clauses about the dest (`the view v reads it`) that forbid it, `carried` says what comes along
    (`2 indexes`), `unfired` are the triggers that would have fired had its rows been deleted and inserted. `computed`
    columns depend on the types of others. `shape` is the driver's own.
    """

    obstacles: tuple[str, ...] = ()
    carried: tuple[str, ...] = ()
    unfired: tuple[str, ...] = ()
    computed: tuple[str, ...] = ()
    shape: object = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Rebuild:
    """What of a dest's indexes a merge can take away before its rows come, and make again when they are there.

    `names` are those indexes; `kept` has each other one with the reason why it stays. An `obstacle` says why none can
    go. `rows` is the dest's own guess of what it holds. `unchanged` refuses to go on when somebody has changed an index
    since they were looked at; `make` brings everything back as it was. The dest is `plain` where its rows are its own.
    """

    names: tuple[str, ...] = ()
    kept: tuple[tuple[str, str], ...] = ()
    obstacle: str = ""
    rows: int = 0
    unchanged: Statement | None = None
    drop: tuple[str, ...] = ()
    make: tuple[str, ...] = ()
    plain: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Keeping:
    """What a merge keeps of what it changes: `columns` of the dest (those not computed) in the table `images`.

    Where it replaces all rows (`whole`) the dest before and after it, else the rows that it touches. `note` says whose
    table that is.
    """

    images: "TableName"
    columns: "tuple[TableColumn, ...]"
    whole: bool
    note: str

    @property
    def names(self) -> list[str]:
        """The columns' names, in their order."""
        return [column.name for column in self.columns]


@dataclass(frozen=True, kw_only=True, slots=True)
class Gone:
    """What a merge does to dest rows whose key is gone from the source.

    `scope` is a condition over the dest's columns, which stand in it without an alias; `""` means all rows. They get
    the time `at`, a constant, in the column `mark`, or are deleted without one. `rows` is how many the table of keys
    must hold, once that is known.
    """

    scope: str = ""
    mark: str = ""
    at: str = ""
    rows: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class History:
    """The columns of a dest that keeps versions: when each began and ended, and whether it is the current one.

    `begins_at` and `ends_at` are the time of the run as constants of the two, `yes` and `no` those of the third.
    """

    start: str
    end: str
    current: str
    begins_at: str = ""
    ends_at: str = ""
    yes: str = ""
    no: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class MergePlan:
    """Everything the merge text depends on. `key` holds dest column names; `can_truncate` comes from `TableFacts`.

    `row_key` is a unique key of the dest that is fed. With `keeps` the merge of `full` and `incremental` leaves a row
    whose `row_key` comes again where it is: it is updated, only rows that are gone are deleted, new ones inserted.
    `own` are foreign keys of the dest to itself. `only` means the table itself and not those that inherit from it.
    `referring` and `fires` (names) are what the merge's own statements touch or set off. `sequences` stand behind fed
    columns; with `moves_sequences` the merge moves them on, else it only looks at them. `rebuild` are indexes that it
    makes anew. With a `swap` the staging table is the dest to be. `whole` says that `columns` are all that the dest
    takes, in its order. `unfed` are columns that the query brings nothing for. `filled` says that all rows are in the
    dest already, and only what waits for them is left.

    With `leaves` a keyed merge leaves rows as they are that differ in nothing, `incremental` too, which then deletes
    nothing; `obstacle` says why it does not. `unique` says that the dest has a row for each merge key at most, and an
    index to find it by; `at_once`, that nothing tells an insert that turns into an update from the two of them;
    `apart`, that what differs is then looked for first, by a statement of its own. With an `undo` the merge keeps what
    it changes, and counts the rows it keeps as `kept`, their bytes as `kept bytes`. With `blank` rows come without
    staging into a dest that has none, beside whoever reads it or adds rows of his own.

    `absent` is the plan for rows that are gone from the source: one with `gone`, whose staging has keys alone.
    A plan that `mends` writes what differs and no more: `full` keeps rows by their `row_key` whoever refers to them.
    With `within`, a condition for dest rows `d`, only those of them go that it is true of.
    With a `history` the merge keeps versions, and `absent` is about those that end.
    """

    strategy: Strategy
    staging: "TableName"
    dest: "TableName"
    columns: "tuple[StagedColumn, ...]"
    key: tuple[str, ...] = ()
    null_keys: bool = False
    can_truncate: bool = True
    row_key: tuple[str, ...] = ()
    keeps: bool = False
    own: tuple[Reference, ...] = ()
    only: bool = False
    referring: tuple[Reference, ...] = ()
    fires: tuple[str, ...] = ()
    sequences: tuple[FedSequence, ...] = ()
    moves_sequences: bool = False
    swap: Swap | None = None
    rebuild: Rebuild | None = None
    whole: bool = False
    unfed: tuple[str, ...] = ()
    leaves: bool = False
    obstacle: str = ""
    unique: bool = False
    at_once: bool = False
    apart: bool = False
    mends: bool = False
    within: str = ""
    undo: Keeping | None = None
    blank: bool = False
    filled: bool = False
    gone: Gone | None = None
    absent: "MergePlan | None" = None
    history: History | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class TableFacts:
    """What a merge must know of its dest table. `problem` says why it cannot be written to, if it cannot.

    `not_atomic` says why a merge that fails halfway cannot be undone, where that is so. `keys` are the unique keys that
    compare as their columns do, the primary key first; `sole_key` says that nothing else keeps rows apart. `can_keep`
    says that rows may be updated in place (rights, no rules in the way). `referring` are
    the foreign keys that point at it. `hidden_rows` says that this login may not see every row. `only` says that other
    tables inherit from it and are not part of it. `fires` is what its statements set off. `can_compare` says that all
    columns may be read and updated. `parted` says that it has partitions. `published` names what carries its inserts
    and deletes to others, but not its updates. `blank` says that it is a table without indexes, whose rows may be
    read and deleted, and, as far as can be told without touching it, without any page.
    """

    exists: bool
    can_truncate: bool = False
    problem: str = ""
    not_atomic: str = ""
    keys: tuple[tuple[str, ...], ...] = ()
    can_keep: bool = False
    referring: tuple[Reference, ...] = ()
    hidden_rows: bool = False
    only: bool = False
    fires: tuple[Firing, ...] = ()
    sole_key: bool = False
    can_compare: bool = False
    parted: bool = False
    published: str = ""
    blank: bool = False
