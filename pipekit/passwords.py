# Hashing and checking passwords, and which ones are too easy. Knows no user and no request.
"""Argon2id hashes, a few at once, and a check that takes the same time for a user who does not exist."""

import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from pipekit.errors import Invalid, TooMany

SHORTEST = 8
LONGEST = 1000
ADVISED = 15
# A hash takes 19 MB and a core for some 30 ms. So many are made at once, by threads that do nothing else: each thread
# that ever made one keeps its memory. As many others wait for their turn.
AT_ONCE = 2
MOST_WAITING = 20

# What people choose where Pipekit is, beside what is common everywhere: zxcvbn's lists of leaked ones and of names.
# With digits and signs around it, or digits for letters, it is no better.
_HERE = """
    abc abcabc abcd account administrator autumn basketball chocolate database etl guest login nothing pipekit please
    postgres postgresql qwer secure service sqlserver support temporary user warehouse willkommen
"""
_LISTS = ("passwords", "female_names", "male_names")
_ROWS = (
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiop",
    "qwertzuiop",
    "asdfghjkl",
    "zxcvbnm",
    "01234567890",
    "1qaz2wsx3edc4rfv5tgb",
)
_AS_LETTERS = str.maketrans("013457@$!", "oieastasi")

# Whoever hashes or waits has one.
_PLACES = threading.Semaphore(AT_ONCE + MOST_WAITING)

T = TypeVar("T")


def hash_password(password: str, *, name: str = "") -> str:
    """The hash to keep. Raises Invalid for one that is too short, or that is tried first; TooMany, see `take_turn`."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise Invalid(f"A password has at least {SHORTEST} characters, and at most {LONGEST:,}.", field="password")
    if is_common(password, name):
        raise Invalid(
            "This password is one of the first that are tried.",
            field="password",
            hint=f"Several words together are hard to guess; {ADVISED} characters or more are advised.",
        )
    return take_turn(lambda: _hasher().hash(password))


def is_common(password: str, name: str = "") -> bool:
    """Whether it is a common one or the user's name, dressed up or repeated perhaps, or characters in a row."""
    piece = _find_piece(password.casefold())
    if len(piece) <= 4 or _is_in_a_row(piece) or (piece.isdigit() and len(password) < ADVISED):
        return True
    spelled = {piece, piece.translate(_AS_LETTERS)}
    bare = {re.sub(r"\A[\W\d_]+|[\W\d_]+\Z", "", piece), *(re.sub(r"[\W\d_]", "", text) for text in spelled)}
    words = spelled | bare | {text.translate(_AS_LETTERS) for text in bare}
    common = _list_common()
    if password.casefold() in common:
        return True
    return any(word in common or word == name.casefold() or (len(word) > 3 and _is_in_a_row(word)) for word in words)


@cache
def _list_common() -> frozenset[str]:
    """Some 34,000 texts in small letters; 15 MB, for who chooses a password."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(_HERE.split()).union(*(FREQUENCY_LISTS[name] for name in _LISTS))


def _is_in_a_row(text: str) -> bool:
    return any(text in row + row or text in (row + row)[::-1] for row in _ROWS)


def _find_piece(text: str) -> str:
    """What a text is made of when it is one piece over and over, cut anywhere: `abcabcab` -> `abc`; else all of it."""
    sizes = range(1, len(text) // 2 + 1)
    return next((text[:size] for size in sizes if text[size:] == text[:-size]), text)


def check_password(password_hash: str | None, password: str) -> bool:
    """Whether the password fits; with None (no such user) it takes as long and is False. To be called in a turn."""
    try:
        return _hasher().verify(password_hash or _nobody(), password) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


def take_turn(work: Callable[[], T]) -> T:
    """Does what hashes in one of the few threads for it. Raises TooMany when many wait already."""
    if not _PLACES.acquire(blocking=False):
        raise TooMany("Too many logins at once.", hint="Try again in a moment.")
    try:
        return _threads().submit(work).result()
    finally:
        _PLACES.release()


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(AT_ONCE, thread_name_prefix="passwords")


@cache
def _hasher() -> PasswordHasher:
    # OWASP's first choice: 19 MiB, two passes, one lane.
    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


@cache
def _nobody() -> str:
    return _hasher().hash("nobody has this password")
