# Writes the document that lists source type -> dest type for each pair of kinds. Pure: drivers in, Markdown out.
"""`docs/types.md`, made by `python -m pipekit.drivers.typetable > docs/types.md` and compared by a test."""

import sys
from collections.abc import Sequence

from pipekit.drivers import DRIVERS, get_driver
from pipekit.drivers.base import Driver
from pipekit.drivers.types import Type

_HEAD = """# Types

Which type a dest column gets when Pipekit makes the table from a source query. `pipekit.drivers.typetable` writes this
page from the drivers themselves; change a driver, then run `python -m pipekit.drivers.typetable > docs/types.md`.

A table that exists keeps its own types: a value goes in when the dest's column holds it exactly, and is refused with
its column and row when not. Between two databases of one kind every type keeps its own spelling.

Blanks at the end of fixed-length text (`char(n)`) are the same for every pair: a dest column that is `char` too fills
up by itself, whatever its length, and every other one gets the text as the source gives it, blanks included.
`trim_char: true` on the module reads such columns without them, and tables made then get `varchar`. SQLite and MariaDB
fill nothing up."""


def build_type_table(drivers: Sequence[Driver]) -> str:
    """The whole page as Markdown, one table per pair of kinds in the order of the drivers."""
    pairs = [_build_pair(source, dest) for source in drivers for dest in drivers]
    return "\n\n".join([_HEAD, *pairs]) + "\n"


def _build_pair(source: Driver, dest: Driver) -> str:
    lines = [
        f"## {source.label} to {dest.label}",
        "",
        "| source type | neutral type | dest type |",
        "|---|---|---|",
    ]
    for spelling in source.type_examples:
        cells = (_code(spelling), _describe(source.to_neutral(spelling)), _code(dest.map_type(spelling, source)))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _code(spelling: str) -> str:
    return f"`{spelling}`".replace("|", "\\|") if spelling else "(none declared)"


def _describe(neutral: Type) -> str:
    if neutral.name == "decimal" and neutral.precision is not None:
        return f"decimal({neutral.precision},{neutral.scale or 0})"
    size = neutral.length if neutral.length is not None else neutral.precision
    return f"{neutral.name}({size})" if size is not None else neutral.name


if __name__ == "__main__":
    sys.stdout.write(build_type_table([get_driver(kind) for kind in DRIVERS]))
