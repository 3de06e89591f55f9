# A stream's blocks as columns of what SQLite stores. Loaded in the runner child only; knows no connection.
"""`BlockConverter`: takes a block apart, and says of a value that does not fit where it stands."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from pipekit.drivers.sqlite.copytext import build_copy_converters, cut_copy_text, split_copy_text
from pipekit.drivers.sqlite.values import Converter, Unfit, build_row_converters
from pipekit.drivers.wire import Format
from pipekit.errors import Inexact
from pipekit.runner_contract import Load

Columns = Sequence[Sequence[Any]]


class BlockConverter:
    """For the blocks of one load in one format."""

    def __init__(self, load: Load, format: Format) -> None:
        self._load = load
        self._cut: Callable[[Any], Iterable[Any]] = cut_copy_text if format == "copy-text" else lambda block: (block,)
        self._split, self._converters = _choose_converters(load, format)

    def convert(self, block: Any, done: int) -> Iterator[list[Sequence[Any]]]:
        """The block's columns, piece by piece; `done` rows came before. Raises Inexact."""
        for piece in self._cut(block):
            if columns := [self._convert(place, cells, done) for place, cells in enumerate(self._split(piece))]:
                yield columns
                done += len(columns[0])

    def _convert(self, place: int, cells: Sequence[Any], done: int) -> Sequence[Any]:
        try:
            return self._converters[place](cells)
        except Unfit as error:
            raise name_unfit(self._load, place, error.reason, done + error.index + 1) from None


def name_unfit(load: Load, place: int, reason: str, row: int) -> Inexact:
    """What is said of a value that the column at `place` cannot hold."""
    column = load.columns[place].source_name
    return Inexact(f"Column {column}, row {row}: {reason}.", column=column, row=row)


def _choose_converters(load: Load, format: Format) -> tuple[Callable[[Any], Columns], list[Converter]]:
    if format == "copy-text":
        split = partial(split_copy_text, width=len(load.columns))
        return split, build_copy_converters(load.columns, load.exact)
    if format == "arrow":
        return _split_batch, build_row_converters(load.columns, load.exact, foreign=True)
    return _transpose, build_row_converters(load.columns, load.exact)


def _split_batch(batch: Any) -> list[list[Any]]:
    # Loaded late: most moves need no Arrow.
    from pipekit.drivers.arrow import column_values

    return [column_values(column) for column in batch.columns] if batch.num_rows else []


def _transpose(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return list(zip(*rows, strict=True))
