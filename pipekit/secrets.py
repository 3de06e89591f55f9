# The secrets file and the values it holds: found by reference, written back. Knows no database.
"""`Secrets`. A value leaves this module only through `resolve`, and no error or repr shows one."""

import fcntl
import os
import re
import stat
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from pipekit.errors import ConfigError, Invalid, NotFound, SecretMissing
from pipekit.masking import Masker

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_PASSWORD_NAME = re.compile(r"PASSWORD|PASSWD|(?:\A|_)(?:PASS|PWD)(?:\Z|_)|PW(?:\Z|_)", re.IGNORECASE)
_FORBIDDEN_MODE = 0o027
_SINGLE_QUOTED = re.compile(r"'([^']*)'\s*(?:#.*)?\Z")
_DOUBLE_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"\s*(?:#.*)?\Z')
_PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./^*!?~-]*\Z")
_READ_AS = {"n": "\n", "r": "\r", '"': '"', "\\": "\\"}
_WRITTEN_AS = str.maketrans({"\n": r"\n", "\r": r"\r", '"': r"\"", "\\": r"\\"})


class Secrets:
    """The secrets file at `path` and, for names it does not have, the environment.

    Of the environment only what is meant for it is given out: variables whose name says that they hold a password, and
    the names in `declared`. Whoever may define a connection could otherwise send any other one to a host of his choice.

    The file is not looked at before a reference is resolved, and read again when it has changed. Reading raises
    ConfigError when others may read it, when it is not a file, or for a line that is not `NAME=value`.
    """

    def __init__(self, path: Path, environ: Mapping[str, str] | None = None, *, declared: Collection[str] = ()) -> None:
        self._path = Path(path)
        self._declared = frozenset(declared)
        self._environ = os.environ if environ is None else environ
        self._masker = Masker()
        self._values: dict[str, str] = {}
        self._seen: tuple[int, ...] | None = None

    def resolve(self, reference: str | None, *, by_caller: bool = False) -> str | None:
        """`"$NAME"` -> its value, None -> None. Raises SecretMissing, Invalid for what is not a reference.

        `by_caller` is for a reference that was typed by whoever owns the environment: it may be any variable.
        """
        if reference is None:
            return None
        if not reference.startswith("$") or not _NAME.match(reference[1:]):
            raise Invalid("A password is given as a reference, $NAME.", field="password")
        name = reference[1:]
        value = self._load().get(name)
        if value is None:
            value = self._get_from_environment(name, by_caller)
        self._masker.add(value)
        return value

    def _get_from_environment(self, name: str, by_caller: bool) -> str:
        keep = f"Run `pipekit secrets set {name}`"
        if not by_caller and name not in self._declared and not is_named_like_a_password(name):
            raise SecretMissing(
                f"The secret {name} has no value: {self._path} does not have it, and the environment is asked only "
                "for names that say PASSWORD, PASSWD, PASS, PWD or PW.",
                hint=f"{keep}, or list {name} under `secret_variables` in config.yaml.",
            )
        value = self._environ.get(name)
        if value is None:
            raise SecretMissing(
                f"The secret {name} has no value: neither {self._path} nor the environment has it.",
                hint=f"{keep}, or set the environment variable {name}.",
            )
        return value

    def names(self) -> list[str]:
        """The names in the file, sorted."""
        return sorted(self._load())

    def set(self, name: str, value: str) -> None:
        """Writes a value to the file, which is replaced as a whole and keeps its mode, owner, comments and order."""
        _check_name(name)
        if "\0" in value or re.search("[\ud800-\udfff]", value):
            raise Invalid("A secret is text without NUL characters.", field="value")
        self._masker.add(value)
        with self._rewriting() as lines:
            _put(lines, name, value)

    def delete(self, name: str) -> None:
        """Takes a name out of the file; raises NotFound."""
        _check_name(name)
        if name not in self._load():
            raise NotFound(f"There is no secret {name} in {self._path}.")
        with self._rewriting() as lines:
            lines[:] = [line for line in lines if line.name != name]

    def masker(self) -> Masker:
        """Masks every value of the file and every one resolved from the environment, later ones included.

        A file that may not be read is left aside: masking must work where its error is being shown.
        """
        with suppress(ConfigError):
            self._load()
        return self._masker

    def _load(self) -> dict[str, str]:
        seen = _signature(self._path)
        if seen is None or seen != self._seen:
            content = _read_file(self._path)
            lines = _parse(self._path, content.text) if content else []
            self._values = {line.name: line.value for line in lines if line.name}
            self._seen = seen
            for value in self._values.values():
                self._masker.add(value)
        return self._values

    @contextmanager
    def _rewriting(self) -> Iterator[list["_Line"]]:
        """The file's lines; what is made of them is written back. Two writers take turns."""
        target = Path(os.path.realpath(self._path))
        try:
            _make_folder(target.parent)
            with _locked(target.parent):
                content = _read_file(target)
                lines = _parse(self._path, content.text) if content else []
                yield lines
                _replace_file(target, "".join(line.raw for line in lines), content.status if content else None)
        except OSError as error:
            raise ConfigError(
                f"The secrets file {self._path} cannot be written: {error.strerror}.",
                hint="Run this as the file's owner.",
            ) from None
        self._seen = None


