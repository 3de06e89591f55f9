# Registered drivers in the state database. Knows nothing of what a driver does.
"""The `driver` table: which kinds this installation has, and for those that need one their jar."""

from pipekit.models import DriverRegistration
from pipekit.repo.state import State, transaction

_UPSERT = """\
INSERT INTO driver (kind, jar, jar_sha256, class, url_template, folder)
VALUES (:kind, :jar, :jar_sha256, :class, :url_template, :folder)
ON CONFLICT (kind) DO UPDATE SET
    jar = :jar, jar_sha256 = :jar_sha256, class = :class, url_template = :url_template, folder = :folder"""


def register_driver(
    db: State,
    kind: str,
    *,
    jar: str | None = None,
    jar_sha256: str | None = None,
    java_class: str | None = None,
    url_template: str | None = None,
    folder: str | None = None,
) -> bool:
    """Makes the kind's registration what is given, an upsert; whether that changed anything."""
    wanted = DriverRegistration(
        kind=kind, jar=jar, jar_sha256=jar_sha256, java_class=java_class, url_template=url_template, folder=folder
    )
    with transaction(db):
        if find_driver_registration(db, kind) == wanted:
            return False
        values = {"kind": kind, "jar": jar, "jar_sha256": jar_sha256, "class": java_class}
        db.execute(_UPSERT, {**values, "url_template": url_template, "folder": folder})
        return True


def delete_driver_registration(db: State, kind: str) -> None:
    """Forgets what a kind is registered with."""
    db.change("DELETE FROM driver WHERE kind = ?", (kind,))


def find_driver_registration(db: State, kind: str) -> DriverRegistration | None:
    """The registration of a kind, or None."""
    row = db.row("SELECT * FROM driver WHERE kind = ?", (kind,))
    return DriverRegistration.from_row(row) if row else None


def list_driver_registrations(db: State) -> list[DriverRegistration]:
    """Every registration by kind."""
    return [DriverRegistration.from_row(row) for row in db.rows("SELECT * FROM driver ORDER BY kind")]
