# The statements by which a driver asks the wire about its database. Pure text; knows no connection.
"""`{pipekit columns ["APP", "ORDERS"]}`: a word, and its arguments as one JSON list.

A generic driver knows no catalogue to query; the wire answers these from the driver's own metadata.
"""

import json
import re

from pipekit.errors import Invalid

WORDS = (
    "database", "schemas", "tables", "columns", "primary-key", "unique-indexes", "references", "types", "describe",
    "isolation",
)  # fmt: skip

_ASK = re.compile(r"\{pipekit ([a-z-]+)(?: (\[.*\]))?\}", re.DOTALL)


def build_ask(word: str, *arguments: str | None) -> str:
    """The statement that asks for `word`."""
    return f"{{pipekit {word} {json.dumps(arguments)}}}"


def find_ask(sql: str) -> tuple[str, list[str | None]] | None:
    """The word and arguments of such a statement, None for any other. Raises Invalid for one that is malformed."""
    text = sql.strip()
    if not text.startswith("{pipekit "):
        return None
    match = _ASK.fullmatch(text)
    if match is None or match[1] not in WORDS:
        raise Invalid(f"This asks for nothing known: {text[:80]}", field="query", hint=f"Words: {', '.join(WORDS)}.")
    return match[1], json.loads(match[2] or "[]")