@dataclass(frozen=True, slots=True)
class _Line:
    """A line with its ending; `name` is "" for comments and blank lines."""

    raw: str = field(repr=False)
    name: str = ""
    value: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class _Content:
    text: str = field(repr=False)
    status: os.stat_result


def is_named_like_a_password(name: str) -> bool:
    """Whether an environment variable of this name is taken for a password: `DW_PASSWORD`, `PGPASSWORD`, `DW_PW`."""
    return _PASSWORD_NAME.search(name) is not None and name.upper() != "PWD"


def _check_name(name: str) -> None:
    if not _NAME.match(name):
        raise Invalid(
            f"{name!r} cannot be a secret's name.", field="name", hint="Use letters, digits and _, not a digit first."
        )


# -- the file's text ---------------------------------------------------------------------------------------------------


def _parse(path: Path, text: str) -> list[_Line]:
    return [_parse_line(path, n, raw) for n, raw in enumerate(re.split(r"(?<=\n)", text), 1) if raw]


def _parse_line(path: Path, number: int, raw: str) -> _Line:
    body = raw.removesuffix("\n").removesuffix("\r").strip()
    if not body or body.startswith("#"):
        return _Line(raw)
    name, equals, rest = body.partition("=")
    name, value = name.strip(), _unquote(rest.strip())
    if not equals or not _NAME.match(name) or value is None or "\0" in value:
        raise ConfigError(
            f"{path}, line {number}: this is not a line of the form NAME=value.",
            hint="A value that begins with a quote ends with the same one; comments have a line of their own.",
        )
    return _Line(raw, name, value)


def _unquote(text: str) -> str | None:
    """What a value means; None when its quote is not closed."""
    if text.startswith("'"):
        found = _SINGLE_QUOTED.match(text)
        return found[1] if found else None
    if text.startswith('"'):
        found = _DOUBLE_QUOTED.match(text)
        return re.sub(r"\\(.)", lambda m: _READ_AS.get(m[1], m[0]), found[1]) if found else None
    return text


def _quote(value: str) -> str:
    """A value so that `_unquote` gives it back; single quotes where they do, other programs read those alike."""
    if _PLAIN.match(value):
        return value
    if not re.search(r"['\n\r]", value):
        return f"'{value}'"
    return f'"{value.translate(_WRITTEN_AS)}"'


def _put(lines: list[_Line], name: str, value: str) -> None:
    """Replaces the name's last line, which is the one that counts, or adds one."""
    places = [place for place, line in enumerate(lines) if line.name == name]
    old = lines[places[-1]].raw if places else ""
    new = _Line(f"{name}={_quote(value)}" + ("\r\n" if old.endswith("\r\n") else "\n"), name, value)
    if places:
        lines[places[-1]] = new
        return
    if lines and not lines[-1].raw.endswith("\n"):
        lines[-1] = _Line(lines[-1].raw + "\n", lines[-1].name, lines[-1].value)
    lines.append(new)


# -- the file itself ---------------------------------------------------------------------------------------------------


def _signature(path: Path) -> tuple[int, ...] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_mode)


def _read_file(path: Path) -> _Content | None:
    """The file's text, None when there is none. What is checked is what is read: the opened file."""
    try:
        # Not to wait for a writer, should this be a pipe.
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"The secrets file {path} cannot be read: {error.strerror}.") from error
    try:
        status = os.fstat(handle)
        _check_status(path, status)
        with open(handle, "rb", closefd=False) as file:
            data = file.read()
    finally:
        os.close(handle)
    try:
        return _Content(data.decode("utf-8-sig"), status)
    except UnicodeDecodeError as error:
        number = data.count(b"\n", 0, error.start) + 1
    raise ConfigError(f"{path}, line {number}: this is not UTF-8 text.")


def _check_status(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else "not a plain file"
        raise ConfigError(f"The secrets file {path} is {kind}.", hint="Set PIPEKIT_SECRETS to a file.")
    if status.st_mode & _FORBIDDEN_MODE & ~stat.S_IXGRP:
        raise ConfigError(
            f"The secrets file {path} is open to others (mode {stat.S_IMODE(status.st_mode):04o}).",
            hint=f"Run: chmod g-w,o-rwx {path}",
        )


def _make_folder(folder: Path) -> None:
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Holds a lock on the folder: the file itself is replaced, so a lock on it would not keep anybody out."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
        os.fsync(handle)
    finally:
        os.close(handle)


def _replace_file(path: Path, text: str, old: os.stat_result | None) -> None:
    handle, name = tempfile.mkstemp(prefix=".pipekit-", dir=path.parent)
    try:
        with open(handle, "wb") as file:
            if old and (old.st_uid, old.st_gid) != (os.geteuid(), os.fstat(file.fileno()).st_gid):
                os.fchown(file.fileno(), old.st_uid, old.st_gid)
            os.fchmod(file.fileno(), stat.S_IMODE(old.st_mode) if old else 0o600)
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
