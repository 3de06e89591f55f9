# Registering drivers is an upsert.
"""The `driver` table."""

from pipekit import repo
from pipekit.models import DriverRegistration


def test_registering_is_an_upsert_that_says_whether_it_changed_anything(db: repo.State) -> None:
    assert repo.register_driver(db, "x", url_template="jdbc:x:a") is True
    assert repo.register_driver(db, "x", url_template="jdbc:x:a") is False
    assert repo.register_driver(db, "x", jar="x.jar", java_class="org.x.Driver", url_template="jdbc:x:a") is True
    assert repo.list_driver_registrations(db) == [
        DriverRegistration(kind="x", jar="x.jar", java_class="org.x.Driver", url_template="jdbc:x:a")
    ]
    assert repo.find_driver_registration(db, "y") is None
