# Names with values in one text, as forms have them and the state keeps them. Knows no field.
"""`parse_pairs` and `format_pairs`: `NAME = 273, "a, b" = 500`."""

import re
from collections.abc import Mapping

_PAIR = re.compile(r'\s*(?:"((?:[^"]|"")+)"|([^",=]+?))\s*=\s*([^,=]*?)\s*(?:,|\Z)')
_PLAIN = re.compile(r'[^\s",=](?:[^",=]*[^\s",=])?')


def parse_pairs(text: str) -> dict[str, str]:
    """Name -> value, in order. Raises ValueError, with a sentence, for a text that is no such list."""
    found: dict[str, str] = {}
    at, text = 0, text.strip().removesuffix(",")
    while at < len(text):
        pair = _PAIR.match(text, at)
        if pair is None or not pair[3]:
            raise ValueError(f"'{text[at : at + 40].strip()}' is not NAME = VALUE, with commas between several.")
        name = pair[1].replace('""', '"') if pair[1] else pair[2]
        if name in found:
            raise ValueError(f"'{name}' stands twice.")
        found[name] = pair[3]
        at = pair.end()
    return found


def format_pairs(pairs: Mapping[str, object]) -> str:
    """The text that `parse_pairs` reads as these; names are quoted where they would be read otherwise."""

    def write(name: str) -> str:
        return name if _PLAIN.fullmatch(name) else '"' + name.replace('"', '""') + '"'

    return ", ".join(f"{write(name)} = {value}" for name, value in pairs.items())
