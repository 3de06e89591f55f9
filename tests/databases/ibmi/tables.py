# Tables behind the double, kept in SQLite. Knows no bytes of the wire.
"""`Tables` is what a system holds; `Tables.talk` answers one connection, with transactions of its own.

The small part of Db2's SQL that Pipekit sends is understood, by SQLite where both mean the same. What is not understood
is an error that names the statement, and never a guess.
"""

import re
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from tests.databases.ibmi import catalogue
from tests.databases.ibmi import columns as c
from tests.databases.ibmi.answers import Answer, Count, Outcome, Row, Rows, fail
from tests.databases.ibmi.casting import CastFailed, cast, give, keep
from tests.databases.ibmi.columns import Column
from tests.databases.ibmi.dialect import find_items, find_names, fold, has_slash, split_list, to_sqlite
from tests.databases.ibmi.expressions import FUNCTIONS, find_type
from tests.databases.ibmi.procedures import find_procedure
from tests.databases.ibmi.spelling import parse_type

_SYSTEM = ("QSYS2", "SYSIBM", "SYSIBMADM")
_LOCKED_S = 30
_QUIET = ("SET ", "LABEL ", "COMMENT ", "LOCK ", "CREATE INDEX", "CREATE UNIQUE INDEX", "CREATE SCHEMA", "CALL ")


class Tables:
    """Libraries in files of a folder. Names without a library are of `library`."""

    def __init__(self, folder: Path, library: str = "SHOPLIB") -> None:
        self._folder = folder
        self.library = library
        db = self._connect()
        catalogue.make_catalogue(db, (library, "PIPEKIT"))
        db.close()

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False, timeout=_LOCKED_S)
        for library in (self.library, "PIPEKIT", *_SYSTEM):
            db.execute(f"ATTACH ? AS {library}", (str(self._folder / f"{library}.db"),))
        return db

    def talk(self) -> "Conversation":
        """For one connection of the driver."""
        return Conversation(self._connect(), self.library)

    def make(self, create: str, rows: Iterable[Sequence[Any]] = ()) -> None:
        """Makes a table by a CREATE TABLE statement and fills it."""
        talk = self.talk()
        talk.make(create, rows)
        talk.close()

    def change(self, sql: str) -> None:
        """Does a statement that changes rows, as somebody else at the system would."""
        talk = self.talk()
        answer = talk.answer(sql)
        assert isinstance(answer, Count), answer
        done = answer.done([()])
        assert isinstance(done, int), done
        talk.end(commit=True)
        talk.close()

    def read(self, sql: str) -> list[Row]:
        """The rows of a query as the double would send them."""
        talk = self.talk()
        answer = talk.answer(sql)
        talk.close()
        assert isinstance(answer, Rows), answer
        assert not callable(answer.rows)
        return [tuple(row) for row in answer.rows]


