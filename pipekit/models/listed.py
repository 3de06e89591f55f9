# Texts that are lists: how a form and a record have them, and how a definition file does. Knows no record.
"""`split_listed`, `join_listed` and their like, for fields that are told as `listed`.

A page shows one text, which people change as such; a file may also say it as what it is.

| form | text | file |
|---|---|---|
| `names` | `a, b` | list of names |
| `keys` | a key a line: `a, b` | list of keys, each a name or a list of names |
| `values` | a column a line: `status: new, paid` | column: list of values |
| `texts` | with a line `---` between two | list of texts |
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pipekit.models.definitions import format_key, parse_key

_BETWEEN = "\n---\n"
_LINE = re.compile(r'\s*("(?:[^"]|"")+"|[^":]+?)\s*:\s*(.*)')


def split_listed(form: str, text: str) -> Any:
    """The text as plain data: a list, for `values` a mapping of lists. Raises ValueError for a line that is none."""
    if form == "names":
        return list(parse_key(text))
    if form == "texts":
        return [part.strip("\n") for part in f"\n{text}\n".split(_BETWEEN) if part.strip()]
    lines = [line for line in text.splitlines() if line.strip()]
    if form == "keys":
        return [names[0] if len(names) == 1 else list(names) for names in map(parse_key, lines) if names]
    return dict(map(_split_line, lines))


def _split_line(line: str) -> tuple[str, list[str]]:
    found = _LINE.fullmatch(line)
    values = list(parse_key(found[2])) if found else []
    if not found or not values:
        raise ValueError(f"A line is a column, a colon and values with commas between them, not {line.strip()!r}.")
    return parse_key(found[1])[0], values


def join_listed(form: str, data: Any) -> str:
    """The text of plain data, which `split_listed` reads again; what is a text already stays one."""
    if isinstance(data, str):
        return data
    if form == "names":
        return format_key(data)
    if form == "texts":
        return _BETWEEN.join(data)
    if form == "keys":
        return "\n".join(format_key([key] if isinstance(key, str) else key) for key in data)
    return "\n".join(f"{_quote(name)}: {format_key(values)}" for name, values in data.items())


def _quote(name: str) -> str:
    plain = format_key([name])
    return f'"{name}"' if ":" in name and plain == name else plain


def unfold_listed(form: str, text: str) -> Any:
    """The plain data that reads back as exactly this text, else the text itself."""
    try:
        data = split_listed(form, text)
    except ValueError:
        return text
    return data if join_listed(form, data) == text else text


def find_unlisted(form: str, data: Mapping[str, Any] | Sequence[Any]) -> str:
    """Why plain data cannot be such a text, as a sentence; `""` when it can."""
    try:
        text = join_listed(form, data)
        read = split_listed(form, text)
    except ValueError as error:
        return str(error)
    if form == "keys":
        data = [key[0] if not isinstance(key, str) and len(key) == 1 else key for key in data]
    return "" if read == data else "A name or a value here is empty, or has a line end in it."
