# The soak itself: a short one is right, and whatever is wrong in a dest is told. Knows its command line.
"""`python -m tests.soak`, as `make soak` runs it, and its judge."""

import re
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from pipekit.runner.process import run_program
from tests.soak.judge import judge_quiet
from tests.soak.world import World

ROOT = Path(__file__).parents[2]

# What is done to a right dest, how it is undone, and what the judge must say in between.
WRONG = [
    ("update one_full set who = 'two_full'", "update one_full set who = 'one_full'", "one_full holds rows of two_full"),
    (
        "insert into one_append select * from one_append where id = 1",
        "delete from one_append where id = 1 and ctid > (select min(ctid) from one_append where id = 1)",
        "one_append (append) holds 501 rows, and 1 merges are in the ledger",
    ),
    (
        "update one_upsert set version = version + 1 where id = 1",
        "update one_upsert set version = version - 1 where id = 1",
        "one_upsert (upsert) mixes 2 versions",
    ),
    ("create table pipekit_staging.x (id int)", "drop table pipekit_staging.x", "left in the dest: x"),
    (
        "update pipekit_staging.pipekit_ledger set state = 'fenced' where module like 'full@%'",
        "update pipekit_staging.pipekit_ledger set state = 'merged' where module like 'full@%'",
        "says merged, the ledger False",
    ),
]


def list_folders() -> set[Path]:
    return set(Path(tempfile.gettempdir()).glob("pipekit-soak-*"))


def test_half_a_minute_of_harm_leaves_nothing_wrong_and_nothing_behind() -> None:
    before = list_folders()
    argv = [sys.executable, "-m", "tests.soak", "--minutes", "0.5", "--seed", "11"]
    finished = run_program(argv, timeout_s=400, env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"})
    assert finished.code == 0, finished.stdout + finished.stderr
    assert re.search(r"^violations  0$", finished.stdout, re.MULTILINE)
    assert "seed        11" in finished.stdout
    assert list_folders() <= before


def test_what_is_wrong_in_a_dest_is_told(tmp_path: Path) -> None:
    with closing(World(tmp_path)) as world:
        one = world.installations[0]
        for module in one.modules:
            one.project.succeed(module)
        assert judge_quiet(world) == []
        for harm, undo, told in WRONG:
            with world.connect("dest") as dest:
                dest.execute(harm)
                problems = judge_quiet(world)
                dest.execute(undo)
            assert any(told in problem for problem in problems), problems
        assert judge_quiet(world) == []
