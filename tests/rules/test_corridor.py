# The corridor of a run stays short and straight, and the engine's rooms small. Reads source text and annotations.
"""Rules for `pipekit/engine/`."""

import ast
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from pipekit.engine.running import corridor
from pipekit.models import Stage

ENGINE = Path(__file__).resolve().parents[2] / "pipekit" / "engine"
MAX_CORRIDOR_LINES = 150
MAX_PARAMETERS = 4
MAX_FILES = 16
# Where a run begins, what it walks through and how it ends.
WALKED = ("starting/module.py", "starting/group.py", "starting/waiting.py", "starting/copy_query.py", "running")


def list_files() -> Iterator[Path]:
    for name in WALKED:
        path = ENGINE / name
        yield from path.glob("*.py") if path.is_dir() else [path]


def test_the_corridor_reads_in_one_short_file() -> None:
    assert len(Path(corridor.__file__).read_text(encoding="utf-8").splitlines()) <= MAX_CORRIDOR_LINES


def test_no_function_on_the_way_of_a_run_takes_more_than_four_things() -> None:
    crowded = []
    for path in list_files():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                names = [argument.arg for argument in given if argument.arg not in ("self", "cls")]
                if len(names) > MAX_PARAMETERS:
                    crowded.append(f"{path.relative_to(ENGINE)}:{node.lineno} {node.name}({', '.join(names)})")
    assert crowded == []


def test_each_stage_takes_what_the_one_before_it_gives() -> None:
    stages = corridor.DECIDING + corridor.MOVING + corridor.CHANGING
    hints = [list(get_type_hints(step).values()) for _, step in stages]
    assert [(first[2], second[1]) for first, second in pairwise(hints) if first[2] != second[1]] == []


def test_the_stages_are_those_that_a_record_knows_but_for_the_claim() -> None:
    stages = corridor.DECIDING + corridor.MOVING + corridor.CHANGING
    assert ["claim", *(name for name, _ in stages)] == list(get_args(Stage))


def list_rooms() -> Iterator[Path]:
    """The engine, the pages and the server, and the rooms inside them."""
    for path in (ENGINE, ENGINE.parent / "web", ENGINE.parent / "server"):
        yield from (folder for folder in (path, *path.iterdir()) if (folder / "__init__.py").exists())


@pytest.mark.parametrize("room", sorted(list_rooms()), ids=lambda path: f"{path.parent.name}-{path.name}")
def test_a_room_holds_few_files(room: Path) -> None:
    assert len(list(room.glob("*.py"))) <= MAX_FILES
