# Which dests are asked again about runs that ended without an answer, and when. Knows no dest and no lease.
"""`Settling`: what a server does about outcomes that are not known and staging tables that are left."""

import time
from collections.abc import Callable

from pipekit import repo
from pipekit.config import Config
from pipekit.engine import Installation, settle_leftovers
from pipekit.models import Connection
from pipekit.secrets import Secrets

FIRST_PAUSE_S = 5.0
LONGEST_PAUSE_S = 60.0


class Settling:
    """A dest that does not answer is asked ever less often, once a minute at last."""

    def __init__(self, config: Config, secrets: Secrets, clock: Callable[[], float] = time.monotonic) -> None:
        self._config = config
        self._secrets = secrets
        self._clock = clock
        self._pauses: dict[tuple[str, str], tuple[float, float]] = {}

    def settle(self, db: repo.State) -> None:
        """Asks the dests whose time has come."""
        asked: dict[int, tuple[str, str]] = {}

        def choose(run_id: int, dest: Connection) -> bool:
            asked[run_id] = (dest.driver, dest.jdbc_url)
            next_at, _ = self._pauses.get(asked[run_id], (0.0, 0.0))
            return next_at <= self._clock()

        left: set[tuple[str, str]] = set()
        clear: set[tuple[str, str]] = set()
        installation = Installation(db=db, config=self._config, secrets=self._secrets)
        for run, outcome in settle_leftovers(installation, choose):
            (left if outcome.merge_state == "unknown" or outcome.staging_left else clear).add(asked[run.id])
        for dest in clear - left:
            self._pauses.pop(dest, None)
        for dest in left:
            _, pause_s = self._pauses.get(dest, (0.0, FIRST_PAUSE_S / 2))
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
            self._pauses[dest] = (self._clock() + pause_s, pause_s)
