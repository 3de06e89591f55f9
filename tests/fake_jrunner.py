#!/usr/bin/env python3
# A jrunner for tests: it behaves as the specification says of the real one, on SQLite and PostgreSQL.
"""Query mode prints CSV or TSV and nothing else; migration mode prints counters, then the row count and the times.

Rows are inserted 250 at a time as literals, by position; `-b` uses COPY, which only PostgreSQL has here. Errors are a
Java stack trace on stderr and exit code 1. `JRUNNER_OPTS` holds what a test wants to go wrong: `exit0` ends with 0 for
an error, `hang` waits for ever after the first batch, `silent` prints no counts, `short` leaves the last row out.
"""

import argparse
import csv
import io
import os
import sqlite3
import sys
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any
from urllib.parse import parse_qs, urlsplit

BATCH = 250
FETCH = 10_000
TROUBLE = os.environ.get("JRUNNER_OPTS", "").split()


def parse_flags() -> argparse.Namespace:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for flag in ("-scu", "-scn", "-scp", "-dcu", "-dcn", "-dcp", "-sq", "-dt"):
        parser.add_argument(flag)
    parser.add_argument("-f", choices=("csv", "tsv"), default="csv")
    for flag in ("-t", "-c", "-b"):
        parser.add_argument(flag, action="store_true")
    return parser.parse_args()


def connect(url: str, user: str | None, password: str | None) -> Any:
    if url.startswith("jdbc:sqlite:"):
        return sqlite3.connect(f"file:{url.removeprefix('jdbc:sqlite:')}?mode=rw", uri=True)
    # Here, as it takes longer than a small load.
    import psycopg

    parts = urlsplit(url.removeprefix("jdbc:"))
    name = parse_qs(parts.query).get("ApplicationName", ["jrunner"])[0]
    host, port, database = parts.hostname, parts.port, parts.path[1:]
    return psycopg.connect(host=host, port=port, dbname=database, user=user, password=password, application_name=name)


def read_rows(cursor: Any, trim: bool) -> Iterator[tuple[Any, ...]]:
    while rows := cursor.fetchmany(FETCH):
        for row in rows:
            yield tuple(cell.strip() if trim and isinstance(cell, str) else cell for cell in row)


def print_rows(cursor: Any, form: str, trim: bool) -> None:
    names = [column[0] for column in cursor.description]
    for row in (names, *read_rows(cursor, trim)) if form == "tsv" else ():
        print("\t".join("" if cell is None else str(cell) for cell in row))
    if form == "csv":
        print(",".join(csv_cell(name) for name in names))
        for row in read_rows(cursor, trim):
            print(",".join(csv_cell(cell) for cell in row))


def csv_cell(cell: Any) -> str:
    if cell is None:
        return ""
    text = str(cell)
    return '"' + text.replace('"', '""') + '"' if text == "" or any(char in text for char in ',"\r\n') else text


def literal(cell: Any) -> str:
    if cell is None:
        return "NULL"
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return str(cell)
    return "'" + str(cell).replace("'", "''") + "'"


def count(rows: Iterator[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    total = 0
    while batch := list(islice(rows, BATCH)):
        total += len(batch)
        yield batch[:-1] if "short" in TROUBLE and len(batch) < BATCH else batch
        if "silent" not in TROUBLE:
            print(total, end="\r", flush=True)
        if "hang" in TROUBLE:
            time.sleep(3600)
    if "silent" not in TROUBLE:
        print(f"\n{total} rows")


def move(source: Any, dest: Any, flags: argparse.Namespace) -> None:
    started = time.monotonic()
    cursor = dest.cursor()
    if flags.c:
        cursor.execute(f"DELETE FROM {flags.dt}")
    for batch in count(read_rows(source, flags.t)):
        if flags.b:
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerows(
                [["\\N" if c is None else str(c) for c in row] for row in batch]
            )
            with cursor.copy(f"COPY {flags.dt} FROM STDIN (FORMAT csv, NULL '\\N')") as copy:
                copy.write(text.getvalue())
        else:
            values = ",".join("(" + ",".join(literal(cell) for cell in row) + ")" for row in batch)
            cursor.execute(f"INSERT INTO {flags.dt} VALUES {values}")
        dest.commit()
    if not flags.c:
        dest.commit()
    print(f"elapsed {time.monotonic() - started:.1f} s")


def main() -> int:
    flags = parse_flags()
    try:
        source = connect(flags.scu, flags.scn, flags.scp)
        cursor = source.cursor() if isinstance(source, sqlite3.Connection) else source.cursor("rows")
        with open(flags.sq, encoding="utf-8", errors="replace") as file:
            cursor.execute(file.read())
        if flags.dcu is None:
            print_rows(cursor, flags.f, flags.t)
        else:
            move(cursor, connect(flags.dcu, flags.dcn, flags.dcp), flags)
    except Exception as error:
        if not hasattr(error, "sqlstate") and not isinstance(error, sqlite3.Error):
            raise
        state = getattr(error, "sqlstate", None) or "HY000"
        sys.stderr.write(f"java.sql.SQLException: {error} SQLState: {state}\n\tat jrunner.Main.main(Main.java:100)\n")
        return 0 if "exit0" in TROUBLE else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
