# The three people of an installation that tests visit. Knows no page and no request.
"""`add_people`: ana is an admin, otto an operator, vera a viewer, and all have one password."""

from pipekit import repo
from pipekit.models.people import Role
from pipekit.passwords import hash_password

PASSWORD = "a password of tests"
PEOPLE: dict[str, Role] = {"ana": "admin", "otto": "operator", "vera": "viewer"}


def add_people(db: repo.State) -> None:
    """Makes them."""
    password_hash = hash_password(PASSWORD)
    for name, role in PEOPLE.items():
        repo.create_user(db, name=name, password_hash=password_hash, role=role)
