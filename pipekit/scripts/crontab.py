# Lines of a crontab -> when which command runs. Knows no script and no module.
"""`read_crontab`: the lines of a crontab with the variables that stand before them."""

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipekit.cron import check_cron, expand_cron
from pipekit.scripts.found import Notes, Place

_LINE = re.compile(r"\s*(@\w+|(?:[\d*/,A-Za-z-]+[ \t]+){5})(.*)")
_SETTING = re.compile(r"\s*([A-Za-z_]\w*)\s*=\s*(.*?)\s*\Z")
_FILE = re.compile(r"(?:^|[./_-])cron(?:tab)?(?:[._-]|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CronLine:
    """A command and when it runs; `settings` are the variables that the crontab sets before: name, value, line."""

    place: Place
    cron: str
    command: str
    settings: tuple[tuple[str, str, int], ...]


def is_crontab(path: str) -> bool:
    """Whether a file is called like a crontab and is no script."""
    name = posixpath.basename(path)
    return bool(_FILE.search(name)) and not name.endswith((".sh", ".sql", ".md", ".py"))


def read_crontab(file: str, text: str, notes: Notes) -> Iterator[CronLine]:
    """The lines that run something; those that cannot be read are noted."""
    settings: list[tuple[str, str, int]] = []
    for number, line in enumerate(text.splitlines(), 1):
        place = Place(file, number)
        setting = _SETTING.match(line)
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if setting is not None:
            settings.append((setting[1], setting[2].strip("'\""), number))
            continue
        found = _LINE.match(line)
        cron = expand_cron(" ".join(found[1].split())) if found else ""
        if not found or check_cron(cron):
            notes.add(place, "This line of the crontab was not understood.")
        else:
            command = re.split(r"(?<!\\)%", found[2], maxsplit=1)[0].replace("\\%", "%")
            yield CronLine(place, cron, command, tuple(settings))
