# Where things lie and how long they may take. Knows nothing of what the files hold, and reads no secret.
"""`Config` from the environment and `config.yaml`."""

import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from pipekit.errors import ConfigError
from pipekit.trust import refuse_strangers

DEPLOYED_HOME = Path("/etc/pipekit")
DEPLOYED_JARS = Path("/opt/pipekit/jars")
DEPLOYED_STATE = Path("/var/lib/pipekit/pipekit.db")


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    """Settings of one installation. Times are in seconds.

    `base_dir` is where relative file names of embedded databases start. `retry_delays_s` are the waits before a second,
    third ... attempt. A lease lasts `lease_s` and is renewed every `heartbeat_s`. At most `max_runs` runs go on at the
    same time. A server that is told to end gives its runs `drain_s` before it cancels them. Records of runs are
    kept `keep_runs_days`, their live logs `keep_logs_days`, what a preview has staged `preview_kept_s`. `log_level` and
    `log_format` are those of a server's own log. `jar_folder` is the only place that jars of JDBC drivers are taken
    from, `java_home` the Java they run in ("" is the one that comes with the extra), `java_options` what it is started
    with beside our own.
    Its pages are on `host` and `port`; port 0 is any free one.
    Where a process runs several, `warm_runners` children wait for the next runs; 0: each run starts its own.
    `runner` is native or jrunner, and `jrunner` the installed program: its path, or its name on PATH;
    `jrunner_bulk` are the kinds of dest for which it has its flag -b.
    The pages answer to the names in `allowed_hosts` ("*": to any; none: see serving/hosts.py) and believe what proxies
    at `trusted_proxies` (addresses, networks) say of who asks. With `https` browsers reach them by HTTPS alone.
    `jdbc_servers` are words behind `jdbc:` of drivers that Pipekit does not know and that speak to servers alone.
    `public_url` is where browsers find the pages, for links in alerts ("": host and port). Alerts of one channel wait
    `alert_gather_s` for more, to be one message.
    With `any_file`, which no file can set, addresses over JDBC may name any file: for who types one in a shell.
    `secret_variables` are environment variables that `$NAME` may mean, beside those that are named like a password.
    """

    home: Path
    base_dir: Path
    state_path: Path
    secrets_path: Path
    jar_folder: Path = DEPLOYED_JARS
    connect_timeout_s: float = 15.0
    silence_timeout_s: float = 900.0
    run_timeout_s: float = 86_400.0
    lease_s: float = 20.0
    heartbeat_s: float = 3.0
    retry_delays_s: tuple[float, ...] = (1.0, 5.0)
    max_runs: int = 4
    warm_runners: int = 2
    drain_s: float = 60.0
    preview_kept_s: float = 3600.0
    keep_runs_days: int = 365
    keep_logs_days: int = 30
    log_level: str = "info"
    log_format: str = "text"
    host: str = "127.0.0.1"
    port: int = 8321
    runner: str = "native"
    jrunner: str = "jrunner"
    jrunner_bulk: tuple[str, ...] = ("postgresql", "sqlserver")
    java_home: str = ""
    java_options: tuple[str, ...] = ()
    allowed_hosts: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    https: bool = False
    secret_variables: tuple[str, ...] = ()
    jdbc_servers: tuple[str, ...] = ()
    public_url: str = ""
    alert_gather_s: float = 20.0
    any_file: bool = False

    @property
    def base_url(self) -> str:
        """Where the pages are, without a slash at its end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (self.public_url or f"http://{host}:{self.port}").rstrip("/")


_PATHS = ("base_dir", "state_path", "secrets_path", "jar_folder")
_TIMES = (
    "connect_timeout_s",
    "silence_timeout_s",
    "run_timeout_s",
    "lease_s",
    "heartbeat_s",
    "drain_s",
    "preview_kept_s",
)
_URL = re.compile(r"https?://[A-Za-z0-9.\[\]:_-]+(?:/[!-~]*)?")
MOST_WARM = 64
_COUNTS = ("max_runs", "keep_runs_days", "keep_logs_days")
_CHOICES = {
    "log_level": ("debug", "info", "warning", "error"),
    "log_format": ("text", "json"),
    "runner": ("native", "jrunner"),
}
# What they name is run, or loaded by what is.
_PROGRAMS = {"jrunner", "java_home", "java_options", "jar_folder"}
# Lists of texts: what stands in one, for a person, and what an item looks like.
_LISTS = {
    "jrunner_bulk": ("kinds, for example [postgresql]; [] is for none", re.compile(r"[a-z][a-z0-9_]*")),
    "allowed_hosts": (
        'host names, for example [pipekit.example.com]; ["*"] allows any',
        re.compile(r"\*|[A-Za-z0-9._-]{1,253}|\[?[0-9A-Fa-f:.]{2,45}\]?"),
    ),
    "trusted_proxies": (
        "addresses or networks, for example [127.0.0.1, 10.0.0.0/8]",
        re.compile(r"[0-9A-Fa-f:.]{2,45}(?:/[0-9]{1,3})?"),
    ),
    "java_options": (
        "properties of the Java of JDBC drivers, for example [-DsocksProxyHost=proxy, -DsocksProxyPort=1080]",
        re.compile(r"-D[A-Za-z0-9_.]+=[!-~]*"),
    ),
    "secret_variables": (
        "names of environment variables, for example [DW_LOGIN]",
        re.compile(r"[A-Za-z_][A-Za-z0-9_]*"),
    ),
    "jdbc_servers": (
        "what stands behind jdbc: in addresses, for example [vendor]",
        re.compile(r"[a-z0-9][a-z0-9_+.-]*"),
    ),
}
_DEFAULTS = {f.name: f.default for f in fields(Config)}
KEYS = tuple(name for name in _DEFAULTS if name not in ("home", "any_file"))


def load_config(environ: Mapping[str, str] | None = None, cwd: Path | None = None, *, is_made: bool = False) -> Config:
    """The settings in force: the environment first, then `config.yaml`, then the defaults.

    Raises ConfigError naming the file, the key and what is allowed, or whose file it is (see `trust`). Nothing needs to
    exist but a file that PIPEKIT_CONFIG names, and that neither where it is about to be made (`is_made`).
    """
    environ = os.environ if environ is None else environ
    cwd = Path.cwd() if cwd is None else cwd
    home, state_path = _find_home(environ, cwd)
    settings: dict[str, Any] = {
        "base_dir": home.parent if home.name == ".pipekit" else home,
        "state_path": state_path,
        "secrets_path": home / "secrets.env",
    }
    path = find_config_file(environ, cwd)
    if not path.exists() and environ.get("PIPEKIT_CONFIG") and not is_made:
        raise ConfigError(f"PIPEKIT_CONFIG names {path}, and there is no such file.", hint="`pipekit init` makes it.")
    file = path if path.exists() else None
    given = _read_file(file)
    refuse_strangers(home, file, _PROGRAMS & given.keys())
    settings |= given
    if environ.get("PIPEKIT_SECRETS"):
        settings["secrets_path"] = _absolute(environ["PIPEKIT_SECRETS"], cwd)
    beside = settings["state_path"].parent / "jars"
    settings.setdefault("jar_folder", DEPLOYED_JARS if home == DEPLOYED_HOME else beside)
    return Config(home=home, **settings)


def find_config_file(environ: Mapping[str, str], cwd: Path | None = None) -> Path:
    """Where the configuration lies, or would: the file that PIPEKIT_CONFIG names, else the home's config.yaml."""
    cwd = Path.cwd() if cwd is None else cwd
    named = environ.get("PIPEKIT_CONFIG")
    return _absolute(named, cwd) if named else _find_home(environ, cwd)[0] / "config.yaml"


