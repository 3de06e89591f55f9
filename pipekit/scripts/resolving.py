# Values that only running a script would tell -> watermarks. Knows SQL and what scripts write, no shell.
"""`Resolver`: the SQL that gives a value anew, where the scripts say it; else a question for a person."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from pipekit.scripts.found import MARKER, Database, Load, Unknown, Written
from pipekit.scripts.naming import is_same_database
from pipekit.scripts.shell import World
from pipekit.scripts.sqlreader import list_names, read_tokens
from pipekit.scripts.strategy import is_same_table

# Gives no value: a run says so, and does not go on with a wrong one.
NO_VALUE = "select null"
_NOW = frozenset((
    "now", "current_timestamp", "current_date", "current_time", "getdate", "sysdate", "getutcdate", "localtimestamp",
    "clock_timestamp", "transaction_timestamp", "statement_timestamp", "sysdatetime", "today",
))  # fmt: skip
_COALESCE = frozenset(("coalesce", "ifnull", "nvl", "isnull", "value"))
_WHICH = "Which SQL gives it?"


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A watermark's SQL and database, its default, and what a person must know: `question` disables the module."""

    sql: str = NO_VALUE
    database: Database | None = None
    default: str | None = None
    question: str = ""
    note: str = ""


class Resolver:
    """Finds how the values of one load are found anew; `table` is where its rows end."""

    def __init__(self, world: World, load: Load, table: str) -> None:
        self._world = world
        self._load = load
        self._table = table

    def find(self, name: str, unknown: Unknown) -> Found:
        """The SQL of a watermark."""
        if unknown.origin == "file":
            return self._find_written(name, unknown)
        if unknown.origin != "query" or not unknown.sql:
            return self._ask(name, unknown)
        question = self._check(name, unknown)
        if not question and unknown.database is None:
            question = f"the watermark {name} is asked by `{unknown.command}`; taken to be on the dest. Is it?"
        tokens = {token.key for token in read_tokens(unknown.sql)}
        note = ""
        if unknown.default is None and not tokens & _COALESCE:
            note = f"the watermark {name} has no default; give it one for the first run"
        sql = NO_VALUE if MARKER.search(unknown.sql) else unknown.sql
        return Found(sql=sql, database=unknown.database, default=unknown.default, question=question, note=note)

    def _ask(self, name: str, unknown: Unknown) -> Found:
        told = f"the watermark {name} is what `{self._world.notes.tell(unknown.command)}` gives ({unknown.place})"
        if unknown.changed:
            told += f", changed by `{unknown.changed}`"
        if unknown.default is not None:
            told += f", and `{unknown.default}` when that is nothing"
        return Found(default=unknown.default, question=f"{told}. {_WHICH}")

    def _check(self, name: str, unknown: Unknown) -> str:
        """What stands against asking a query where the run starts, as its script does."""
        if MARKER.search(unknown.sql):
            told = f"the watermark {name} is the answer of a query that itself needs a value ({unknown.place})"
            return f"{told}. {_WHICH}"
        if unknown.changed:
            told = f"the script changes the watermark {name} by `{unknown.changed}` before it is used"
            return f"{told} ({unknown.place}). Let its SQL do that"
        if self._asks_staging(unknown.sql):
            told = f"the watermark {name} asks {self._load.table}, which the module does not fill ({unknown.place})"
            return f"{told}. {_WHICH}"
        return ""

    def _asks_staging(self, sql: str) -> bool:
        names = list_names(sql)
        asks = any(is_same_table(one, self._load.table) and "." in one for one in names) or self._load.table in names
        return asks and not is_same_table(self._load.table, self._table)

    # -- values in files -----------------------------------------------------------------------------------------------

    def _find_written(self, name: str, unknown: Unknown) -> Found:
        """A value that a file keeps from run to run: found anew by the query whose answer is written there."""
        told = f"the watermark {name} is what `{unknown.path}` holds ({unknown.place})"
        if unknown.assumed is not None and len(unknown.assumed) <= 80:
            told += f", in this folder `{' '.join(unknown.assumed.split())}`"
        if unknown.path not in self._world.state and unknown.command == f"{unknown.name}={unknown.assumed}":
            question = f"{told}, which no script writes. Is it always that? Else: which SQL gives it?"
            return Found(default=unknown.default or unknown.assumed, question=question)
        if unknown.kept is not None and not unknown.changed:
            return self._find_kept(name, told, unknown, unknown.kept, None)
        answers: dict[str, Written] = {}
        for written in self._list_written(unknown):
            if MARKER.search(written.text):
                answers.setdefault(self._world.notes.describe(written.text), written)
        if unknown.changed or len(answers) != 1:
            many = ", and several commands write it" if len(answers) > 1 else ""
            changed = f", changed by `{unknown.changed}`" if unknown.changed else many
            return Found(default=unknown.default, question=f"{told}{changed}. {_WHICH}")
        written = next(iter(answers.values()))
        return self._find_kept(name, told, unknown, self._world.notes.only_unknown(written.text), written)

    def _find_kept(
        self, name: str, told: str, unknown: Unknown, answer: Unknown | None, written: Written | None
    ) -> Found:
        """The query whose answer a file keeps, if it can be asked when a run starts."""
        why = "it is put together there" if answer is None else self._find_objection(answer, written)
        place = written.place if written is not None else answer.place if answer is not None else ""
        if answer is None or why:
            return Found(default=unknown.default, question=f"{told}; {place} writes it, but {why}. {_WHICH}")
        note = f"the watermark {name} asks what {place} writes to {unknown.path}; the file is not read any more"
        default = unknown.default or answer.default
        if default is None:
            note += f", and the watermark has no default; give it one for the first run into an empty {self._table}"
        return Found(sql=answer.sql, database=answer.database, default=default, note=note)

    def _list_written(self, unknown: Unknown) -> Iterator[Written]:
        """What is written to the file of a value; of a file of settings what is written behind the value's name."""
        is_setting = bool(unknown.name) and unknown.command.startswith((f"{unknown.name}=", "grep"))
        for written in self._world.writes.get(unknown.path, ()):
            found = re.search(rf"^(?:export\s+)?{re.escape(unknown.name)}=(.*)$", written.text, re.MULTILINE)
            if found and is_setting:
                yield replace(written, text=found[1].strip("'\""))
            elif not is_setting:
                yield replace(written, text=written.text.strip())

    def _find_objection(self, answer: Unknown, written: Written | None) -> str:
        """Why the query whose answer a script keeps for its next run cannot be asked when that run starts."""
        if answer.origin != "query" or not answer.sql or MARKER.search(answer.sql):
            return f"that is what `{self._world.notes.tell(answer.command)}` gives"
        if answer.changed:
            return f"the script changes the answer by `{answer.changed}`"
        if answer.database is None or not is_same_database(answer.database.jdbc_url, self._load.dest.jdbc_url):
            return "it asks another database than the dest, which knows rows that were not loaded when a run starts"
        if self._asks_staging(answer.sql):
            return f"it asks {self._load.table}, which the module does not fill"
        if not any(is_same_table(one, self._table) for one in list_names(answer.sql)):
            return f"it does not ask {self._table}: when a run starts it may be ahead of the rows that are loaded"
        if {token.key for token in read_tokens(answer.sql)} & _NOW:
            return "it asks for the time of the last run, which a run does not know when it starts"
        is_own = written is not None and written.script == self._load.script
        if is_own and self._world.notes.find_step(answer) < self._load.step:
            return "it is asked before the load"
        return ""
