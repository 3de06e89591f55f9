# Jars for tests that load none: a manifest and names of classes without code. Knows no driver.
"""`write_jar`."""

import zipfile
from pathlib import Path

# What the tests register, by their product's own class and by others.
CLASSES = (
    "org.h2.Driver", "org.h2.Other", "com.ibm.as400.access.AS400JDBCDriver", "oracle.jdbc.OracleDriver",
    "vendor.Driver", "org.hsqldb.jdbc.JDBCDriver", "org.apache.derby.jdbc.EmbeddedDriver", "a.Driver",
)  # fmt: skip


def write_jar(path: Path, *classes: str) -> None:
    """A jar with these classes, those that the tests register where none is given."""
    with zipfile.ZipFile(path, "w") as jar:
        for name in classes or CLASSES:
            jar.writestr(name.replace(".", "/") + ".class", b"")
