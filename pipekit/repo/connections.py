# Connections in the state database. Knows no driver: whether a URL suits its kind is the driver's to say.
"""Create, find, change and delete connections."""

import re
from typing import Any

from pipekit.errors import Conflict, Invalid
from pipekit.fields import list_fields, pick, settle
from pipekit.models import PASSWORD_PATTERN, Connection, ConnectionFields
from pipekit.repo.names import (
    check_fields,
    check_path_name,
    check_text,
    check_told,
    get_row,
    get_row_by_name,
    shorten,
    unique,
)
from pipekit.repo.state import State, transaction

_FIELDS = tuple(f.own for f in list_fields(ConnectionFields))
_REFERENCE = re.compile(rf"{PASSWORD_PATTERN}\Z")
# A password inside the URL would be kept in the state database. Every driver refuses it too; this is the second lock.
_SECRET_IN_URL = re.compile(r"(?i)[?;&](?:password|passwd|pwd)\s*=|://[^/?#\s]*:[^/?#\s]*@")


def create_connection(db: State, *, name: str, driver: str, jdbc_url: str, **options: Any) -> Connection:
    """Makes a connection. Options are the other fields of `ConnectionFields`, with the same defaults.

    `password` is a `$NAME` reference; anything else raises Invalid, which does not repeat it.
    """
    check_fields(options, _FIELDS)
    given = ConnectionFields(name=name, driver=driver, jdbc_url=jdbc_url, **options)
    values = _checked(pick(given, ConnectionFields))
    with transaction(db), unique(f"There is a connection named {values['name']!r} already."):
        return get_connection(db, db.insert("connection", values))


def list_dests(db: State) -> list[Connection]:
    """Connections that modules or runs write to, by name."""
    is_dest = (
        "EXISTS (SELECT 1 FROM module WHERE dest_id = c.id) OR EXISTS (SELECT 1 FROM run_log WHERE dest_id = c.id)"
    )
    return [Connection.from_row(row) for row in db.rows(f"SELECT * FROM connection c WHERE {is_dest} ORDER BY name")]


def update_connection(db: State, connection_id: int, **changes: Any) -> Connection:
    """Changes some fields of a connection; a run under way keeps what it read. Raises as `create_connection`."""
    check_fields(changes, _FIELDS)
    with transaction(db), unique(f"There is a connection named {changes.get('name')!r} already."):
        before = get_connection(db, connection_id)
        db.update("connection", connection_id, _checked(changes, before.name))
        after = get_connection(db, connection_id)
        if (after.driver, after.jdbc_url) != (before.driver, before.jdbc_url):
            # What was found there says nothing of where it leads now.
            db.change("DELETE FROM connection_seen WHERE connection_id = ?", (connection_id,))
        return after


def delete_connection(db: State, connection_id: int) -> None:
    """Deletes a connection; raises Conflict while modules use it or a run that is under way writes to it."""
    with transaction(db):
        connection = get_connection(db, connection_id)
        users = _modules_using(db, connection_id)
        if users:
            raise Conflict(
                f"The connection {connection.name!r} is used by {shorten(users)}.",
                hint="Point these modules elsewhere or delete them first.",
            )
        run = db.row("SELECT id FROM run_log WHERE dest_id = ? AND status IN ('queued', 'running')", (connection_id,))
        if run:
            raise Conflict(
                f"The connection {connection.name!r} is in use by run {run['id']}.", hint="Wait for it or cancel it."
            )
        db.change("DELETE FROM connection WHERE id = ?", (connection_id,))


def get_connection(db: State, connection_id: int) -> Connection:
    """The connection of this id; raises NotFound."""
    return Connection.from_row(get_row(db, "connection", "connection", connection_id))


def get_connection_by_name(db: State, name: str) -> Connection:
    """The connection of this name, letter case aside; raises NotFound."""
    return Connection.from_row(get_row_by_name(db, "connection", "connection", name))


def find_connection_by_name(db: State, name: str) -> Connection | None:
    """The connection of this name, letter case aside, or None."""
    row = db.row("SELECT * FROM connection WHERE name = ?", (name,))
    return Connection.from_row(row) if row else None


def list_connections(db: State) -> list[Connection]:
    """Every connection by name."""
    return [Connection.from_row(row) for row in db.rows("SELECT * FROM connection ORDER BY name")]


def _modules_using(db: State, connection_id: int) -> list[str]:
    return [
        str(row["name"])
        for row in db.rows(
            """
            SELECT name FROM module
            WHERE source_id = :id OR dest_id = :id
               OR id IN (SELECT module_id FROM watermark WHERE connection_id = :id)
            ORDER BY name
            """,
            {"id": connection_id},
        )
    ]


def _checked(values: dict[str, Any], before: str = "") -> dict[str, Any]:
    checked = settle(values, ConnectionFields)
    if "name" in checked:
        checked["name"] = check_path_name(checked["name"], before=before)
    if "driver" in checked:
        check_text(checked["driver"], "A driver", field="driver")
    if "jdbc_url" in checked:
        check_text(checked["jdbc_url"], "A JDBC URL", field="jdbc_url")
        if _SECRET_IN_URL.search(checked["jdbc_url"]):
            raise Invalid(
                "A JDBC URL must not hold a password.",
                field="jdbc_url",
                hint="Give the login as username and password: $NAME.",
            )
    check_told(checked, ConnectionFields)
    for name in ("username", "password"):
        if name in checked:
            checked[name] = checked[name] or None
    if checked.get("password") and not _REFERENCE.match(checked["password"]):
        raise Invalid(
            "A password is given as a reference, $NAME, never as the password itself.",
            field="password",
            hint="Store the password with `pipekit secrets set NAME`, then give $NAME here.",
        )
    return checked
