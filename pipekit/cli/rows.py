# Rows of a query as text: table, CSV, TSV, JSON. Knows nothing of where they come from.
"""`WRITERS`: each takes blocks of rows and writes them to standard output as they come."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import click

from pipekit.cli.session import Session
from pipekit.cli.text import clean_line, clean_text, get_width, pad, shows_everything
from pipekit.runner_contract import QueryResult

WIDEST = 60
_NEEDS_QUOTES = frozenset(',"\n\r')
_TSV = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})

Writer = Callable[[Iterable[QueryResult], Session], None]


def _write(text: str) -> None:
    """Data goes out as it is; on a terminal without what could steer it."""
    sys.stdout.write(clean_text(text) if sys.stdout.isatty() else text)


def write_csv(blocks: Iterable[QueryResult], session: Session) -> None:
    """CSV with a header line."""
    _write_lines(blocks, lambda cells: ",".join(quote_csv(cell) for cell in cells))


def quote_csv(cell: str | None) -> str:
    """NULL is nothing at all, an empty string is `""`."""
    if cell is None:
        return ""
    if cell == "" or not _NEEDS_QUOTES.isdisjoint(cell) or cell != cell.strip():
        return '"' + cell.replace('"', '""') + '"'
    return cell


def write_tsv(blocks: Iterable[QueryResult], session: Session) -> None:
    """Tab separated with a header line."""
    _write_lines(blocks, lambda cells: "\t".join("\\N" if cell is None else cell.translate(_TSV) for cell in cells))


def _write_lines(blocks: Iterable[QueryResult], build: Callable[[Sequence[str | None]], str]) -> None:
    for number, block in enumerate(blocks):
        lines = [build([column.name for column in block.columns])] if number == 0 else []
        lines += [build(row) for row in block.rows]
        if lines:
            _write("\n".join(lines) + "\n")


def write_json(blocks: Iterable[QueryResult], session: Session) -> None:
    """One JSON list of objects, written as the rows come."""
    separator, ascii_only = "[", not shows_everything()
    for block in blocks:
        names = list(unique_names(column.name for column in block.columns))
        for row in block.rows:
            text = json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=ascii_only)
            sys.stdout.write(f"{separator}\n{text}")
            separator = ","
    sys.stdout.write("[]\n" if separator == "[" else "\n]\n")


def unique_names(names: Iterable[str]) -> Iterator[str]:
    """Names with `_2`, `_3` after those that came before."""
    seen: set[str] = set()
    for name in names:
        unique, number = name, 1
        while unique in seen:
            number += 1
            unique = f"{name}_{number}"
        seen.add(unique)
        yield unique


def write_table(blocks: Iterable[QueryResult], session: Session) -> None:
    """Aligned columns; the first block decides how wide they are, up to 60."""
    widths: list[int] = []
    count = 0
    for block in blocks:
        rows = [[_show(cell, session) for cell in row] for row in block.rows]
        if not widths:
            names = [clean_line(column.name) for column in block.columns]
            widths = [min(max(get_width(line[i]) for line in [names, *rows]), WIDEST) for i in range(len(names))]
            click.echo(click.style(_join(names, widths), dim=True) if sys.stdout.isatty() else _join(names, widths))
        for row in rows:
            click.echo(_join(row, widths))
        count += len(rows)
    session.tell(f"{count:,} {'row' if count == 1 else 'rows'}")


def _show(cell: str | None, session: Session) -> str:
    return "NULL" if cell is None else clean_text(session.mask(cell)).replace("\t", " ").replace("\n", "\\n")


def _join(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(pad(cell, width) for cell, width in zip(cells, widths, strict=True)).rstrip()


WRITERS: Mapping[str, Writer] = {"table": write_table, "csv": write_csv, "tsv": write_tsv, "json": write_json}
