# Brings the schema of a state database up to date, with a copy of the old file first. Knows no table but `migrations`.
"""Applies `pipekit/migrations/*.sql` in order, each in one transaction, recorded by name."""

import sqlite3
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path

from pipekit.errors import ConfigError
from pipekit.repo.files import connect, create_private_file
from pipekit.repo.first_state import is_first_state
from pipekit.repo.state import State, now, transaction


def migrate(db: State) -> None:
    """Applies what is missing. Safe when several processes do it at once: each migration is applied by one of them."""
    known = _known_migrations()
    applied = _applied(db)
    _refuse_newer(db.path, applied, known)
    pending = [name for name in known if name not in applied]
    for name in pending:
        with transaction(db):
            # Asked again under the write lock: another process may have been faster.
            if name not in (applied := _applied(db)):
                if name == pending[0] and applied:
                    _back_up(db.path, name)
                _apply(db, name)


def has_pending(db: State) -> bool:
    """Whether the schema is not the one this program works with."""
    return _applied(db) != _known_migrations()


def _known_migrations() -> list[str]:
    folder = files("pipekit").joinpath("migrations")
    return sorted(item.name.removesuffix(".sql") for item in folder.iterdir() if item.name.endswith(".sql"))


def refuse_foreign(db: State) -> None:
    """Raises ConfigError for a file that is somebody else's, before anything of it is changed."""
    _applied(db)


def _applied(db: State) -> list[str]:
    """The names of applied migrations, in order; none for an empty file."""
    tables = {row["name"] for row in db.rows("SELECT name FROM sqlite_schema WHERE type = 'table' LIMIT 100")}
    if is_first_state(tables):
        raise ConfigError(
            f"{db.path} is the state file of the first Pipekit, which this one does not work with.",
            hint=f"`pipekit import-state {db.path} --output pipekit.yaml` reads it into a definition file and leaves it"
            " as it is; this Pipekit keeps its own state in another folder (PIPEKIT_HOME, `pipekit init`).",
        )
    if "migrations" in tables:
        return [row["name"] for row in db.rows("SELECT name FROM migrations ORDER BY name")]
    if tables:
        raise ConfigError(
            f"The database {db.path} is not a Pipekit state database.", hint="Set `state_path` or PIPEKIT_HOME."
        )
    return []


def _refuse_newer(path: Path, applied: Sequence[str], known: Sequence[str]) -> None:
    unknown = [name for name in applied if name not in known]
    if unknown:
        raise ConfigError(
            f"The state database {path} was written by a newer version of Pipekit (it has {', '.join(unknown)}).",
            hint="Upgrade this Pipekit, or restore the copy made before the upgrade.",
        )


def _apply(db: State, name: str) -> None:
    text = files("pipekit").joinpath("migrations").joinpath(f"{name}.sql").read_text("utf-8")
    db.execute("CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY, applied_at TEXT NOT NULL) STRICT")
    for statement in split_statements(text):
        db.execute(statement)
    db.execute("INSERT INTO migrations (name, applied_at) VALUES (?, ?)", (name, now()))


def split_statements(text: str) -> Iterator[str]:
    """A script's statements, triggers whole. (`executescript` would commit the transaction it runs in.)"""
    statement = ""
    for line in text.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip():
        yield statement


def _back_up(path: Path, name: str) -> None:
    """Copies the state as it was before migration `name` to a file beside it.

    The caller holds the write lock, so what is copied here, through another connection, is exactly the old state.
    """
    copy = path.with_name(f"{path.name}.before-{name}")
    half = copy.with_name(copy.name + ".new")
    half.unlink(missing_ok=True)
    try:
        create_private_file(half)
        reader = connect(path)
        try:
            reader.execute("VACUUM INTO ?", (str(half),))
        finally:
            reader.close()
        half.replace(copy)
    except OSError as error:
        raise ConfigError(f"No copy of {path} could be made before the upgrade: {error.strerror}.") from error
    finally:
        half.unlink(missing_ok=True)
