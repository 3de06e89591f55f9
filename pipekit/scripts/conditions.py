# What `[ ... ]`, `[[ ... ]]` and `test` come to, as far as that can be told. Knows a script's state; runs nothing.
"""`judge`: holds, does not, or is not known; and what it is when the file or value that it asks for is there."""

import fnmatch
import re
from collections.abc import Callable

from pipekit.scripts.expansion import expand
from pipekit.scripts.found import MARKER
from pipekit.scripts.lexer import Word
from pipekit.scripts.shell import FALSE, OPEN, TRUE, Shell, Verdict, is_query
from pipekit.scripts.tree import is_shell_script

_FILE_TESTS = ("-f", "-e", "-s", "-r", "-d", "-w", "-x", "-a", "-L", "-h")
_NUMBERS: dict[str, Callable[[int, int], bool]] = {
    "-eq": lambda a, b: a == b, "-ne": lambda a, b: a != b, "-lt": lambda a, b: a < b,
    "-le": lambda a, b: a <= b, "-gt": lambda a, b: a > b, "-ge": lambda a, b: a >= b,
}  # fmt: skip
_TEXTS = ("=", "==", "!=", "=~", "<", ">")


def judge(shell: Shell, words: list[Word]) -> Verdict:
    """The verdict on the words of a test, with or without its brackets."""
    if words and words[0].plain in ("[", "[[", "test"):
        words = words[1:]
    if words and words[-1].plain in ("]", "]]"):
        words = words[:-1]
    return _Test(shell, words).read_or()


def negate(verdict: Verdict) -> Verdict:
    """`!` before a command."""
    return Verdict(*(None if item is None else not item for item in (verdict.holds, verdict.if_present)))


def both(one: Verdict, other: Verdict) -> Verdict:
    """`&&` between two tests."""
    if one.holds is False or other.holds is False:
        return FALSE
    if one.holds is None and other.holds is None:
        known = one.if_present is not None and other.if_present is not None
        return Verdict(None, bool(one.if_present and other.if_present) if known else None)
    return one if one.holds is None else other


def either(one: Verdict, other: Verdict) -> Verdict:
    """`||` between two tests."""
    return negate(both(negate(one), negate(other)))


class _Test:
    def __init__(self, shell: Shell, words: list[Word]) -> None:
        self._shell = shell
        self._words = words
        self._at = 0

    def _peek(self, ahead: int = 0) -> str:
        place = self._at + ahead
        return (self._words[place].literal or "") if place < len(self._words) else ""

    def _take(self) -> str:
        self._at += 1
        return expand(self._shell, self._words[self._at - 1])

    @property
    def _left(self) -> int:
        return len(self._words) - self._at

    def read_or(self) -> Verdict:
        found = self._read_and()
        while self._peek() in ("-o", "||") and self._left > 1:
            self._at += 1
            found = either(found, self._read_and())
        return found

    def _read_and(self) -> Verdict:
        found = self._read_one()
        while self._peek() in ("-a", "&&") and self._left > 1:
            self._at += 1
            found = both(found, self._read_one())
        return found

    def _read_one(self) -> Verdict:
        if not self._left:
            return FALSE
        if self._peek() == "!" and self._left > 1:
            self._at += 1
            return negate(self._read_one())
        if self._peek() == "(":
            self._at += 1
            inner = self.read_or()
            self._at += self._peek() == ")"
            return inner
        if self._left > 2 and (self._peek(1) in _NUMBERS or self._peek(1) in _TEXTS):
            left, operator = self._take(), self._peek()
            self._at += 1
            pattern = self._words[self._at]
            right = self._take()
            while operator == "=~" and self._left and self._peek() not in ("&&", "||"):
                right += self._take()
            return self._compare(left, operator, right, is_pattern=not any(part.quoted for part in pattern.parts))
        if self._left > 1 and self._peek() in ("-z", "-n"):
            wants = self._peek() == "-n"
            self._at += 1
            return self._ask_text(self._take(), wants=wants)
        if self._left > 1 and self._peek() in _FILE_TESTS:
            self._at += 1
            return self._ask_file(self._take())
        if self._left > 1 and re.fullmatch(r"-\w", self._peek()):
            self._at += 2
            return OPEN
        return self._ask_text(self._take(), wants=True)

    def _ask_text(self, text: str, *, wants: bool) -> Verdict:
        """Whether a text is there; a mark among other letters is a text whatever it stands for."""
        if self._shell.notes.only_unknown(text):
            return Verdict(None, wants)
        return TRUE if bool(text) == wants else FALSE

    def _ask_file(self, name: str) -> Verdict:
        path = self._shell.resolve(name)
        tree = self._shell.world.tree
        text = tree.texts.get(path)
        is_part = text is not None and (is_query(path, text) or is_shell_script(path, text))
        if path in self._shell.written or path in tree.folders or (is_part and path not in self._shell.world.state):
            return TRUE
        return Verdict(None, True)

    def _compare(self, left: str, operator: str, right: str, *, is_pattern: bool) -> Verdict:
        marked = [text for text in (left, right) if MARKER.search(text)]
        if marked:
            is_empty = MARKER.sub("", left) == MARKER.sub("", right) and len(marked) == 1
            return Verdict(None, operator == "!=") if is_empty and operator in ("=", "==", "!=") else OPEN
        if operator in _NUMBERS:
            numbers = [int(text) if re.fullmatch(r"\s*-?\d{1,18}\s*", text) else None for text in (left, right)]
            first, second = numbers
            return OPEN if first is None or second is None else Verdict(_NUMBERS[operator](first, second))
        if operator in ("=", "==", "!="):
            same = fnmatch.fnmatchcase(left, right) if is_pattern else left == right
            return Verdict(same == (operator != "!="))
        return OPEN
