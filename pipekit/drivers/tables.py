# What drivers say of addresses, tables and columns. Plain records; knows no database.
"""Tables, their columns, and how a column travels."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pipekit.runner_contract import ResultColumn


@dataclass(frozen=True, kw_only=True, slots=True)
class TableName:
    """A table, perhaps with its schema; both unquoted."""

    schema: str | None
    name: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}" if self.schema else self.name


@dataclass(frozen=True, kw_only=True, slots=True)
class TableInfo:
    """One table or view in a listing. `rows` is the database's own estimate, None where it has none."""

    schema: str
    name: str
    is_view: bool = False
    rows: int | None = None
    comment: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class TableColumn:
    """A column of an existing table. `generated` columns are computed by the database and cannot be fed.

    An `identity` column is numbered by the database, but takes a value where the merge asks for it. `under` is the type
    that a `type` of one's own stands on (`record` of a composite one), `""` where it stands for itself. `grows` is what
    the database itself keeps there that is larger with every row, or with every change of one.
    """

    name: str
    type: str
    under: str = ""
    nullable: bool = True
    has_default: bool = False
    generated: bool = False
    identity: bool = False
    in_key: bool = False
    comment: str | None = None
    grows: Literal["", "identity", "row change"] = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """What a watermark on a table may stand on beside its plain columns, and what it does not survive or see.

    `name` is a column of the table, or with an `expression` what a query calls that. One with a `query` needs that one
    instead of a comparison. `told` are pairs: what happens to the table, and what then becomes of the watermark.
    """

    name: str
    what: str
    told: tuple[tuple[str, str], ...]
    expression: str = ""
    type: str = ""
    query: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class DateForm:
    """How the digits of a number are a date, or a time of the day: `CYYMMDD`, where C is 0 for 19.. and 1 for 20.. ."""

    name: str
    digits: int
    is_time: bool = False

    @property
    def nines(self) -> int:
        """What stands for a day that never comes: as many nines as there are digits."""
        return int("9" * self.digits)


@dataclass(frozen=True, kw_only=True, slots=True)
class Cast:
    """Another reading of a column: what a person chooses it by, the expression, and the type of its result.

    One with a `form` is for columns whose values all fit it, and `for_nines` for those that have its nines.
    """

    label: str
    expression: str
    type: str
    form: DateForm | None = None
    for_nines: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """A parsed JDBC URL. `database` is a file name for embedded kinds; `options` holds only allowed parameters."""

    host: str = ""
    port: int = 0
    database: str = ""
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class StagedColumn:
    """How one column travels: source -> staging -> dest.

    `stage_type` is the type of the staging column, None for "as the dest column". `lossy` says that the dest's own
    conversion from `stage_type` could change a value silently, so that the driver's exactness statements must prove it
    did not. `checked` says that the staging column could change a value while it is loaded, so that the sink must look
    at each. `refused` is a reason why no value of the source type can be stored at all.
    """

    source: ResultColumn
    dest: TableColumn
    stage_type: str | None = None
    lossy: bool = False
    checked: bool = False
    refused: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class LedgerEntry:
    """What the dest's ledger keeps of a run; `run_key` is its primary key there."""

    run_key: str
    run_id: int
    module: str
    fence: int
    rows: int | None = None
