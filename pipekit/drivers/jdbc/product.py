# What a product that is reached over JDBC is described by: addresses, names, types, words. Knows none of them.
"""`Product`, and `Spellings` of types."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pipekit.drivers.types import TypeName
from pipekit.models.altering import Change

Fold = Literal["upper", "lower", "keep"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Spellings:
    """How a product spells the neutral types; `{n}` and `{s}` stand for length or precision, and scale.

    `text`, `char` and `bytes` are used up to `max_text`, `max_char` and `max_bytes`; what is longer or has no limit is
    `long_text` or `long_bytes`. `decimal` is used up to `max_precision`; `any_decimal` is for numbers of unknown size.
    """

    plain: Mapping[TypeName, str]
    text: str = "VARCHAR({n})"
    char: str = "CHAR({n})"
    bytes: str = "VARBINARY({n})"
    fixed_bytes: str = ""
    long_text: str = "CLOB"
    long_bytes: str = "BLOB"
    max_text: int = 32000
    max_char: int = 254
    max_bytes: int = 32000
    decimal: str = "DECIMAL({n},{s})"
    any_decimal: str = "DECIMAL(38,10)"
    max_precision: int = 38
    time: str = "TIME"
    timetz: str = ""
    timestamp: str = "TIMESTAMP({n})"
    any_timestamp: str = "TIMESTAMP"
    timestamptz: str = "TIMESTAMP({n}) WITH TIME ZONE"
    any_timestamptz: str = "TIMESTAMP WITH TIME ZONE"
    max_fraction: int = 6


PLAIN: Mapping[TypeName, str] = {
    "bool": "BOOLEAN",
    "int16": "SMALLINT",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "float32": "REAL",
    "float64": "DOUBLE PRECISION",
    "date": "DATE",
    "uuid": "CHAR(36)",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Product:
    """A database product. Empty texts and None mean what the standard says.

    `schemes` are the beginnings of its addresses, `parameters` the names an address may set (in lower case; None: any
    that is not known to be dangerous), `local` the beginnings of an address behind the scheme that name a file of this
    machine, `remote` those that name a server. `named_sql` gives schema and name of the table that a session finds by
    `{name}`, a literal, and `schema_sql` the schema of names without one; without them the driver is asked. With
    `own_schema` staging lies in the login's own schema. `case_blind_sql` gives true where names that differ in case are
    equal.
    """

    name: str
    label: str
    url_example: str
    java_class: str = ""
    schemes: tuple[str, ...] = ()
    parameters: frozenset[str] | None = None
    remote: tuple[str, ...] = ("//",)
    local: tuple[str, ...] = ()
    quote: str = '"'
    fold: Fold = "upper"
    named_sql: str = ""
    schema_sql: str = ""
    case_blind_sql: str = ""
    own_schema: bool = False
    max_name_bytes: int = 128
    spellings: Spellings = field(default_factory=lambda: Spellings(plain=PLAIN))
    version_sql: str = ""
    one_row: str = "(VALUES (1)) AS one (x)"
    row_number: str = "ROW_NUMBER() OVER ()"
    as_text: str = "CAST({value} AS VARCHAR(200))"
    drops_if_exists: bool = True
    merges: bool = True
    # Whether an alias stands before FROM: `DELETE d FROM t d`, `UPDATE d SET ... FROM t d`.
    alias_first: bool = False
    # NULL as a whole number, for a row that is selected.
    null_number: str = "CAST(NULL AS {type})"
    # Whether `||` joins texts, an index is named with its schema, and INSERT knows OVERRIDING SYSTEM VALUE.
    concatenates: bool = True
    index_in_schema: bool = True
    overrides: bool = False
    # Whether rows can be compared by GROUP BY, as was seen; of others they are counted.
    compares: bool = False
    # Whether blanks at the end of texts make no difference to a comparison.
    pads: bool = False
    # A long text or value of no order as one that can be compared; empty where there is none.
    compare_long: str = ""
    # The same of long bytes, where it is another.
    compare_long_bytes: str = ""
    # A value of a type that only the product knows, as one that can be compared.
    compare_other: str = ""
    # Types that no other word stands for, and whether only the size of a time tells how many digits its seconds have.
    own_names: frozenset[str] = frozenset()
    sized_clocks: bool = False
    # The columns of a table {table} in {schema} that compare in a way of their own: name and collation.
    collations_sql: str = ""
    # Whether WITH and SELECT without FROM are known.
    has_with: bool = False
    # How it changes a column, as was seen: {table}, {column}, {name}, {type}; what is missing is refused.
    alters: Mapping[Change, str] = field(default_factory=dict)
    lengthens_only: bool = False  # no other type of a column can be changed than the length of a text
    # Types of which no text can be made for an example of a key.
    no_text: tuple[TypeName, ...] = ("bytes",)
