# What failures are counted under, and that what is remembered is bounded. Knows no login.
"""`Throttle`, `find_place`, `Budget`."""

import time

import pytest

from pipekit.errors import TooMany
from pipekit.http import throttle
from pipekit.http.throttle import MOST_KEYS, TRIES, Budget, Limit, Throttle, find_place, list_login_limits


def fail(made: Throttle, limits: list[Limit], times: int) -> int:
    """How many of so many tries were let through."""
    for count in range(times):
        try:
            made.check(limits)
        except TooMany:
            return count
        made.note_failure(limits)
    return times


def test_guesses_from_one_place_or_at_one_name_are_refused_and_keep_nobody_else_out() -> None:
    made = Throttle()
    assert fail(made, list_login_limits("ana", "10.0.0.1", is_known=False), 99) == TRIES
    made.check(list_login_limits("ana", "10.0.0.2", is_known=False))
    made.check(list_login_limits("otto", "10.0.0.1", is_known=False))
    for n in range(99):
        fail(made, list_login_limits(f"nobody {n}", "10.0.0.1", is_known=False), 1)
    with pytest.raises(TooMany):
        made.check(list_login_limits("otto", "10.0.0.1", is_known=False))
    made.check(list_login_limits("otto", "10.0.0.1", is_known=True))


def test_many_guesses_at_one_name_from_everywhere_leave_its_known_places_open() -> None:
    made = Throttle()
    let_through = sum(fail(made, list_login_limits("ana", f"10.0.0.{n}", is_known=False), 5) for n in range(99))
    assert let_through == throttle.TRIES_FOR_ONE_NAME
    with pytest.raises(TooMany):
        made.check(list_login_limits("ANA", "192.168.0.1", is_known=False))
    made.check(list_login_limits("ana", "192.168.0.1", is_known=True))


def test_a_minute_later_everything_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    made = Throttle()
    limits = list_login_limits("ana", "10.0.0.1", is_known=False)
    fail(made, limits, 99)
    clock[0] += throttle.WITHIN_S + 1
    made.check(limits)
    made.note_failure([Limit("other", 5)])
    assert len(made) == 1


def test_what_is_remembered_is_bounded_in_number_and_length() -> None:
    made = Throttle()
    for n in range(MOST_KEYS):
        made.note_failure(list_login_limits(f"{n} " + "x" * 900_000, f"place {n}", is_known=False))
    assert len(made) <= MOST_KEYS
    assert max(map(len, made._failed)) < 500


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("::1", "::1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("no address", "no address"),
    ],
)
def test_a_place_is_an_address_or_the_network_that_one_customer_has(address: str, place: str) -> None:
    assert find_place(address) == place


def test_a_budget_is_used_up_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    budget = Budget(3, 60.0)
    assert [budget.take() for _ in range(5)] == [True, True, True, False, False]
    clock[0] += 61
    assert budget.take()
