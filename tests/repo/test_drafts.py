# Drafts of the wizard belong to one person and do not pile up.
"""`repo.drafts`."""

import pytest

from pipekit import repo
from pipekit.errors import NotFound
from pipekit.repo.drafts import MOST_DRAFTS


def save(db: repo.State, user_id: int, key: str, title: str = "orders") -> None:
    repo.save_draft(db, user_id, key, title=title, step="dest", form={"values": {"name": title}, "rows": {}})


@pytest.fixture
def ana(db: repo.State) -> int:
    return repo.create_user(db, name="ana", password_hash="x").id


def test_a_draft_is_kept_over_the_one_of_its_key(db: repo.State, ana: int) -> None:
    save(db, ana, "k")
    first = repo.get_draft(db, ana, "k")
    save(db, ana, "k", "invoices")
    [draft] = repo.list_drafts(db, ana)
    assert (draft.title, draft.step, draft.form) == ("invoices", "dest", {"values": {"name": "invoices"}, "rows": {}})
    assert draft.created_at == first.created_at


def test_nobody_sees_or_deletes_another_ones_draft_and_it_goes_with_its_person(db: repo.State, ana: int) -> None:
    mia = repo.create_user(db, name="mia", password_hash="x").id
    save(db, ana, "k")
    with pytest.raises(NotFound):
        repo.get_draft(db, mia, "k")
    assert not repo.delete_draft(db, mia, "k")
    save(db, mia, "k", "hers")
    assert repo.get_draft(db, ana, "k").title == "orders"
    repo.delete_user(db, mia)
    assert [draft.title for draft in repo.list_drafts(db, ana)] == ["orders"]
    assert not db.rows("SELECT 1 FROM wizard_draft WHERE title = 'hers'")
    assert repo.delete_draft(db, ana, "k")


def test_the_oldest_draft_makes_room(db: repo.State, ana: int) -> None:
    for number in range(MOST_DRAFTS + 3):
        save(db, ana, f"k{number:02d}")
        db.change("UPDATE wizard_draft SET updated_at = ? WHERE draft_key = ?", (f"{number:04d}", f"k{number:02d}"))
    save(db, ana, "last")
    keys = [draft.key for draft in repo.list_drafts(db, ana)]
    assert (len(keys), keys[0], keys[-1]) == (MOST_DRAFTS, "last", "k04")
