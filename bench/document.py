# The tables of docs/benchmarks.md, written from the JSON of a run. Measures nothing.
"""`python -m bench.document JSON ...` writes what was measured between the marks of the document, as `--write` does.

A place begins with `<!-- figures: PART -->`, or with `<!-- figures: PART ROWS -->` for one size of the big table, and
ends with `<!-- end -->`.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.tables import Limit

DOCUMENT = Path(__file__).parent.parent / "docs" / "benchmarks.md"
_END = "<!-- end -->"
# What is of use to the one who measures only.
_LEFT_OUT = ("runs", "answers", "kB")
_MANY = 6


class NoPlace(Exception):
    """The document has no place for what was measured."""


def write_figures(record: Mapping[str, Any], path: Path = DOCUMENT) -> list[str]:
    """Writes each part's tables into its place; returns the places. Raises NoPlace before anything is written."""
    text = path.read_text(encoding="utf-8")
    written = []
    for name, part in record["parts"].items():
        marks = [f"<!-- figures: {place} -->\n" for place in (f"{name} {record['rows']}", name)]
        mark = next((each for each in marks if each in text), None)
        if mark is None:
            raise NoPlace(f"{path.name} has no place for {name}: {' or '.join(map(str.strip, marks))}")
        before, _, rest = text.partition(mark)
        text = before + mark + "\n".join(_list_lines(record, part)) + _END + rest.partition(_END)[2]
        written.append(mark.removeprefix("<!-- figures: ").removesuffix(" -->\n"))
    path.write_text(text, encoding="utf-8")
    return written


def _list_lines(record: Mapping[str, Any], part: Mapping[str, Any]) -> Iterator[str]:
    for table in part["tables"]:
        yield ""
        yield from _list_table(table)
    yield from [""] * bool(part["limits"])
    yield from _list_limits([Limit(**{**item, "measured": float(item["measured"])}) for item in part["limits"]])
    yield ""
    yield f"{record['began'][:10]}, rounds: {_count_rounds(record, part)}, {record['machine']}, {record['servers']}"
    yield from record["notes"]
    yield ""


def _list_limits(limits: Sequence[Limit]) -> Iterator[str]:
    """Each limit; of many, those that are missed and how many hold."""
    told = limits if len(limits) <= _MANY else [limit for limit in limits if not limit.holds]
    yield from (f"- {limit.describe()}" for limit in told)
    if told is not limits:
        yield f"- {len(limits) - len(told)} of {len(limits)} limits are held"


def _count_rounds(record: Mapping[str, Any], part: Mapping[str, Any]) -> int:
    """As many as the first contender made, where there are contenders: time may have run out."""
    table = part["tables"][0]
    return len(table["rows"][0][-1].split()) if table["head"][-1] == "runs" else int(record["rounds"])


def _list_table(table: Mapping[str, Any]) -> Iterator[str]:
    kept = [number for number, name in enumerate(table["head"]) if name not in _LEFT_OUT]
    for row in (table["head"], ["---"] * len(table["head"]), *table["rows"]):
        cells = [row[number] for number in kept]
        # A reason stands where the runs are.
        reason = row[-1] if row[-1].startswith("not counted") else ""
        yield f"| {' | '.join(cells[:-1] + [reason or cells[-1]])} |"


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        print(", ".join(write_figures(json.loads(Path(argument).read_text()))))
