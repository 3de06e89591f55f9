# Whose files may say what this process does. Knows owners and modes, no setting.
"""`refuse_strangers`: root obeys only what root owns; anybody takes programs only from what they or root own."""

import os
import pwd
import stat
from collections.abc import Iterable
from pathlib import Path

from pipekit.errors import ConfigError

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def refuse_strangers(home: Path, file: Path | None, programs: Iterable[str]) -> None:
    """Raises ConfigError for a home or a configuration that lets somebody else decide what this user does.

    For root that is any that another user owns or may write, as it names files, programs and addresses. Anybody else
    is only kept from `programs`: the settings of the file that name what is run.
    """
    if os.geteuid() == 0:
        for path in filter(None, (home, file)):
            _refuse(path, "root would do what it says")
    elif file is not None and (named := sorted(programs)):
        _refuse(file, f"its {', '.join(named)} would be run as you")


def _refuse(path: Path, why: str) -> None:
    # The link as well as what it leads to: whoever owns the link decides where it leads.
    for found in _look(path):
        if found.st_uid not in (0, os.geteuid()):
            owner = _name_user(found.st_uid)
            hint = f"Do it as that user (sudo -u {owner} pipekit ...), or give it to the one you are: chown -R."
            raise ConfigError(f"{path} belongs to {owner}, and {why}.", hint=hint)
        if found.st_mode & _OTHERS_WRITE and not stat.S_ISLNK(found.st_mode):
            raise ConfigError(f"{path} may be written by others, and {why}.", hint=f"Run: chmod go-w {path}")


def _look(path: Path) -> list[os.stat_result]:
    try:
        return [path.lstat(), path.stat()]
    except OSError:
        return []  # not there, or closed to this user: whoever reads it says so


def _name_user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
