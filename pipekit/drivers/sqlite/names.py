# The names of tables as a person writes them for SQLite. Pure text.
"""`split_table`."""

import re

from pipekit.errors import Invalid

_PART = re.compile(r"""\s*(?:"((?:[^"]|"")+)"|\[([^\]]+)\]|`((?:[^`]|``)+)`|([^\s"'`\[\].;()]+))\s*""")


def split_table(text: str) -> list[tuple[str, bool]]:
    """The parts of a table's name, quotes taken off, and which had some."""
    parts: list[tuple[str, bool]] = []
    at = 0
    while (match := _PART.match(text, at)) is not None:
        double, bracket, back, plain = match.groups()
        quoted = double.replace('""', '"') if double else back.replace("``", "`") if back else bracket
        parts.append((quoted or plain, bool(quoted)))
        if match.end() == len(text) and "\0" not in text:
            return parts
        if text[match.end() : match.end() + 1] != ".":
            break
        at = match.end() + 1
    hint = 'A name with blanks or other marks stands in double quotes: "order lines".'
    raise Invalid(f"'{text}' is not the name of a table.", field="dest_table", hint=hint)
