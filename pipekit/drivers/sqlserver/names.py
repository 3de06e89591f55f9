# Names and texts of SQL Server: quoting, table names, text constants. Pure text; knows no connection.
"""How SQL Server's tables are named."""

import re

from pipekit.drivers.base import TableName
from pipekit.errors import Invalid

# A name holds 128 UTF-16 units; as many bytes of UTF-8 are never more than that.
LONGEST_NAME = 128
DEFAULT_SCHEMA = "dbo"

_NAME_PART = re.compile(r"""\s*(?:\[((?:[^\]]|\]\])+)\]|"((?:[^"]|"")+)"|([^\[\]".\s][^\[\]".]*?))\s*(\.|\Z)""")
_CONTINUED = re.compile(r"\\(?=[\r\n])")


def quote_identifier(name: str) -> str:
    """A name in brackets; raises Invalid for one SQL Server cannot have."""
    if not name or "\0" in name:
        raise Invalid("A name cannot be empty or hold a NUL character.")
    if count_units(name) > LONGEST_NAME:
        raise Invalid(f"The name '{name[:40]}...' is longer than the {LONGEST_NAME} characters SQL Server allows.")
    return "[" + name.replace("]", "]]") + "]"


def quote_table(table: TableName) -> str:
    """A table with its schema, both quoted."""
    name = quote_identifier(table.name)
    return f"{quote_identifier(table.schema)}.{name}" if table.schema else name


def quote_text(text: str) -> str:
    """A Unicode text constant.

    T-SQL drops a backslash at the end of a line together with the line's end, so a constant is cut in two there.
    """
    if "\0" in text:
        raise Invalid("A text constant cannot hold a NUL character.")
    quoted = "N'" + text.replace("'", "''") + "'"
    if not _CONTINUED.search(text):
        return quoted
    return "CAST(N'' AS nvarchar(max)) + " + _CONTINUED.sub(lambda _: "\\' + N'", quoted)


def count_units(text: str) -> int:
    """The length of a text as SQL Server counts it."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def read_table(text: str) -> tuple[tuple[str, bool], ...]:
    """`orders`, `dbo.orders`, `[dbo].[orders]` or with double quotes -> its names, and which stood in quotes."""
    parts: list[tuple[str, bool]] = []
    position, more = 0, True
    while more:
        match = _NAME_PART.match(text, position)
        if match is None:
            raise Invalid(f"'{text}' is not the name of a table.", field="table", hint="Write table or schema.table.")
        bracketed, quoted, plain, separator = match.groups()
        if bracketed is not None:
            parts.append((bracketed.replace("]]", "]"), True))
        else:
            parts.append((plain, False) if quoted is None else (quoted.replace('""', '"'), True))
        position, more = match.end(), separator == "."
    if len(parts) > 2:
        hint = "Write schema.table; the database is the connection's."
        raise Invalid(f"'{text}' has more than a schema and a table.", field="table", hint=hint)
    for name, _ in parts:
        quote_identifier(name)
    return tuple(parts)
