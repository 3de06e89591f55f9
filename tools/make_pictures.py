# Draws the documents' pictures from a real demo. Not in the package.
"""`python tools/make_pictures.py`: plays the demo and draws its output as `docs/img/demo.svg`."""

import io
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

PICTURE = Path(__file__).resolve().parents[1] / "docs" / "img" / "demo.svg"
WIDTH = 100
MAX_BYTES = 200_000
# The receipts would make the picture too tall for a first screen; one of them stays.
LINES_OF_RECEIPTS = 10


def main() -> None:
    """Draws the picture anew."""
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    svg = draw(shorten(play_demo()))
    if len(svg.encode()) > MAX_BYTES:
        raise SystemExit(f"The picture has {len(svg.encode())} bytes; at most {MAX_BYTES}.")
    PICTURE.write_text(svg, encoding="utf-8")
    print(f"{PICTURE}: {len(svg.encode())} bytes")


def play_demo() -> list[str]:
    """The lines a demo writes; they name no place of this machine."""
    command = Path(sys.executable).with_name("pipekit")
    with tempfile.TemporaryDirectory() as place:
        done = subprocess.run(
            [str(command), "demo", "--folder", ".demo"],
            cwd=place,
            env={**os.environ, "COLUMNS": str(WIDTH), "PATH": f"{command.parent}{os.pathsep}{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            timeout=300,
            check=True,
        )
    return done.stdout.splitlines()


def shorten(lines: list[str]) -> list[str]:
    """The output with the receipts cut and what comes after the proof left out."""
    began = next(number for number, line in enumerate(lines) if line.startswith("The receipts"))
    proof = next(number for number, line in enumerate(lines) if line.startswith("Is it the same?"))
    end = next(number for number, line in enumerate(lines) if line.startswith("Done in"))
    receipts = lines[began : min(proof, began + LINES_OF_RECEIPTS)]
    return ["$ make demo", *lines[:began], *receipts, "  ...", "", *lines[proof : end + 1]]


def draw(lines: list[str]) -> str:
    """The lines in a drawn terminal window; fonts are those of the reader's machine."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    for line in lines:
        console.print(Text(line, style=_style(line)), soft_wrap=False)
    svg = console.export_svg(title="pipekit demo", unique_id="demo")
    return re.sub(r"@font-face\s*\{.*?\}\s*|<!--.*?-->\s*", "", svg, flags=re.DOTALL)


def _style(line: str) -> str:
    if line.startswith("$ ") or set(line) == {"-"}:
        return "bright_black"
    if line.endswith("equal"):
        return "green"
    return ""


if __name__ == "__main__":
    main()
