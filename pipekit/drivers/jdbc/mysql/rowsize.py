# How wide the columns of a table may be that MySQL or MariaDB is to make: a row has 65,535 bytes. Pure text.
"""`fit_row`."""

from collections.abc import Sequence

from pipekit.drivers.base import TableColumn
from pipekit.drivers.jdbc.mysql.types import parse_type

# Of 65,535; the rest is for what every row needs beside its columns.
_MOST_BYTES = 60_000
# Long texts and bytes lie outside and count with little more than an address.
_OUTSIDE = 12
_LARGER = {"VARCHAR": "LONGTEXT", "CHAR": "LONGTEXT", "VARBINARY": "LONGBLOB", "BINARY": "LONGBLOB"}


def fit_row(columns: Sequence[TableColumn]) -> list[str]:
    """The columns' types; the widest texts and bytes outside the key become long ones until a row holds them all."""
    types = [column.type for column in columns]
    sizes = [_count_bytes(text) for text in types]
    order = sorted(range(len(types)), key=lambda place: sizes[place], reverse=True)
    for place in order:
        if sum(sizes) <= _MOST_BYTES:
            break
        larger = _LARGER.get(parse_type(types[place]).base)
        if larger and not columns[place].in_key:
            types[place], sizes[place] = larger, _OUTSIDE
    return types


def _count_bytes(type_text: str) -> int:
    type_ = parse_type(type_text)
    if type_.base in ("VARCHAR", "CHAR"):
        return 4 * (type_.first or 1) + 2
    if type_.base in ("VARBINARY", "BINARY"):
        return (type_.first or 1) + 2
    return (type_.first or 10) // 2 + 4 if type_.base in ("DECIMAL", "NUMERIC") else _OUTSIDE
