# How often somebody may be wrong. Knows names and addresses as texts, no user and no request.
"""`Throttle`: failures of the last minute, counted under several keys, each with its limit; and `Budget`."""

import ipaddress
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass

from pipekit.errors import TooMany

WITHIN_S = 60.0
# Wrong passwords for one name from one place; for any names from one place; for one name from everywhere.
TRIES = 5
TRIES_FROM_ONE_PLACE = 20
TRIES_FOR_ONE_NAME = 100
# So many keys are remembered, the latest: some megabytes, whoever tries whatever.
MOST_KEYS = 10_000
LONGEST_KEY = 200


@dataclass(frozen=True, slots=True)
class Limit:
    """What failures are counted under, and how many are too many."""

    key: str
    tries: int


def find_place(address: str) -> str:
    """Where a request comes from, as it is counted: an address; of IPv6 the network that one customer gets."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:LONGEST_KEY]
    mapped = getattr(found, "ipv4_mapped", None)
    if found.version == 6 and mapped is None and not found.is_loopback:
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(mapped or found)


def list_login_limits(name: str, place: str, *, is_known: bool) -> list[Limit]:
    """What failures of a login are counted under.

    For a name that has logged in from there before (`is_known`) only its own failures there: whoever guesses from
    elsewhere, or at other names, keeps nobody out.
    """
    who = name[:LONGEST_KEY].casefold()
    own = Limit(f"login {who} from {place}", TRIES)
    others = [Limit(f"logins from {place}", TRIES_FROM_ONE_PLACE), Limit(f"logins of {who}", TRIES_FOR_ONE_NAME)]
    return [own] if is_known else [own, *others]


class Budget:
    """So many of something within a time, and no more."""

    def __init__(self, most: int, within_s: float) -> None:
        self._taken: deque[float] = deque(maxlen=most)
        self._within_s = within_s

    def take(self) -> bool:
        """Whether there is one left; it is taken then."""
        now = time.monotonic()
        if len(self._taken) == self._taken.maxlen and self._taken[0] > now - self._within_s:
            return False
        self._taken.append(now)
        return True


class Throttle:
    """Failures of the last minute by key. Kept in memory, bounded and forgotten: a restart forgives."""

    def __init__(self) -> None:
        self._failed: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._failed)

    def check(self, limits: Sequence[Limit]) -> None:
        """Raises TooMany when one of the limits is reached."""
        since = time.monotonic() - WITHIN_S
        with self._lock:
            for limit in limits:
                if sum(at > since for at in self._failed.get(limit.key, ())) >= limit.tries:
                    raise TooMany("Too many failed logins.", hint="Wait a minute and try again.")

    def note_failure(self, limits: Sequence[Limit]) -> None:
        """Counts a failure under each key, and forgets what is old or beyond what is remembered."""
        now = time.monotonic()
        with self._lock:
            for limit in limits:
                self._failed.setdefault(limit.key, deque(maxlen=limit.tries)).append(now)
                self._failed.move_to_end(limit.key)
            # The key that failed last stands at the end.
            while self._failed:
                oldest = next(iter(self._failed))
                if len(self._failed) <= MOST_KEYS and self._failed[oldest][-1] > now - WITHIN_S:
                    break
                del self._failed[oldest]

    def forgive(self, limit: Limit) -> None:
        """A login that succeeded wipes a slate."""
        with self._lock:
            self._failed.pop(limit.key, None)
