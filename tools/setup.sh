#!/bin/sh
# Makes .venv from requirements.lock; leaves it alone when nothing changed. Needs Python 3.11 or later, uses uv if it is there.
set -eu
cd "$(dirname "$0")/.."

fail() {
    printf 'setup: %s\n' "$@" >&2
    exit 1
}

# The interpreter itself, not a shim or the one of an active virtual environment, if it is recent enough.
base_of() {
    "$1" -c 'import sys; print(getattr(sys, "_base_executable", sys.executable)) if sys.version_info >= (3, 11) else sys.exit(1)' 2>/dev/null
}

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        base_of "$PYTHON" || fail "PYTHON=$PYTHON is not Python 3.11 or later."
        return
    fi
    # Without a word on it, what .venv was made with stays.
    for candidate in .venv/bin/python python3 python3.14 python3.13 python3.12 python3.11 python; do
        base_of "$candidate" && return
    done
    fail "Python 3.11 or later is needed and none was found on PATH." "Say where it is: make setup PYTHON=/path/to/python3"
}

# Changes when .venv must be made anew: other packages, another interpreter, or a tree that was moved.
key_of() {
    "$1" - <<'PYTHON_TEXT'
import hashlib, os, sys
digest = hashlib.sha256(f"{sys.version}\n{os.getcwd()}\n".encode())
for name in ("requirements.lock", "pyproject.toml", "pipekit/__init__.py", "tools/setup.sh", "tools/node.lock"):
    with open(name, "rb") as file:
        digest.update(file.read())
print(digest.hexdigest())
PYTHON_TEXT
}

install_with_uv() {
    uv venv --quiet --no-config --python "$1" .venv
    uv pip install --quiet --no-config --python .venv/bin/python --require-hashes -r requirements.lock
    uv pip install --quiet --no-config --python .venv/bin/python --no-deps --no-build-isolation -e .
}

install_with_pip() {
    version=$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    "$1" -c 'import venv; from ensurepip import version' 2>/dev/null ||
        fail "Python $version is here without its venv module; on Debian and Ubuntu it is a package of its own:" \
            "    apt-get install python3-venv        (or python$version-venv)"
    "$1" -m venv .venv
    pip=".venv/bin/python -m pip --disable-pip-version-check -qq --no-input"
    $pip install --require-hashes -r requirements.lock
    $pip install --no-deps --no-build-isolation -e .
}

# Where there is no npm, a package brings one; without it the pages' assets are not built, and that is all.
install_node() {
    if command -v npm >/dev/null 2>&1; then
        return
    fi
    echo "setup: npm is not here; fetching Node.js as a Python package to build the pages' assets"
    if command -v uv >/dev/null 2>&1; then
        uv pip install --quiet --no-config --python .venv/bin/python --require-hashes -r tools/node.lock || true
    else
        .venv/bin/python -m pip --disable-pip-version-check -qq --no-input install --require-hashes -r tools/node.lock || true
    fi
}

python=$(find_python)
key=$(key_of "$python")
stamp=.venv/pipekit-setup
if [ -x .venv/bin/pipekit ] && [ "$(cat "$stamp" 2>/dev/null)" = "$key" ]; then
    exit 0
fi

rm -rf .venv
if command -v uv >/dev/null 2>&1; then
    echo "setup: making .venv with uv ($python)"
    install_with_uv "$python"
else
    echo "setup: making .venv with pip ($python); this takes a moment"
    install_with_pip "$python"
fi
install_node
printf '%s\n' "$key" >"$stamp"
