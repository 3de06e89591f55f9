# Rows that differ, as a dest gives them, put together by their key. Pure: knows no database.
"""`pair_up`."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from pipekit.drivers.comparing import CompareSql
from pipekit.models import Difference

Cells = Sequence[str | None]


def pair_up(sql: CompareSql, rows: Sequence[Cells], most: int) -> tuple[Difference, ...]:
    """The first differences of rows that come in the order of the key, their number last; `most` at most."""
    found: list[Difference] = []
    for key, group in groupby(rows, key=lambda row: tuple(row[: sql.keys or len(sql.names)])):
        staged: list[Cells] = []
        held: list[Cells] = []
        for row in group:
            number = int(row[-1] or 0)
            (staged if number > 0 else held).extend([row[:-1]] * min(abs(number), most))
        found.extend(_pair(sql, dict(zip(sql.names, key, strict=False)), staged, held))
        if len(found) >= most:
            break
    return tuple(found[:most])


def _pair(
    sql: CompareSql, key: dict[str, str | None], staged: Sequence[Cells], held: Sequence[Cells]
) -> Iterator[Difference]:
    both = min(len(staged), len(held)) if sql.keys else 0
    for one, two in zip(staged[:both], held[:both], strict=True):
        places = [place for place, (a, b) in enumerate(zip(one, two, strict=True)) if a != b]
        yield Difference(
            kind="differing",
            key=key,
            columns=tuple(sql.names[place] for place in places),
            values=tuple((one[place], two[place]) for place in places),
        )
    yield from (Difference(kind="missing", key=key) for _ in staged[both:])
    yield from (Difference(kind="extra", key=key) for _ in held[both:])
