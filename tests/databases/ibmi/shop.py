# A project between the double of IBM i and other databases, as the tests of whole runs use it. Knows no test.
"""`Shop`, its table of orders, and `open_shop`."""

import contextlib
import datetime as dt
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipekit import repo
from pipekit.models import Module
from pipekit.runner.process import wait_until
from tests.databases.ibmi.answers import Answer, Count, Outcome, Rows, Talk, Trouble
from tests.databases.ibmi.host import Door, Host
from tests.databases.ibmi.tables import Conversation, Tables
from tests.databases.jdbc import JT400
from tests.databases.over_jdbc import register
from tests.patience import PATIENCE_S
from tests.project import Project

ORDERS = (
    "CREATE TABLE {} (ORDNO INTEGER NOT NULL, CUST VARCHAR(8) CCSID 37, AMT DECIMAL(11,2), CHANGED TIMESTAMP(6),"
    " DAY DATE, PRIMARY KEY (ORDNO))"
)
COLUMNS = "ordno, cust, amt, changed, day"
FIRST = (1, "ANNA", "10.50", dt.datetime(2024, 2, 29, 12, 0, 0, 123456), dt.date(1, 1, 1))
SECOND = (2, None, None, None, None)


@dataclass(frozen=True, slots=True)
class Warned:
    """What a statement without a result says once it is done."""

    warning: Outcome


Told = Trouble | Outcome | Rows | Warned


class Fragile:
    """A conversation with tables in which a statement brings trouble, or is answered by the test itself."""

    def __init__(self, talk: Conversation, troubles: dict[str, Told]) -> None:
        self._talk = talk
        self._troubles = troubles

    def answer(self, sql: str) -> Answer:
        told = next((told for part, told in self._troubles.items() if part in sql), None)
        if isinstance(told, Outcome):
            return told
        answer = told if isinstance(told, Rows) else self._talk.answer(sql)
        if isinstance(answer, Count) and isinstance(told, Warned):
            return replace(answer, warning=told.warning)
        if not isinstance(answer, Rows):
            return answer
        if "FETCH FIRST 1 ROW ONLY" in sql:
            assert not callable(answer.rows)
            first = [trouble for trouble in answer.troubles if trouble.at == 0]
            return replace(answer, rows=list(answer.rows)[:1], troubles=first, delay_s=0)
        return replace(answer, troubles=[told]) if isinstance(told, Trouble) else answer

    def end(self, commit: bool) -> None:
        self._talk.end(commit)

    def close(self) -> None:
        self._talk.close()


class Shop:
    """A project whose connection `ibmi` is the double, and `lite` an SQLite file with a table of orders."""

    def __init__(self, folder: Path, door: Door, properties: str = "") -> None:
        folder.joinpath("system").mkdir()
        self.tables = Tables(folder / "system")
        self.troubles: dict[str, Told] = {}
        self.host = door.add("ibmi", Host(self._talk))
        self.project = Project(folder / "home")
        self.project.config = replace(self.project.config, java_options=door.java_options, retry_delays_s=())
        register(self.project, "db2i", JT400, "")
        self.project.secrets.set("IBMI_PASSWORD", "anything")
        self.ibmi = repo.create_connection(
            self.project.db,
            name="ibmi",
            driver="db2i",
            jdbc_url=f"jdbc:as400://ibmi/SHOPLIB{properties}",
            username="SHOP",
            password="$IBMI_PASSWORD",
        )
        self.file = folder / "lite.db"
        self.lite = self.project.add_connection("lite", f"jdbc:sqlite:{self.file}")
        self.execute("create table orders (ordno integer primary key, cust text, amt text, changed text, day text)")

    def _talk(self) -> Talk:
        return Fragile(self.tables.talk(), self.troubles)

    def execute(self, sql: str, rows: Sequence[Sequence[Any]] = ()) -> list[Any]:
        with sqlite3.connect(self.file) as db:
            found = db.executemany(sql, rows) if rows else db.execute(sql)
            return list(found.fetchall()) if not rows else []

    def read_out(self, strategy: str = "full", query: str = f"select {COLUMNS} from orders", **more: Any) -> Module:
        """A module from the double into SQLite."""
        return self.project.add_module(
            "out", source=self.ibmi, query=query, dest=self.lite, table="orders", merge_strategy=strategy, **more
        )

    def write_in(self, strategy: str, query: str = f"select {COLUMNS} from orders", **more: Any) -> Module:
        """A module from SQLite into the double."""
        return self.project.add_module(
            f"in_{strategy}",
            source=self.lite,
            query=query,
            dest=self.ibmi,
            table="BACK",
            merge_strategy=strategy,
            **more,
        )


@contextlib.contextmanager
def open_shop(folder: Path, door: Door, properties: str = "") -> Iterator[Shop]:
    """A shop of a test; at its end the double itself has had no fault, and no connection to it is left."""
    made = Shop(folder, door, properties)
    yield made
    made.project.close()
    assert made.host.faults == []
    # The other end of a connection that was closed is heard of a moment later.
    assert wait_until(lambda: not made.host.open_jobs, PATIENCE_S)


def make_orders(first: int, last: int) -> list[Sequence[Any]]:
    """Rows of ORDERS as the double keeps them."""
    moment, day = dt.datetime(2024, 1, 1), dt.date(9999, 12, 31)
    return [(n, f"C{n % 6}", f"{n}.25", moment, day) for n in range(first, last + 1)]


def spell_orders(first: int, last: int) -> Iterator[Sequence[Any]]:
    """The same as SQLite has them."""
    for n, cust, amount, moment, day in make_orders(first, last):
        yield n, cust, amount, moment.isoformat(" "), day.isoformat()
