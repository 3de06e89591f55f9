# Builds the jar of the Java reader from its sources. Not in the package; needs javac, imports nothing of Pipekit.
"""`python tools/build_jar.py [--check]`: compiles for Java 11 and packs; `--check` compares with the committed jar.

The jar is the same byte for byte wherever javac 17 builds it (Debian 12: openjdk-17-jdk-headless): entries are sorted,
not compressed, and carry no time.
"""

import argparse
import io
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "pipekit" / "drivers" / "jdbc" / "java"
JAR = FOLDER / "pipekit-jdbc.jar"
RELEASE = "11"
COMPILER = 17
MOMENT = (1980, 1, 1, 0, 0, 0)
MANIFEST = b"Manifest-Version: 1.0\r\nAutomatic-Module-Name: pipekit\r\n\r\n"


def main(argv: list[str]) -> int:
    """Builds, and writes or compares."""
    parser = argparse.ArgumentParser(prog="build_jar", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only compare with the committed jar")
    options = parser.parse_args(argv)
    try:
        data = build()
    except BuildFailed as error:
        print(error, file=sys.stderr)
        return 2
    if not options.check:
        JAR.write_bytes(data)
        return 0
    if data == JAR.read_bytes():
        return 0
    print(f"{JAR.name} is not what its sources make; run `python tools/build_jar.py`.", file=sys.stderr)
    return 1


class BuildFailed(Exception):
    """The sources cannot be compiled here."""


def build() -> bytes:
    """The jar's bytes. Raises BuildFailed."""
    javac = shutil.which("javac")
    if javac is None:
        raise BuildFailed("There is no javac; on Debian 12 install openjdk-17-jdk-headless.")
    version = subprocess.run([javac, "-version"], capture_output=True, text=True, check=True)
    found = re.search(r"javac (\d+)", version.stdout + version.stderr)
    if found is None or int(found[1]) != COMPILER:
        raise BuildFailed(f"javac {COMPILER} makes the committed jar; this is {found[0] if found else 'another'}.")
    with tempfile.TemporaryDirectory() as folder:
        compile_sources(javac, Path(folder))
        return pack(Path(folder))


def compile_sources(javac: str, out: Path) -> None:
    """All sources at once, every warning an error."""
    sources = sorted(str(path.relative_to(FOLDER)) for path in FOLDER.glob("pipekit/*.java"))
    options = ["--release", RELEASE, "-Xlint:all", "-Werror", "-encoding", "UTF-8", "-proc:none", "-d", str(out)]
    done = subprocess.run([javac, *options, *sources], cwd=FOLDER, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildFailed(done.stdout + done.stderr)


def pack(folder: Path) -> bytes:
    """The classes as a jar, which is a zip file whose first entry is the manifest."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as jar:
        _add(jar, "META-INF/MANIFEST.MF", MANIFEST)
        for path in sorted(folder.rglob("*.class")):
            _add(jar, path.relative_to(folder).as_posix(), path.read_bytes())
    return packed.getvalue()


def _add(jar: zipfile.ZipFile, name: str, data: bytes) -> None:
    entry = zipfile.ZipInfo(name, MOMENT)
    entry.create_system = 3
    entry.external_attr = 0o100644 << 16
    jar.writestr(entry, data)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
