# What a database that nobody here has seen says of itself, for people to send. Asks nothing of its data.
"""`ask_deeply`: one question after the other; what is refused is an answer too."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from types import ModuleType

from pipekit.drivers import find_package
from pipekit.engine.looking.look import Look, list_reachable_schemas
from pipekit.errors import PipekitError
from pipekit.models import RunSession
from pipekit.runner_contract import QueryResult

MOST_ROWS = 40
READ_ROWS = 50_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """A question's name and what the system answered, or why it did not."""

    name: str
    answer: str
    refused: bool = False


def ask_deeply(look: Look) -> Iterator[Said]:
    """Everything in turn. What has no answer costs the others nothing."""
    met: list[RunSession] = []
    look.runner.on_session = met.append
    yield _ask("schemas", lambda: f"{len(list_reachable_schemas(look))} that can be seen")
    yield from (Said(name="session", answer=f"{session.name}: {session.about}") for session in met)
    if look.driver.version_sql:
        yield _ask("version", lambda: look.query(look.driver.version_sql or "").first_cell() or "not told")
    yield _ask("schema of names without one", lambda: look.driver.find_session_schema(look.query) or "none")
    questions = _find_questions(look.endpoint.kind)
    if questions is not None:
        for name, sql in questions.QUESTIONS.items():
            yield _ask(name, partial(_tell, look, sql))
        for size in questions.BLOCKS_KB:
            yield _ask(f"rows a second, blocks of {size} KB", partial(_read, look, questions, size))


def _find_questions(kind: str) -> ModuleType | None:
    """The questions of a kind that has its own."""
    try:
        return import_module(f"{find_package(kind)}.questions")
    except ModuleNotFoundError:
        return None


def _ask(name: str, question: Callable[[], str]) -> Said:
    try:
        return Said(name=name, answer=question())
    except PipekitError as error:
        return Said(name=name, answer=error.message, refused=True)


def _tell(look: Look, sql: str) -> str:
    return _write(look.query(sql))


def _write(found: QueryResult) -> str:
    rows = [" ".join("NULL" if cell is None else cell.strip() for cell in row) for row in found.rows[:MOST_ROWS]]
    left = len(found.rows) - len(rows)
    return "; ".join([*rows, *([f"and {left} more"] if left > 0 else [])]) or "no row"


def _read(look: Look, questions: ModuleType, size: str) -> str:
    """Rows a second of a catalogue that is read and thrown away."""
    endpoint = replace(look.endpoint, jdbc_url=questions.build_sized(look.endpoint.jdbc_url, size))
    look.runner.query(endpoint, questions.QUESTIONS["schema"])  # connected before the clock starts
    started, rows = time.monotonic(), 0
    sql = look.driver.build_preview_sql(questions.READ, READ_ROWS)
    for block in look.runner.stream(endpoint, sql):
        rows += len(block.rows)
    seconds = max(time.monotonic() - started, 0.001)
    return f"{rows / seconds:,.0f} ({rows:,} rows in {seconds:.2f} s)"
