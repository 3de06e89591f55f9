# Lines of a crontab -> which script runs when. Knows scripts by their names, no module.
"""`read_crontab`: the schedules of scripts of the folder."""

import posixpath
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from pipekit.cron import check_cron, expand_cron
from pipekit.scripts.found import Notes, Place

_LINE = re.compile(r"\s*(@\w+|(?:[\d*/,A-Za-z-]+[ \t]+){5})(.*)")
_SETTING = re.compile(r"\s*[A-Za-z_]\w*\s*=")
_FILE = re.compile(r"(?:^|[./_-])cron(?:tab)?(?:[._-]|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A script and when it runs."""

    place: Place
    cron: str
    script: str


def is_crontab(path: str) -> bool:
    """Whether a file is called like a crontab and is no script."""
    name = posixpath.basename(path)
    return bool(_FILE.search(name)) and not name.endswith((".sh", ".sql", ".md", ".py"))


def read_crontab(file: str, text: str, scripts: Collection[str], notes: Notes) -> Iterator[Scheduled]:
    """The lines that run scripts of the folder; others are noted."""
    for number, line in enumerate(text.splitlines(), 1):
        place = Place(file, number)
        if not line.strip() or line.lstrip().startswith("#") or _SETTING.match(line):
            continue
        found = _LINE.match(line)
        cron = expand_cron(" ".join(found[1].split())) if found else ""
        script = _find_script(found[2], scripts) if found else None
        if not found or check_cron(cron):
            notes.add(place, "This line of the crontab was not understood.")
        elif script is None:
            notes.add(place, "This line of the crontab runs no script of the folder.")
        else:
            yield Scheduled(place, cron, script)


def _find_script(command: str, scripts: Collection[str]) -> str | None:
    """The script that a command line starts: the longest match of its path's end, `cd FOLDER` put before it."""
    folder = ""
    words = re.split(r"[\s;&|()\"']+", command)
    best: tuple[int, str] | None = None
    for at, word in enumerate(words):
        if at and words[at - 1] == "cd":
            folder = word
            continue
        path = posixpath.normpath(posixpath.join(folder, word)) if word else ""
        for script in scripts:
            shared = _count_shared(path.split("/"), script.split("/"))
            whole = shared == len(script.split("/")) or shared == len(path.split("/"))
            if shared and whole and (best is None or shared > best[0]):
                best = (shared, script)
    return best[1] if best else None


def _count_shared(one: list[str], other: list[str]) -> int:
    """How many parts two paths share, counted from their ends."""
    shared = 0
    while shared < min(len(one), len(other)) and one[-1 - shared] == other[-1 - shared]:
        shared += 1
    return shared
