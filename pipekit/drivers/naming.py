# How a kind of database names its tables: reading, folding, quoting, finding. Text, and looks through `query`; no I/O.
"""`Naming`: the part of a driver that knows which table a text means."""

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from pipekit.drivers.tables import TableInfo, TableName
from pipekit.errors import Invalid
from pipekit.runner_contract import Query

_PLAIN = re.compile(r"[^\W\d][\w$#@]*")


class Naming(ABC):
    """Names as one kind has them. A name without quotes is folded; one in quotes is taken as it is."""

    # Why a session may have no schema of its own, and what gives it one.
    schema_told: ClassVar[str] = "its login has no schema"
    schema_mend: ClassVar[str] = "give the login one"

    def browse_fields(self) -> tuple[str, ...]:
        """What a person picks, in order, to reach a table: `("schema", "table")` or `("table",)`."""
        return ("schema", "table")

    @property
    def has_schemas(self) -> bool:
        """Whether a table stands in a schema."""
        return "schema" in self.browse_fields()

    @abstractmethod
    def quote_identifier(self, name: str) -> str:
        """A name as the database takes it verbatim: quoted, quotes doubled; raises Invalid for one it cannot have."""

    def quote_table(self, table: TableName) -> str:
        """A table as the database takes it."""
        name = self.quote_identifier(table.name)
        return f"{self.quote_identifier(table.schema)}.{name}" if table.schema else name

    # -- what a text means ---------------------------------------------------------------------------------------------

    @abstractmethod
    def read_table(self, text: str) -> tuple[tuple[str, bool], ...]:
        """`orders`, `public.orders` or with quotes -> its names, the table's last, and which of them stood in quotes.

        Raises Invalid (field `table`) for what is no name, or names more than the kind has.
        """

    def fold_name(self, name: str) -> str:
        """A name that stands without quotes as the database stores it."""
        return name

    def parse_table(self, text: str) -> TableName:
        """What a statement would mean by this text; without a schema where it names none."""
        return _join([name if quoted else self.fold_name(name) for name, quoted in self.read_table(text)])

    def parse_as_typed(self, text: str) -> TableName:
        """The same with every name as it is typed, as if all stood in quotes."""
        return _join([name for name, _ in self.read_table(text)])

    def find_meant(self, query: Query, text: str) -> TableName:
        """As `parse_table`, where only the session knows how names are folded."""
        return self.parse_table(text)

    def resolve_table(self, query: Query, text: str) -> TableName:
        """The table a session means by this text, with its schema; one that is not there yet as it would be made.

        One that is there only as it is typed, in quotes, is taken too. Raises Invalid where there is no schema.
        """
        meant, typed = self.find_meant(query, text), self.parse_as_typed(text)
        spellings = dict.fromkeys((meant, typed, TableName(schema=meant.schema, name=typed.name)))
        found = next(filter(None, (self.find_table(query, table) for table in spellings)), None)
        if found or meant.schema or not self.has_schemas:
            return found or meant
        schema = self.find_session_schema(query)
        if schema is None:
            message = f"'{text}' names no schema, and the session has none of its own: {self.schema_told}."
            raise Invalid(message, field="table", hint=f"Write schema.table, or {self.schema_mend}.")
        return TableName(schema=schema, name=meant.name)

    @abstractmethod
    def find_table(self, query: Query, table: TableName) -> TableName | None:
        """A table or view that is there, called as the database calls it; one without a schema as the session finds it.

        The names are compared as in a statement in which they stand in quotes.
        """

    def find_session_schema(self, query: Query) -> str | None:
        """The schema in which a session makes a table whose name says none; None where it has no such schema."""
        return None

    def find_alike(self, query: Query, table: TableName) -> list[TableName]:
        """Tables and views that differ from this one by the case of their names only."""
        wanted = (table.schema or "").casefold()
        schemas = self.list_schemas(query) if self.has_schemas else [""]
        return [
            TableName(schema=info.schema if self.has_schemas else None, name=info.name)
            for schema in schemas
            if schema.casefold() == wanted
            for info in self.list_tables(query, schema)
            if info.name.casefold() == table.name.casefold() and (info.schema, info.name) != (table.schema, table.name)
        ]

    def write_table(self, table: TableName) -> str:
        """A table as a person writes it: in quotes is only what would else be read as another name."""
        return ".".join(self.write_name(name) for name in (table.schema, table.name) if name)

    def write_name(self, name: str) -> str:
        """A name as a person writes it: in quotes where it would else be read as another one."""
        is_plain = _PLAIN.fullmatch(name) and self.fold_name(name) == name
        return name if is_plain else self.quote_identifier(name)

    # -- looking -------------------------------------------------------------------------------------------------------

    def list_looks(self, table: TableName) -> tuple[str, ...]:
        """What the looks at a dest of this name will ask, where one answer to all spares time; none where it does not.

        An answer is taken by its text; what is not here is asked when it is wanted.
        """
        return ()

    @abstractmethod
    def list_schemas(self, query: Query) -> list[str]:
        """Schemas with tables a person may want, the system's own left out."""

    @abstractmethod
    def list_tables(self, query: Query, schema: str) -> list[TableInfo]:
        """Tables and views of a schema."""


def _join(names: Sequence[str]) -> TableName:
    return TableName(schema=names[0] if len(names) == 2 else None, name=names[-1])
