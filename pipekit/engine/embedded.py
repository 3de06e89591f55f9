# Addresses of registered kinds, embedded databases only below the folder they are registered with. Opens no database.
"""`check_registered_url`, `check_folder`, `check_place` and `check_files`.

SQL on such a database reaches files as Pipekit's user, so an address may name one only where an admin has said so.
"""

import os
import re
import stat
from collections.abc import Collection, Iterator
from pathlib import Path

from pipekit.config import Config
from pipekit.drivers.base import Driver
from pipekit.errors import Invalid
from pipekit.models import DriverRegistration

# Below the folder: nothing that a driver, or Java, reads as more than a name.
_NAMES = re.compile(r"(?:/[\w+@=,(][\w .+@=,()-]*)+")


def check_folder(driver: Driver, folder: str) -> str:
    """The folder below which a kind's databases may lie, whole; raises Invalid (field `folder`)."""
    if not driver.needs_jar or not driver.may_be_embedded:
        raise _bad_folder(f"The kind '{driver.kind}' reaches servers alone: it needs no folder.")
    if not folder.startswith("/") or not folder.isprintable() or set(folder) & set(';?\\"$'):
        raise _bad_folder("Give the whole path of the folder.", "For example /srv/databases.")
    folder = os.path.normpath(folder)
    # Also by another way there, such as /proc/self/root.
    if os.path.realpath(folder).strip("/") == "":
        raise _bad_folder("A folder of its own is meant, not all of the machine.")
    _look_at_folder(folder)
    return "/" + folder.lstrip("/")


def check_registered_url(driver: Driver, found: DriverRegistration | None, jdbc_url: str) -> None:
    """Raises Invalid (field `jdbc_url`) for an address that its kind does not take as it is registered, if it is."""
    driver.parse_url(jdbc_url)
    if found and found.jar:
        driver.check_template(jdbc_url, found.url_template or "")
        check_place(driver, jdbc_url, found)


def check_place(
    driver: Driver, jdbc_url: str, found: DriverRegistration, servers: Collection[str] | None = None
) -> str | None:
    """The file that an address may name, None for a server; looks at its text alone. Raises Invalid (`jdbc_url`).

    Without `servers` (see `Config.jdbc_servers`) the registration is believed, which was held against them.
    """
    if servers is None:
        word = "" if found.folder else driver.find_word(found.url_template or "")
        servers = [word] if word else []
    file = driver.find_file(jdbc_url, servers)
    if file is None:
        return None
    if not found.folder:
        raise _refuse_file(driver, jdbc_url, found.jar or "FILE")
    below = file.removeprefix(found.folder)
    if below == file or not _NAMES.fullmatch(below):
        raise Invalid(
            f"A database of the kind '{driver.kind}' in a file must lie below {found.folder}.",
            field="jdbc_url",
            hint="Name it with its whole path, of letters, digits, blanks and _ - . + @ = , ( ) behind the folder.",
        )
    return file


def _refuse_file(driver: Driver, jdbc_url: str, jar: str) -> Invalid:
    allow = f"pipekit drivers add --kind {driver.kind} --jar {jar} --folder DIR"
    hint = f"Use the product's server, or let an admin allow databases below a folder: {allow}"
    message = f"The address names a file of this machine, and the kind '{driver.kind}' is registered for servers alone."
    if word := driver.find_word(jdbc_url):
        message = f"It is not known that this address leads to a server: jdbc:{word}: might open a file here."
        hint = f"Write //HOST or HOST:PORT, and list {word} under `jdbc_servers` in config.yaml; or {allow}"
    return Invalid(message, field="jdbc_url", hint=hint)


def check_files(config: Config, folder: str, file: str) -> None:
    """Raises Invalid (field `jdbc_url`) where a database's files lead out of the folder, or to Pipekit's own."""
    _look_at_folder(folder)
    inside, path = Path(folder).resolve(), Path(file)
    for found in (path, *_list_links(path)):
        if not found.resolve().is_relative_to(inside):
            raise Invalid(f"{found} leads out of {folder} by a symbolic link.", field="jdbc_url")
    real = path.resolve()
    own = [config.state_path, config.secrets_path, config.home / "config.yaml"]
    if any(_is_beside(real, name.resolve()) for name in own) or real.is_relative_to(config.jar_folder.resolve()):
        raise Invalid(f"Pipekit's own files are where {file} would be.", field="jdbc_url", hint="Give it another name.")


def _is_beside(path: Path, own: Path) -> bool:
    return path.parent == own.parent and (own.name.startswith(path.name + ".") or path.name.startswith(own.name))


def _list_links(path: Path) -> Iterator[Path]:
    """Symbolic links among the files of a database: itself, what begins with its name and a dot, what lies in it."""
    try:
        beside = [entry for entry in os.scandir(path.parent) if (entry.name + ".").startswith(path.name + ".")]
    except OSError:
        return  # not made yet, or closed to this user: the driver says so
    for entry in beside:
        if entry.is_symlink():
            yield Path(entry.path)
        elif entry.is_dir():
            for folder, folders, files in os.walk(entry.path):
                yield from (place for name in (*folders, *files) if (place := Path(folder, name)).is_symlink())


def _look_at_folder(folder: str) -> None:
    try:
        mode = os.stat(folder).st_mode
    except OSError as error:
        raise _bad_folder(f"The folder {folder} cannot be looked into: {error.strerror}.") from error
    if not stat.S_ISDIR(mode):
        raise _bad_folder(f"{folder} is no folder.")
    if mode & stat.S_IWOTH:
        # What such a database holds is run by its driver: triggers, functions, scripts.
        raise _bad_folder(f"Every user of this machine may write into {folder}.", f"Run: chmod o-w {folder}")


def _bad_folder(message: str, hint: str = "") -> Invalid:
    return Invalid(message, field="folder", hint=hint)
