# Registered JDBC drivers: which jar, whether it is still the one registered, whether it loads. Opens no database.
"""Registering a kind, checking a registration, and what an endpoint needs of one.

Jars come from one folder, which only an administrator of the machine can write to: who may register a driver through
Pipekit may pick one of them, and load nothing else.
"""

import hashlib
import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from pipekit import repo
from pipekit.config import Config
from pipekit.drivers import DRIVERS, KIND, get_driver
from pipekit.drivers.base import Driver
from pipekit.engine.embedded import check_files, check_folder, check_place, check_registered_url
from pipekit.errors import ConfigError, Conflict, DriverUnknown, Invalid, NotFound, PipekitError
from pipekit.models import DriverRegistration
from pipekit.runner.native import NativeRunner
from pipekit.runner_contract import Endpoint

State = Literal["built in", "no jar", "ok", "bad"]

PROBE_WITHIN_S = 60.0
MOST_JARS = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class DriverState:
    """A kind as it is in this installation; `problem` and `hint` say what is wrong and how to mend it.

    `about` is what the driver, once it was loaded, says of itself.
    """

    kind: str
    label: str
    state: State
    jar: str = ""
    java_class: str = ""
    jar_sha256: str = ""
    url_template: str = ""
    folder: str = ""
    about: str = ""
    problem: str = ""
    hint: str = ""


# -- registering -------------------------------------------------------------------------------------------------------


def register(
    db: repo.State,
    config: Config,
    *,
    kind: str,
    jar: str,
    java_class: str = "",
    url_template: str = "",
    folder: str = "",
    user: str,
) -> bool:
    """Registers a kind that is reached over JDBC, an upsert; whether that changed anything. Raises Invalid.

    Its embedded databases lie below `folder`; without one it is for servers alone.
    """
    driver = _check_kind(kind)
    java_class = java_class.strip() or driver.java_class
    if not java_class or not all(part.isidentifier() for part in java_class.split(".")):
        hint = "It is in the documents of the driver, for example org.h2.Driver."
        raise Invalid("Give the full name of the driver's class.", field="class", hint=hint)
    path = find_jar(config, jar)
    wanted = DriverRegistration(
        kind=kind,
        jar=str(path.relative_to(config.jar_folder)),
        jar_sha256=hash_jar(path),
        java_class=java_class,
        url_template=url_template.strip() or driver.url_example,
        folder=check_folder(driver, folder.strip()) if folder.strip() else None,
    )
    _check_template(config, driver, wanted)
    _check_class(path, java_class)
    values = {name: value for name, value in asdict(wanted).items() if name != "kind"}
    with repo.transaction(db):
        is_changed = repo.register_driver(db, kind, **values)
        if is_changed:
            repo.note_audit(db, user=user, action="register", kind="driver", name=kind, detail=values)
    return is_changed


def unregister(db: repo.State, *, kind: str, user: str) -> None:
    """Forgets which jar a kind is reached with; the file stays. Raises NotFound, Conflict while connections use it."""
    with repo.transaction(db):
        found = repo.find_driver_registration(db, kind)
        if found is None or not found.jar:
            raise NotFound(f"No jar is registered for the kind '{kind[:40]}'.")
        users = [item.name for item in repo.list_connections(db) if item.driver == kind]
        if users:
            hint = "Delete these connections first, or give them another kind."
            raise Conflict(f"The kind '{kind}' is used by {', '.join(users)}.", hint=hint)
        repo.delete_driver_registration(db, kind)
        detail = {"jar": [found.jar, None], "jar_sha256": [found.jar_sha256, None]}
        repo.note_audit(db, user=user, action="delete", kind="driver", name=kind, detail=detail)


def list_jars(config: Config) -> list[str]:
    """The jars of the configured folder and those below it, as `register` takes them, sorted."""
    folder = config.jar_folder
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.jar") if path.is_file())[:MOST_JARS]


def _check_kind(kind: str) -> Driver:
    if not KIND.match(kind):
        hint = "It has small letters, digits and _, a letter first: h2, oracle_old."
        raise Invalid(f"'{kind[:40]}' cannot be the name of a kind.", field="kind", hint=hint)
    driver = get_driver(kind)
    if not driver.needs_jar:
        raise Invalid(f"The kind '{kind}' is built in and needs no jar.", field="kind")
    return driver


