# Long text, cut so that it can be kept and shown. Knows nothing of what the text is about.
"""`cut` keeps both ends of a text and tells how much is left out; `cut_lines` does so for each of its lines.

A value of a database may be as large as the database allows, and databases quote it in what they say. What an error
carries is cut when it is made (`SENT`), and again, once secrets are masked, where it is kept or shown (`TOLD`): what
the first cut left of a secret that it went through is left out by the second.
"""

import re

SENT = 32_768
TOLD = 4_000
LINE = 4_000
# SQL of a run; more than that is no page any more.
STATEMENT = 500_000

_LEFT_OUT = " ... [{count} characters left out] ... "
_MARK = re.compile(r" \.\.\. \[([0-9]{1,12}) characters left out\] \.\.\. ")
_LONGEST_MARK = len(_LEFT_OUT) + 6


def cut(text: str, limit: int = TOLD) -> str:
    """A text of at most `limit` characters (100 or more): the beginning, how much is left out, and the end."""
    if len(text) <= limit:
        return text
    kept = limit - _LONGEST_MARK
    begin, end = text[: kept - kept // 2], text[len(text) - kept // 2 :]
    return begin + _LEFT_OUT.format(count=_measure(text, len(begin), len(text) - len(end))) + end


def _measure(text: str, start: int, stop: int) -> int:
    """How many characters stand between two places, counting those that an earlier cut took away there."""
    earlier = list(_MARK.finditer(text, start, stop)) if stop - start <= 2 * SENT else []
    return stop - start + sum(int(mark[1]) - len(mark[0]) for mark in earlier)


def cut_lines(text: str, limit: int = LINE) -> str:
    """The text with each line cut to `limit` characters."""
    if len(text) <= limit:
        return text
    return "\n".join(cut(line, limit) for line in text.split("\n"))
