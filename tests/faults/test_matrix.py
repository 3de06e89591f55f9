# Some cells of the matrix of faults, each kind of fault once; `make faults` goes through all. Knows no single fault.
"""Whatever happens to a run, and whenever, its dest is as before or fully merged, and the record says which."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from pipekit.errors import PipekitError
from tests.matrix.cells import Case, Suite
from tests.matrix.faults import FAULTS
from tests.matrix.works import WORKS

# One stage and one kind of run for each fault; those of which most depends twice.
CELLS = (
    *(("kill runner", stage, "full", "postgresql") for stage in ("watermark", "plan", "copy 50", "check", "hook")),
    *(("kill command", stage, "full", "postgresql") for stage in ("staging", "copy 100", "merge", "finish")),
    ("kill runner", "merge", "full", "postgresql"),
    ("kill runner", "commit", "upsert", "postgresql"),
    ("kill command", "commit", "append", "postgresql"),
    ("kill command", "hook", "full", "postgresql"),
    ("kill command", "copy 50", "full", "sqlite"),
    ("kill server", "merge", "undo", "postgresql"),
    ("kill server and runner", "copy 50", "preview", "postgresql"),
    ("SIGTERM of server", "merge", "upsert", "postgresql"),
    ("Ctrl-C", "commit", "deletes", "postgresql"),
    ("stop runner", "copy 50", "incremental", "postgresql"),
    ("stop command", "merge", "repair", "postgresql"),
    ("flood log", "copy 100", "append", "sqlite"),
    ("end source sessions", "copy 50", "snapshot", "postgresql"),
    ("crash source", "watermark", "full", "postgresql"),
    ("reset source", "copy 0", "append", "postgresql"),
    ("black hole source", "copy 50", "upsert", "postgresql"),
    ("end dest sessions", "commit", "append", "postgresql"),
    ("crash dest", "merge", "swap", "postgresql"),
    ("reset dest", "commit", "incremental", "postgresql"),
    ("black hole dest", "merge", "full", "postgresql"),
    ("dest disk full", "copy 50", "full", "postgresql"),
    ("dest disk full", "merge", "append", "postgresql"),
    ("state disk full", "hook", "full", "postgresql"),
    ("state locked", "finish", "upsert", "postgresql"),
    ("state read only", "copy 50", "full", "postgresql"),
    ("bad row", "copy 0", "direct", "postgresql"),
    ("lock held", "check", "swap", "postgresql"),
    ("deadlock", "merge", "upsert", "postgresql"),
    ("source changed", "plan", "full", "postgresql"),
    ("dest changed", "check", "upsert", "postgresql"),
    ("module edited", "claim", "append", "postgresql"),
    ("cancel", "copy 100", "snapshot", "postgresql"),
    ("clock back", "merge", "full", "postgresql"),
    ("clock forward", "staging", "upsert", "postgresql"),
)


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    try:
        made = Suite(tmp_path_factory.mktemp("matrix"))
    except PipekitError as error:
        pytest.skip(f"no PostgreSQL: {error} {error.hint}")
    with closing(made):
        yield made


def test_each_fault_is_tried_at_a_stage_where_it_makes_sense() -> None:
    assert {fault for fault, *_ in CELLS} == set(FAULTS)
    for fault, stage, work, _ in CELLS:
        assert stage in FAULTS[fault].stages
        assert stage in WORKS[work].stages


@pytest.mark.parametrize("cell", CELLS, ids=["-".join(cell).replace(" ", "_") for cell in CELLS])
def test_a_fault_leaves_the_dest_whole_the_record_true_and_nothing_behind(suite: Suite, cell: tuple[str, ...]) -> None:
    fault, stage, work, kind = cell
    outcome = suite.go(Case(FAULTS[fault], stage, WORKS[work], kind))
    if outcome.left_out:
        pytest.skip(outcome.left_out)
    assert outcome.problems == []
    assert outcome.is_hit, "there was nothing to harm"