def _check_class(path: Path, java_class: str) -> None:
    """Raises Invalid for a file that is no jar, and for a class that neither it holds nor a jar that it names."""
    names: set[str] = set()
    for jar in (path, *_list_named_jars(path)):
        try:
            with zipfile.ZipFile(jar) as opened:
                names.update(opened.namelist())
        except (OSError, zipfile.BadZipFile) as error:
            raise Invalid(f"{jar.name} is not a jar that can be read: {error}.", field="jar") from error
    wanted = java_class.replace(".", "/") + ".class"
    if not any(name == wanted or name.endswith(f"/{wanted}") for name in names):
        others = sorted(n[:-6].replace("/", ".") for n in names if n.endswith("Driver.class") and "$" not in n)[:5]
        hint = f"Classes in it that are called like a driver: {', '.join(others)}." if others else ""
        raise Invalid(f"{path.name} has no class {java_class}.", field="class", hint=hint)


def _list_named_jars(path: Path) -> list[Path]:
    """Jars beside it that its manifest names: Java looks for classes there too."""
    try:
        with zipfile.ZipFile(path) as opened:
            manifest = opened.read("META-INF/MANIFEST.MF").decode("utf-8", "replace").replace("\r", "")
    except (OSError, KeyError, zipfile.BadZipFile):
        return []
    found = re.search(r"^Class-Path: (.*)$", manifest.replace("\n ", ""), re.MULTILINE)
    jars = [path.parent / name for name in found[1].split()] if found else []
    return [jar for jar in jars if jar.is_file()]


def _check_template(config: Config, driver: Driver, wanted: DriverRegistration) -> None:
    """A template is an address with `{...}` for what differs; filled in, it must be one its kind takes."""
    template = wanted.url_template or ""
    filled = fill_template(template)
    try:
        driver.parse_url(filled)
        driver.check_template(filled, template)
        if not wanted.folder:
            check_place(driver, filled, wanted, config.jdbc_servers)
    except Invalid as error:
        raise Invalid(error.message, field="url_template", hint=error.hint) from error


def fill_template(template: str) -> str:
    """An address of the template's form, with something in each `{...}`."""
    parts = template.split("{")
    filled = [parts[0]]
    for part in parts[1:]:
        name, _, rest = part.partition("}")
        filled.append(("1000" if "port" in name.lower() else "/x" if "file" in name.lower() else "x") + rest)
    return "".join(filled)


def find_jar(config: Config, jar: str) -> Path:
    """A jar in the configured folder; raises Invalid (field `jar`) for one that is not there or leads out of it."""
    folder = config.jar_folder
    hint = f"Jars are taken from {folder} only: let an administrator of this machine copy it there."
    if not jar.strip() or "\0" in jar:
        raise Invalid("Give the name of a jar.", field="jar", hint=hint)
    path = Path(jar) if Path(jar).is_absolute() else folder / jar
    if ".." in path.parts or not path.is_relative_to(folder):
        raise Invalid(f"{jar} lies outside of the folder for jars.", field="jar", hint=hint)
    if not path.is_file():
        raise Invalid(f"There is no file {path}.", field="jar", hint=hint)
    if path.resolve() != folder.resolve() / path.relative_to(folder):
        raise Invalid(f"{path} is reached by a symbolic link.", field="jar", hint="Copy the file itself.")
    return path


