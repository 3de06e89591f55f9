# What PostgreSQL's refusals mean. Texts as the server says them.
"""`drivers/postgresql/faults.py`."""

import pytest

from pipekit.drivers.postgresql.faults import FOREIGN_KEY_STATES, find_mend


@pytest.mark.parametrize("state", FOREIGN_KEY_STATES)
def test_the_mend_of_a_foreign_key_is_that_of_the_side_which_was_broken(state: str) -> None:
    goes = find_mend(state, "update or delete on table", 'Key (id)=(1) is still referenced from table "c".')
    comes = find_mend(state, "insert or update on table", 'Key (p_id)=(9) is not present in table "p".')
    assert "still refer to these rows" in goes
    assert "it refers to first" in comes
    assert "it refers to first" not in goes


@pytest.mark.parametrize(
    ("message", "grant"),
    [
        ("permission denied for database dw", "GRANT CREATE ON DATABASE"),
        ("permission denied for schema pipekit_staging", "GRANT USAGE, CREATE ON SCHEMA pipekit_staging"),
        ("permission denied for table pipekit_ledger", "GRANT SELECT, INSERT, UPDATE, DELETE ON pipekit_staging"),
        ("permission denied for table lines", ""),
    ],
)
def test_a_right_that_is_missing_where_pipekit_works_is_named(message: str, grant: str) -> None:
    found = find_mend("42501", message)
    assert grant in found
    assert bool(found) == bool(grant)
