# Which passwords are refused, and that few are hashed at once. Knows no user.
"""`hash_password`, `is_common`, `take_turn`."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from pipekit import passwords
from pipekit.errors import Invalid, TooMany
from pipekit.passwords import AT_ONCE, MOST_WAITING, SHORTEST, check_password, hash_password, is_common, take_turn
from pipekit.runner.process import wait_until
from tests.patience import PATIENCE_S


@pytest.mark.parametrize(
    "password",
    [
        *(
            "password",
            "Password1!",
            "P@ssw0rd",
            "passwordpassword",
            "Welcome2024!",
            "pipekit1",
            "trustno1",
            "qwerty123",
            "Liverp00l",
            "Basketball-1",
            "Jennifer_1987",
        ),
        *(
            "trustno1",
            "12345678",
            "87654321",
            "48261937",
            "aaaaaaaa",
            "abcabcabc",
            "qwertyuiop",
            "1qaz2wsx",
            "!!!!!!!!",
        ),
        *("berta123", "BERTA-2024"),
    ],
)
def test_a_password_that_is_tried_first_is_refused(password: str) -> None:
    with pytest.raises(Invalid, match="first that are tried") as caught:
        hash_password(password, name="Berta")
    assert "15 characters or more are advised" in caught.value.hint


def test_the_passwords_that_leaked_most_are_refused() -> None:
    """Those that are long enough to be given; each also as people mend it when it is refused."""
    leaked = [text for text in FREQUENCY_LISTS["passwords"] if len(text) >= SHORTEST][:3000]
    assert len(leaked) == 3000
    assert [text for text in leaked if not is_common(text)] == []
    mended = [f"{text.capitalize()}2026!" for text in leaked if text.isalpha()]
    assert [text for text in mended if not is_common(text)] == []


@pytest.mark.parametrize(
    "password", ["long enough", "Kx7pLm2q", "passwordless world", "correct horse", "4826193755120341"]
)
def test_another_one_is_taken_and_checked(password: str) -> None:
    kept = hash_password(password, name="Berta")
    assert (check_password(kept, password), check_password(kept, password + "x")) == (True, False)


@pytest.mark.parametrize("length", [0, 7, 1001])
def test_one_that_is_too_short_or_too_long_is_refused(length: int) -> None:
    with pytest.raises(Invalid, match="at least 8 characters"):
        hash_password("Kx7pLm2q, and more"[:1] * length)


def test_few_are_hashed_at_once_some_wait_and_more_are_refused() -> None:
    gate, begun, lock = threading.Event(), threading.Semaphore(0), threading.Lock()
    now = most = 0

    def work() -> str:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        begun.release()
        assert gate.wait(PATIENCE_S)
        with lock:
            now -= 1
        return "done"

    with ThreadPoolExecutor(AT_ONCE + MOST_WAITING) as pool:
        waiting = [pool.submit(take_turn, work) for _ in range(AT_ONCE + MOST_WAITING)]
        try:
            for _ in range(AT_ONCE):
                assert begun.acquire(timeout=PATIENCE_S)
            assert wait_until(lambda: not passwords._PLACES._value, PATIENCE_S)
            with pytest.raises(TooMany):
                take_turn(work)
        finally:
            gate.set()
        assert [future.result(PATIENCE_S) for future in waiting] == ["done"] * (AT_ONCE + MOST_WAITING)
    assert most == AT_ONCE
    assert take_turn(lambda: 7) == 7
