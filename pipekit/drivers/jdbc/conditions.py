# A statement that the wire runs only where its table is there. Pure text; knows no connection.
"""`DROP TABLE x -- {pipekit if-there ["S", "X"]}`, for databases that have no IF EXISTS."""

import json
import re

_CONDITION = re.compile(r" -- \{pipekit if-there (\[[^\r\n]*\])\}\Z")


def build_if_there(sql: str, schema: str | None, table: str) -> str:
    """The statement, marked to be left out where the table is not there."""
    return f"{sql} -- {{pipekit if-there {json.dumps([schema, table])}}}"


def find_condition(sql: str) -> tuple[str | None, str] | None:
    """Schema and table of such a statement, None for any other."""
    found = _CONDITION.search(sql)
    if found is None:
        return None
    schema, table = json.loads(found[1])
    return schema, table