class Conversation:
    """One connection: a transaction begins with what it writes first."""

    def __init__(self, db: sqlite3.Connection, library: str) -> None:
        self._db = db
        self._library = library
        self._refused: Outcome | None = None
        db.create_function("db2_cast", 2, self._keep_reason(lambda value, text: cast(parse_type("", text), value)))
        for name, (count, function) in FUNCTIONS.items():
            db.create_function(name, count, self._keep_reason(function))

    def end(self, commit: bool) -> None:
        if self._db.in_transaction:
            self._db.execute("COMMIT" if commit else "ROLLBACK")

    def close(self) -> None:
        self.end(commit=False)
        self._db.close()

    def make(self, create: str, rows: Iterable[Sequence[Any]]) -> None:
        """Makes a table and fills it; what fails is raised."""
        self._create(create)
        names = find_names(create, self._library)
        columns = catalogue.get_columns(self._db, names)
        marks = ", ".join("?" for _ in columns)
        self._insert(f'INSERT INTO "{names.schema}"."{names.table}" VALUES ({marks})', columns, list(rows))
        self.end(commit=True)

    def answer(self, sql: str) -> Answer:
        """Statements are looked at when they are prepared, and done when they are executed."""
        # Comments at the ends of lines are Pipekit's own.
        text = " ".join(" ".join(re.sub(r"(^|\s)--.*", "", line) for line in sql.splitlines()).split())
        if has_slash(text):
            return fail(-5016, "42833", "Qualified object name not valid.")
        try:
            return self._answer(text)
        except sqlite3.Error as error:
            return self._explain(error, text)

    def _answer(self, text: str) -> Answer:
        start = text.upper()
        if start.startswith("CALL SYSIBM."):
            return find_procedure(self._db, start)
        if start.startswith(_QUIET):
            return Count(done=lambda rows: 0)
        if start.startswith("CREATE TABLE"):
            return Count(done=self._do(lambda rows: self._create(text)))
        if start.startswith("DROP TABLE"):
            return Count(done=self._do(lambda rows: self._drop(text)))
        if start.startswith(("SELECT", "WITH", "VALUES")):
            return self._select(text)
        if start.startswith(("INSERT", "UPDATE", "DELETE", "MERGE")):
            return self._change(text)
        return fail(-104, "42601", f"The double does not know this statement: {text[:300]}")

    def _do(self, what: Callable[[Sequence[Row]], int]) -> Callable[[Sequence[Row]], int | Outcome]:
        def done(rows: Sequence[Row]) -> int | Outcome:
            try:
                return what(rows)
            except sqlite3.Error as error:
                return self._explain(error, "")

        return done

    # -- tables --------------------------------------------------------------------------------------------------------

    def _create(self, text: str) -> int:
        names = find_names(text, self._library)
        parts = split_list(text[text.index("(") + 1 : text.rindex(")")])
        keys = [part for part in parts if part.upper().startswith("PRIMARY KEY")]
        columns = [_parse_column(part) for part in parts if part not in keys]
        made = [f"{_quote(column.name)} {_declare(column)}" for column, _ in columns]
        self._run(f'CREATE TABLE "{names.schema}"."{names.table}" ({", ".join([*made, *keys])})')
        key = [fold(name) for name in split_list(keys[0][keys[0].index("(") + 1 : -1])] if keys else []
        catalogue.tell_table(self._db, names, columns, key)
        return 0

    def _drop(self, text: str) -> int:
        names = find_names(text, self._library)
        self._run(f'DROP TABLE "{names.schema}"."{names.table}"')
        catalogue.forget_table(self._db, names)
        return 0

    # -- rows ----------------------------------------------------------------------------------------------------------

    def _select(self, text: str) -> Rows:
        cursor = self._db.execute(to_sqlite(text, self._library))
        rows = cursor.fetchall()
        known = self._find_known(text)
        names = [part[0] for part in cursor.description]
        items = split_list(find_items(text))
        if len(items) != len(names) or any(item.endswith("*") for item in items):
            items = [_quote(name) for name in names]
        columns = []
        for place, (name, item) in enumerate(zip(names, items, strict=True)):
            told = find_type(item, known) or known.get(name) or _guess([row[place] for row in rows])
            columns.append(replace(told, name=name))
        return Rows(columns, [tuple(map(give, columns, row)) for row in rows])

    def _find_known(self, text: str) -> dict[str, Column]:
        """The columns of the tables that stand in a statement, by name; those of the table that stands first win."""
        capitals = text.upper()
        places = [(capitals.find(names.table.upper()), names) for names in catalogue.list_tables(self._db)]
        known: dict[str, Column] = {}
        for _, names in sorted(((at, names) for at, names in places if at >= 0), reverse=True):
            known |= {column.name: column for column in catalogue.get_columns(self._db, names)}
        return known

    def _change(self, text: str) -> Count:
        translated = to_sqlite(text, self._library)
        if "?" not in text:
            return Count(done=self._do(lambda rows: self._run(translated)))
        by_name = {column.name: column for column in catalogue.get_columns(self._db, find_names(text, self._library))}
        inside = text[text.index("(") + 1 : text.index(")")]
        columns = [by_name[fold(name)] for name in split_list(inside)]
        return Count(columns, self._do(partial(self._insert, translated, columns)))

    def _insert(self, sql: str, columns: Sequence[Column], rows: Sequence[Row]) -> int:
        self._begin()
        self._db.executemany(sql, [tuple(map(keep, columns, row)) for row in rows])
        return len(rows)

    def _run(self, sql: str) -> int:
        self._begin()
        return max(0, self._db.execute(sql).rowcount)

    def _begin(self) -> None:
        if not self._db.in_transaction:
            self._db.execute("BEGIN IMMEDIATE")

    def _keep_reason(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function within a statement: SQLite says only that it failed, so why is kept here."""

        def call(*arguments: Any) -> Any:
            try:
                return function(*arguments)
            except CastFailed as failed:
                self._refused = failed.outcome
                raise

        return call

    def _explain(self, error: sqlite3.Error, sql: str) -> Outcome:
        """As Db2 says it, as far as Pipekit can tell the difference."""
        refused, self._refused = self._refused, None
        if refused is not None:
            return refused
        text = str(error)
        if "UNIQUE" in text:
            return fail(-803, "23505", "Duplicate key value specified.")
        if "NOT NULL" in text:
            return fail(-407, "23502", "Null values not allowed in column or variable.")
        if "no such table" in text or "unknown database" in text:
            return fail(-204, "42704", f"{text.rpartition(' ')[2]} type *FILE not found.")
        if "already exists" in text:
            return fail(-601, "42710", text)
        return fail(-104, "42601", f"{text}: {sql[:300]}")


def _parse_column(part: str) -> tuple[Column, str]:
    """A column, and the type as it was declared."""
    found = re.match(r'("(?:[^"]|"")+"|\w+)\s+(.*)$', part.strip())
    assert found is not None, part
    text = re.sub(r"\s+NOT NULL|\s+DEFAULT\b.*$", "", found[2])
    return replace(parse_type(fold(found[1]), text), nullable="NOT NULL" not in found[2]), text


def _declare(column: Column) -> str:
    """No affinity, so that what is kept stays as it is; blanks at the end count for nothing when texts are compared."""
    collation = " COLLATE RTRIM" if column.type in (c.CHAR, c.VARCHAR, c.GRAPHIC, c.VARGRAPHIC) else ""
    return collation + ("" if column.nullable else " NOT NULL")


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _guess(values: Sequence[Any]) -> Column:
    """The type of an expression, by what came of it."""
    given = [value for value in values if value is not None]
    if given and all(isinstance(value, int) for value in given):
        return c.bigint("")
    if given and all(isinstance(value, int | float) for value in given):
        return c.double("")
    longest = max((len(str(value).encode()) for value in given), default=1)
    return c.varchar("", max(longest, 20), 1208)
