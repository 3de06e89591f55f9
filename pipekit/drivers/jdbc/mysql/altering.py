# The type of a MySQL or MariaDB column, changed within the column's own text. Pure text and one look.
"""`build_retype`: MODIFY COLUMN forgets default, comment, character set and NOT NULL where they are not said again."""

import re

from pipekit.drivers.base import TableColumn
from pipekit.runner_contract import Query, Statement

_TYPE = r"\s+\w+(?:\([\d,]+\))?(?: unsigned)?(?: zerofill)?"
_CHARACTERS = re.compile(r"\s+(?:CHARACTER SET|COLLATE)\s+\w+", re.IGNORECASE)


def drop_characters(type_text: str) -> str:
    """A type without its character set and collation, which a column keeps as they are."""
    return _CHARACTERS.sub("", type_text)


def build_retype(query: Query, table: str, name: str, column: TableColumn) -> tuple[Statement, ...]:
    """`table` and `name` are quoted; none where the server writes the column in a way that is not known here."""
    text = query(f"SHOW CREATE TABLE {table}").rows[0][1] or ""
    found = re.search(rf"^\s*{re.escape(name)}{_TYPE}(?P<rest>.*?),?$", text, re.MULTILINE | re.IGNORECASE)
    if found is None:
        return ()
    type_text = drop_characters(column.type)
    return (Statement(sql=f"ALTER TABLE {table} MODIFY COLUMN {name} {type_text}{found['rest']}"),)
