# An installation as one thread works with it. Knows nothing of what is done with it.
"""`Installation`: the state database, the settings and the secrets, which go together wherever runs are started."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace

from pipekit import repo
from pipekit.config import Config
from pipekit.runner.ahead import Ahead
from pipekit.runner.spares import Spares
from pipekit.secrets import Secrets


@dataclass(frozen=True, kw_only=True, slots=True)
class Installation:
    """What one thread needs to start runs, run them and close them. `db` is used by that thread alone.

    `spares` are children for the runs of who will run several; without them each run starts its own, or takes the one
    that has been started `ahead`.
    """

    db: repo.State
    config: Config
    secrets: Secrets
    spares: Spares | None = None
    ahead: Ahead | None = None

    @contextmanager
    def open_for_thread(self) -> Iterator["Installation"]:
        """The same for another thread, with a state database of its own for the length of the block."""
        with closing(repo.open_state(self.config.state_path)) as db:
            yield replace(self, db=db)
