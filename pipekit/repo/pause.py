# The pause switch of the whole program. Knows nothing of what is held back by it.
"""`is_paused` and `set_paused`: a row of `meta`. A group has a switch of its own, `paused`."""

from pipekit.repo.state import State


def is_paused(db: State) -> bool:
    """Whether what groups, schedules and the server would start is held back."""
    return db.row("SELECT 1 FROM meta WHERE name = 'paused' AND value = '1'") is not None


def set_paused(db: State, paused: bool) -> None:
    """Holds back, or lets go on, what the server would start. Runs that go on are not touched."""
    sql = "INSERT INTO meta (name, value) VALUES ('paused', :value) ON CONFLICT (name) DO UPDATE SET value = :value"
    db.execute(sql, {"value": "1" if paused else "0"})