def _find_home(environ: Mapping[str, str], cwd: Path) -> tuple[Path, Path]:
    """Home and where its state database lies."""
    if environ.get("PIPEKIT_HOME"):
        home = _absolute(environ["PIPEKIT_HOME"], cwd)
    else:
        home = _absolute(".pipekit", cwd)
        if not home.is_dir() and os.access(DEPLOYED_HOME / "config.yaml", os.R_OK):
            return DEPLOYED_HOME, DEPLOYED_STATE
    return home, home / "pipekit.db"


def _absolute(text: str, folder: Path) -> Path:
    # normpath takes out `..` and `.` without following symbolic links, so a path is shown as it was written.
    return Path(os.path.normpath(folder.absolute() / Path(text).expanduser()))


def _read_file(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    given = _parse_yaml(path)
    unknown = [str(key) for key in given if key not in KEYS]
    if unknown:
        raise ConfigError(f"{path}: unknown key `{unknown[0]}`.", hint=f"Allowed are: {', '.join(KEYS)}.")
    settings = {key: _checked(path, key, value) for key, value in given.items()}
    lease_s, heartbeat_s = ((_DEFAULTS | settings)[key] for key in ("lease_s", "heartbeat_s"))
    if heartbeat_s * 2 > lease_s:
        raise ConfigError(f"{path}: `heartbeat_s` ({heartbeat_s:g}) must be at most half of `lease_s` ({lease_s:g}).")
    return settings


def _parse_yaml(path: Path) -> dict[Any, Any]:
    try:
        text = path.read_text("utf-8-sig")
        if all(line.strip() == "" or line.lstrip().startswith("#") for line in text.splitlines()):
            return {}  # as `pipekit init` writes it: no reason to wait for a YAML parser
        given = _load_yaml(text)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError(f"{path} cannot be read: {reason}.") from error
    except _BadYaml as error:
        raise ConfigError(f"{path}{error}") from error
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise ConfigError(f"{path}: a list of `key: value` lines is expected.", hint=f"Keys are: {', '.join(KEYS)}.")
    return given


class _BadYaml(Exception):
    """Where in a file and why it is not YAML."""


def _load_yaml(text: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}" if mark else ""
        raise _BadYaml(f"{place}: this is not valid YAML ({getattr(error, 'problem', '')}).") from error


def _checked_texts(path: Path, key: str, value: Any) -> tuple[str, ...]:
    words, form = _LISTS[key]
    if not isinstance(value, list) or not all(isinstance(item, str) and form.fullmatch(item) for item in value):
        raise ConfigError(f"{path}: `{key}` must be a list of {words}.")
    if key == "trusted_proxies":
        import ipaddress

        try:
            for item in value:
                ipaddress.ip_network(item)
        except ValueError as error:
            raise ConfigError(f"{path}: `{key}` must be a list of {words}: {error}.") from error
    return tuple(value)


def _checked(path: Path, key: str, value: Any) -> Any:
    if key in _LISTS:
        return _checked_texts(path, key, value)
    if key == "https":
        if not isinstance(value, bool):
            raise ConfigError(f"{path}: `{key}` must be true or false.")
        return value
    if key in _PATHS:
        if not isinstance(value, str) or not value.strip():
            raise ConfigError(f"{path}: `{key}` must be a path, relative to {path.parent} or absolute.")
        return _absolute(value, path.parent)
    if key in _TIMES:
        if not _is_number(value) or value <= 0:
            raise ConfigError(f"{path}: `{key}` must be a number of seconds greater than 0.")
        return float(value)
    if key in _COUNTS:
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ConfigError(f"{path}: `{key}` must be a whole number, 1 or more.")
        return value
    if key == "alert_gather_s":
        if not _is_number(value) or value < 0:
            raise ConfigError(f"{path}: `{key}` must be a number of seconds, 0 or more.")
        return float(value)
    if key == "public_url":
        if not isinstance(value, str) or (value and not _URL.fullmatch(value)):
            raise ConfigError(f"{path}: `{key}` must be an address, for example https://pipekit.example.com.")
        return value
    if key == "warm_runners":
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MOST_WARM:
            raise ConfigError(f"{path}: `{key}` must be a whole number, 0 to {MOST_WARM}; 0 keeps none waiting.")
        return value
    if key == "host":
        if not isinstance(value, str) or not value.strip():
            raise ConfigError(f"{path}: `{key}` must be an address or a host name, for example 127.0.0.1.")
        return value.strip()
    if key == "java_home":
        if not isinstance(value, str):
            raise ConfigError(f"{path}: `{key}` must be the folder of a Java, for example /usr/lib/jvm/default-java.")
        return str(_absolute(value, path.parent)) if value.strip() else ""
    if key == "jrunner":
        if not isinstance(value, str) or not value.strip():
            raise ConfigError(f"{path}: `{key}` must be the path of the program, or its name on PATH.")
        return str(_absolute(value, path.parent)) if "/" in value else value.strip()
    if key == "port":
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 65_535:
            raise ConfigError(f"{path}: `{key}` must be a port number, 0 to 65535; 0 is any free one.")
        return value
    if key in _CHOICES:
        if value not in _CHOICES[key]:
            raise ConfigError(f"{path}: `{key}` must be one of {', '.join(_CHOICES[key])}.")
        return value
    if not isinstance(value, list) or not all(_is_number(item) and item >= 0 for item in value):
        raise ConfigError(f"{path}: `{key}` must be a list of seconds, for example [1, 5]; [] never tries again.")
    return tuple(float(item) for item in value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
