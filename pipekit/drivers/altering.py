# What a driver must know whose dests' columns are to be changed: statements, and what stands on a column. No I/O here.
"""`Altering`, a part of `drivers.base.Driver`: a column of a dest is renamed, gets another type, or goes."""

from dataclasses import dataclass

from pipekit.drivers.tables import TableColumn, TableName
from pipekit.drivers.types import Type
from pipekit.models.altering import Change
from pipekit.runner_contract import Query, Statement

_WHOLE = ("int16", "int32", "int64")
# How many of the values that do not fit are named.
MOST_TOLD = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """Something of the dest that stands on a column, by a name a person knows: `index t_v_idx`, `view v`.

    `blocks` are the changes that it forbids; with `falls` it goes along when the column goes.
    """

    name: str
    blocks: frozenset[Change] = frozenset()
    falls: bool = False


def is_wider(have: Type, want: Type) -> bool:
    """Whether a type holds every value of another, as it is, and is not the same: of whole numbers, decimals, texts."""
    if have.name == want.name == "text":
        return have.length is not None and (want.length is None or want.length > have.length)
    if have.name in _WHOLE and want.name in _WHOLE:
        return _WHOLE.index(want.name) > _WHOLE.index(have.name)
    if have.name == want.name == "decimal" and have != want and have.precision is not None:
        if want.precision is None:
            return True
        scale, wanted = have.scale or 0, want.scale or 0
        return wanted >= scale and want.precision - wanted >= have.precision - scale
    return False


class Altering:
    """A kind that cannot change a column refuses it."""

    def find_alter_refusal(self, what: Change, was: TableColumn, to: str) -> str:
        """Why a column cannot be changed so, as a clause; `""` when it can."""
        return "Pipekit does not know how this kind of database does it"

    def find_standing(self, query: Query, table: TableName, column: str) -> tuple[Standing, ...]:
        """What stands on a column, as far as the database tells."""
        return ()

    def build_rename_sql(self, query: Query, table: TableName, column: str, name: str) -> tuple[Statement, ...]:
        """Calls a column otherwise."""
        raise NotImplementedError

    def build_retype_sql(self, query: Query, table: TableName, column: TableColumn) -> tuple[Statement, ...]:
        """Gives a column that is there the type of this one, where it stands; none where that cannot be."""
        return ()

    def build_drop_column_sql(self, query: Query, table: TableName, column: str) -> tuple[Statement, ...]:
        """Takes a column out of its table."""
        raise NotImplementedError

    def build_alter_lock(self, table: TableName) -> tuple[Statement, ...]:
        """Keeps everybody else out of the table from the looks to the commit; none where a transaction does that."""
        return ()

    def build_fitting_looks(
        self, table: TableName, was: TableColumn, to: str, key: tuple[str, ...]
    ) -> tuple[Statement, ...]:
        """Refuse to go on where a value would not be the same in the new type; name rows, by `key` if there is one.

        They change nothing that stays. None where the type holds every value, or the kind alters by such types alone.
        """
        return ()


def build_misfits(sql: str, column: str, to: str, details: str) -> Statement:
    """The look at values that do not fit: `sql` counts them, `details` lists a few."""
    told = f"{{got}} values of '{column}' would not be the same as {to}: {{told}}."
    hint = "Mend these rows, or choose a type that holds them. Nothing was changed."
    return Statement(sql=sql, name="misfits", value=True, refusal=told, details=details, hint=hint)
