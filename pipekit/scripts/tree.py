# The files of the folder that is imported, and where they stood before it was copied. Reads files, runs nothing.
"""`load_tree`, and `Tree`: text by name, and by the name that it has where the scripts run."""

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipekit.scripts.found import Notes, Place

MOST_BYTES = 1_000_000
SCRIPT_SUFFIXES = (".sh", ".bash", ".ksh")
_PROGRAMS = (
    ".py", ".pl", ".rb", ".js", ".java", ".php", ".awk", ".csh", ".tcsh", ".fish", ".mk", ".service", ".bat", ".cmd",
    ".ps1", ".vbs",
)  # fmt: skip
_SHEBANG = re.compile(r"#!.*\b(?:ba|k|da|z)?sh\b")
_ABSOLUTE = re.compile(r"(?<![\w.:/}-])/[\w.+-]+(?:/[\w.+-]+)+/?")
# Files of these folders are nobody's copies.
_SYSTEM = ("/tmp/", "/dev/shm/", "/proc/", "/usr/", "/bin/", "/run/")


@dataclass(slots=True)
class Tree:
    """`texts` by names from the folder; `bases` are folders of other machines of which this one is a copy."""

    root: str
    texts: Mapping[str, str]
    folders: frozenset[str] = frozenset()
    bases: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folders = frozenset(folder for path in self.texts for folder in _list_parents(path))
        found = {base for path, text in self.texts.items() for base in self._find_bases(path, text)}
        self.bases = sorted(found, key=len, reverse=True)

    @property
    def scripts(self) -> list[str]:
        """The shell scripts: by their names, else by their first lines."""
        return [path for path, text in self.texts.items() if is_shell_script(path, text)]

    def find_inside(self, path: str) -> str:
        """An absolute path as a name of the folder, `.` for itself; one that is elsewhere stays absolute."""
        for base in (self.root, *self.bases):
            inside = posixpath.relpath(path, base)
            if not inside.startswith(".."):
                return inside
        return posixpath.normpath(path)

    def find_copy(self, path: str, near: str) -> str | None:
        """The file that an absolute path is likely to mean for a script in the folder `near`; None where it may be any.

        It is the only one of its name; else the one whose folder is called alike too; else one in the script's own
        folder, or the nearest of those above it.
        """
        alike = [known for known in self.texts if posixpath.basename(known) == posixpath.basename(path)]
        if path.startswith(_SYSTEM) or not alike:
            return None
        parts, home = path.split("/"), near.split("/") if near != "." else []
        if len(alike) > 1 and len(parts) > 2:
            alike = [known for known in alike if known.split("/")[-2:-1] == parts[-2:-1]] or alike
        if len(alike) == 1:
            return alike[0]
        is_own = not home or home[-1] == parts[-2]
        for depth in range(len(home) - (not is_own), -1, -1):
            known = "/".join([*home[:depth], parts[-1]])
            if known in alike:
                return known
        shared = sorted((_count_shared(known.split("/"), home), known) for known in alike)
        return shared[-1][1] if shared[-1][0] > shared[-2][0] else None

    def _find_bases(self, script: str, text: str) -> Iterator[str]:
        """Folders that a script's absolute paths show to be this one: they go on as names in it do."""
        home = posixpath.dirname(script)
        for found in _ABSOLUTE.finditer(text):
            path = posixpath.normpath(found[0])
            parts = path.split("/")
            for at in range(1, len(parts)):
                inside = "/".join(parts[at:])
                is_known = inside in self.texts or inside in self.folders
                is_own = inside == home or parts[at - 1] == posixpath.basename(self.root)
                if is_known and ("/" in inside or is_own) and not path.startswith(_SYSTEM):
                    yield "/".join(parts[:at]) or "/"
                    break
            else:
                if parts[-1] == posixpath.basename(self.root) and not home and not path.startswith(_SYSTEM):
                    yield path


def _count_shared(one: list[str], other: list[str]) -> int:
    """How many folders two paths have in common, from the root on."""
    pairs = list(zip(one, other, strict=False))
    return next((at for at, (left, right) in enumerate(pairs) if left != right), len(pairs))


def _list_parents(path: str) -> Iterator[str]:
    parts = path.split("/")[:-1]
    return ("/".join(parts[:i]) for i in range(1, len(parts) + 1))


def is_shell_script(path: str, text: str) -> bool:
    """Whether a shell runs a file: by its name or first line, else where it calls jrunner and has neither."""
    is_bare = "." not in posixpath.basename(path) and not text.startswith("#!") and calls_jrunner(text)
    return path.endswith(SCRIPT_SUFFIXES) or bool(_SHEBANG.match(text)) or is_bare


def is_other_program(path: str, text: str) -> bool:
    """Whether a file is a program of another language."""
    is_named = path.endswith(_PROGRAMS) or posixpath.basename(path).lower() == "makefile"
    return not is_shell_script(path, text) and (is_named or text.startswith("#!"))


def calls_jrunner(text: str) -> bool:
    """Whether a text has a call of jrunner, by the flags that every one of them has."""
    return "-scu" in text and "-sq" in text


def load_tree(folder: Path, notes: Notes) -> Tree:
    """The text files of a folder by their names in it; files that are left out and might matter are noted."""
    root = folder.resolve()
    texts: dict[str, str] = {}
    for path in sorted(root.rglob("*")):
        relative = path.relative_to(root)
        if any(part.startswith(".") and not part.startswith(".env") for part in relative.parts):
            continue
        if path.is_dir():
            continue
        name = relative.as_posix()
        text = _read_text(path, root)
        if text is not None:
            texts[name] = text
        elif name.endswith((*SCRIPT_SUFFIXES, ".sql", ".env", ".txt")) or path.is_symlink():
            notes.add(Place(name), "This file was not read: it leads out of the folder, is too large, or is no text.")
    return Tree(str(root), texts)


def _read_text(path: Path, root: Path) -> str | None:
    """A file's text with plain line ends: UTF-8, UTF-16 with its mark, else Windows' Latin letters."""
    real = path.resolve()
    if not real.is_file() or not real.is_relative_to(root) or real.stat().st_size > MOST_BYTES:
        return None
    try:
        raw = real.read_bytes()
    except OSError:
        return None
    coding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = raw.decode(coding)
    except UnicodeDecodeError:
        text = raw.decode("cp1252", "replace")
    return None if "\0" in text else text.replace("\r\n", "\n")
