# The one server of a state file: its lease. Knows nothing of what a server does, or whether an owner lives.
"""Find, take, renew and release the server's lease."""

from dataclasses import dataclass

from pipekit.repo.clock import lease_end, lease_now
from pipekit.repo.state import State, now, transaction


@dataclass(frozen=True, kw_only=True, slots=True)
class Server:
    """Who works on this state file. `address` says where, for people."""

    owner: str
    lease_expires_at: str
    started_at: str
    address: str | None = None


def find_server(db: State) -> Server | None:
    """The server that holds the lease or has let it run out; None when there is none."""
    row = db.row("SELECT owner, lease_expires_at, started_at, address FROM server WHERE id = 1")
    return Server(**row) if row else None


def take_server(db: State, owner: str, lease_s: float, address: str | None, *, dead_owner: str | None = None) -> bool:
    """Makes `owner` the server for `lease_s` seconds; False, and nothing is changed, when another one is.

    Another one is not (any more) when its lease ran out, or when it is `dead_owner`, which the caller knows is dead.
    """
    with transaction(db):
        found = find_server(db)
        if found and found.owner not in (owner, dead_owner) and found.lease_expires_at >= lease_now(db):
            return False
        db.change("DELETE FROM server")
        expires = lease_end(db, lease_s)
        values = {"id": 1, "owner": owner, "lease_expires_at": expires, "started_at": now(), "address": address}
        db.insert("server", values)
        return True


def renew_server(db: State, owner: str, lease_s: float) -> bool:
    """Extends the lease to `lease_s` seconds from now; False when it is another's."""
    with transaction(db):
        values = {"expires": lease_end(db, lease_s), "owner": owner}
        return bool(db.change("UPDATE server SET lease_expires_at = :expires WHERE owner = :owner", values))


def release_server(db: State, owner: str) -> None:
    """Lets the next server start at once; does nothing when the lease is another's."""
    with transaction(db):
        db.change("DELETE FROM server WHERE owner = ?", (owner,))
