# One request of an attack and what came of it. Knows neither.
"""`Shot`."""

from typing import NamedTuple

from tests.attack.target import Answer


class Shot(NamedTuple):
    """One request, what came back, and whether that is as it must be."""

    told: str
    answer: Answer
    is_right: bool
