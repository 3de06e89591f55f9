# Measures functions and files of the package against the limits. Reads source text, imports none of it.
"""`python tools/check_sizes.py [FOLDER]`: exit code 1 when a function or a file is too long."""

import ast
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MAX_FUNCTION_LINES = 60
MAX_FILE_LINES = 400


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """A function or a file, where it stands and how many lines it has."""

    what: str
    place: str
    lines: int


def measure_file(path: Path, root: Path) -> tuple[Measured, list[Measured]]:
    """A file and every function in it, methods and inner functions too; decorators are not counted, docstrings are."""
    text = path.read_text(encoding="utf-8")
    place = path.relative_to(root).as_posix()
    functions = [
        Measured(
            what=node.name, place=f"{place}:{node.lineno}", lines=(node.end_lineno or node.lineno) - node.lineno + 1
        )
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    return Measured(what="file", place=place, lines=len(text.splitlines())), functions


def list_problems(files: list[Measured], functions: list[Measured]) -> Iterator[str]:
    """One line for everything over its limit."""
    for file in files:
        if file.lines > MAX_FILE_LINES:
            yield f"{file.place}: {file.lines} lines; a file has at most {MAX_FILE_LINES}"
    for function in functions:
        if function.lines > MAX_FUNCTION_LINES:
            yield f"{function.place}: {function.what} has {function.lines} lines; at most {MAX_FUNCTION_LINES}"


def check_folder(folder: Path) -> int:
    """Prints what is too long and the summary; returns the exit code."""
    files: list[Measured] = []
    functions: list[Measured] = []
    for path in sorted(folder.rglob("*.py")):
        file, inside = measure_file(path, folder.parent)
        files.append(file)
        functions.extend(inside)
    problems = list(list_problems(files, functions))
    for problem in problems:
        print(problem)
    print(summarize(files, functions))
    return 1 if problems else 0


def summarize(files: list[Measured], functions: list[Measured]) -> str:
    """Counts, the median function, the longest function and the longest file."""
    if not functions:
        return f"{len(files)} files, no functions"
    median = statistics.median(function.lines for function in functions)
    longest = max(functions, key=lambda function: function.lines)
    largest = max(files, key=lambda file: file.lines)
    return (
        f"{len(files)} files, {sum(file.lines for file in files)} lines, {len(functions)} functions; "
        f"median function {median:g} lines, longest {longest.lines} ({longest.what}), "
        f"largest file {largest.lines} ({largest.place})"
    )


if __name__ == "__main__":
    sys.exit(check_folder(Path(sys.argv[1] if len(sys.argv) > 1 else "pipekit").resolve()))
