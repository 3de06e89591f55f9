#!/usr/bin/env python3
# The sqlite3 program as far as scripts of tests call it: rows with `|` between their cells, SQL by argument or stdin.
"""`sqlite3 [-FLAG ...] FILE [SQL]`."""

import sqlite3
import sys


def split_statements(sql: str) -> list[str]:
    """Statements up to their semicolons."""
    found, text = [], ""
    for piece in sql.replace("\r", "").split(";"):
        text += piece + ";"
        if sqlite3.complete_statement(text):
            found.append(text)
            text = ""
    return [*found, text]


def main() -> None:
    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    db = sqlite3.connect(words[0], isolation_level=None)
    for statement in split_statements(words[1] if len(words) > 1 else sys.stdin.read()):
        for row in db.execute(statement).fetchall():
            print("|".join("" if cell is None else str(cell) for cell in row))


if __name__ == "__main__":
    main()