def hash_jar(path: Path) -> str:
    """The file's SHA-256; raises ConfigError where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from error


# -- using -------------------------------------------------------------------------------------------------------------


def get_registered_driver(db: repo.State, kind: str) -> Driver:
    """The driver of a kind that is built in or registered. Raises Invalid (field `driver`) for any other."""
    if kind not in DRIVERS:
        found = repo.find_driver_registration(db, kind)
        if found is None or not found.jar:
            kinds = ", ".join(list_kinds(db))
            hint = f"Kinds: {kinds}. `pipekit drivers add` registers others."
            raise Invalid(f"There is no driver {kind!r}.", field="driver", hint=hint)
    return get_driver(kind)


def list_kinds(db: repo.State) -> list[str]:
    """The kinds a connection may have: built in and registered."""
    return sorted({*DRIVERS, *(item.kind for item in repo.list_driver_registrations(db) if item.jar)})


def check_url(db: repo.State, kind: str, jdbc_url: str) -> None:
    """Raises Invalid (field `jdbc_url`) for an address its kind does not take, built in or as it is registered."""
    driver = get_registered_driver(db, kind)
    check_registered_url(driver, repo.find_driver_registration(db, kind) if driver.needs_jar else None, jdbc_url)


def add_driver(config: Config, endpoint: Endpoint) -> Endpoint:
    """The endpoint with the jar its kind is registered with; one of a kind that needs none as it is.

    Raises DriverUnknown without a registration, Invalid for an address of another form, one of a file that the kind is
    not registered for, and a jar that is gone.
    """
    driver = get_driver(endpoint.kind)
    if not driver.needs_jar:
        return endpoint
    with closing(repo.open_state(config.state_path)) as db:
        found = repo.find_driver_registration(db, endpoint.kind)
    if found is None or not found.jar:
        message = f"No driver is registered for the kind '{endpoint.kind}'."
        raise DriverUnknown(message, hint=describe_add(endpoint.kind))
    driver.check_template(endpoint.jdbc_url, found.url_template or "")
    if not config.any_file:
        file = check_place(driver, endpoint.jdbc_url, found, config.jdbc_servers)
        if file is not None and found.folder:
            check_files(config, found.folder, file)
    return replace(
        endpoint,
        jdbc_url=driver.build_connect_url(endpoint.jdbc_url),
        jar=str(find_jar(config, found.jar)),
        jar_sha256=found.jar_sha256 or "",
        driver_class=found.java_class or driver.java_class,
        java_home=config.java_home,
        java_options=config.java_options,
    )


def describe_add(kind: str) -> str:
    """The command that registers a kind."""
    try:
        known = get_driver(kind).java_class
    except DriverUnknown:
        known = ""
    word = "" if known else " --class CLASS"
    command = f"pipekit drivers add --kind {kind} --jar FILE{word}"
    return f"Copy the driver's jar into the folder for jars, then run: {command}"


# -- checking ----------------------------------------------------------------------------------------------------------


def list_driver_states(db: repo.State, config: Config) -> list[DriverState]:
    """Every kind, built in or registered, and whether its jar is in order; no Java is started."""
    found = {item.kind: item for item in repo.list_driver_registrations(db)}
    return [_look(config, kind, found.get(kind)) for kind in sorted({*DRIVERS, *found})]


def check_drivers(db: repo.State, config: Config, kind: str | None = None) -> Iterator[DriverState]:
    """The same, of one kind or all; each registered class is loaded in a runner and shown its template."""
    states = [state for state in list_driver_states(db, config) if kind in (None, state.kind)]
    if not any(state.state == "ok" for state in states):
        yield from states
        return
    with NativeRunner(silence_timeout_s=PROBE_WITHIN_S) as runner:
        for state in states:
            yield _probe(config, runner, state) if state.state == "ok" else state


def _look(config: Config, kind: str, found: DriverRegistration | None) -> DriverState:
    driver = get_driver(kind)
    state = DriverState(kind=kind, label=driver.label, state="built in", url_template=driver.url_example)
    if not driver.needs_jar:
        return state
    if found is None or not found.jar:
        return replace(state, state="no jar", hint=describe_add(kind))
    state = replace(
        state,
        jar=found.jar,
        jar_sha256=found.jar_sha256 or "",
        java_class=found.java_class or driver.java_class,
        url_template=found.url_template or "",
        folder=found.folder or "",
    )
    return _guard(state, lambda: _check_registration(config, driver, found))


def _check_registration(config: Config, driver: Driver, found: DriverRegistration) -> None:
    if found.folder:
        check_folder(driver, found.folder)
    if found.url_template:
        _check_template(config, driver, found)
    _check_jar(config, found)


def _check_jar(config: Config, state: DriverRegistration) -> None:
    path = find_jar(config, state.jar or "")
    found = hash_jar(path)
    if found != state.jar_sha256:
        raise ConfigError(
            f"{path} is not the jar that was registered: its SHA-256 is {found}, not {state.jar_sha256}.",
            hint="If it was replaced on purpose, register it again with `pipekit drivers add`.",
        )


def _probe(config: Config, runner: NativeRunner, state: DriverState) -> DriverState:
    endpoint = Endpoint(
        kind=state.kind,
        jdbc_url=fill_template(state.url_template),
        base_dir=str(config.base_dir),
        jar=str(find_jar(config, state.jar)),
        jar_sha256=state.jar_sha256,
        driver_class=state.java_class,
        java_home=config.java_home,
        java_options=config.java_options,
    )

    found: dict[str, Any] = {}

    def look() -> None:
        found.update(runner.probe(endpoint))
        if not found["accepts_url"]:
            raise ConfigError(
                f"The class {state.java_class} does not take addresses like {state.url_template}.",
                hint="Check the class and the template.",
            )

    state = _guard(state, look)
    about = found.get("about") or f"version {found.get('version')}"
    return replace(state, about=f"{about}, Java {found['java']}") if found else state


def _guard(state: DriverState, look: Callable[[], None]) -> DriverState:
    try:
        look()
    except PipekitError as error:
        return replace(state, state="bad", problem=error.message, hint=error.hint)
    return replace(state, state="ok")
