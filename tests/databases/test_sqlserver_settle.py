# Tests of asking SQL Server whether a run merged, where two write its ledger row at once. Over the TDS double.
"""pipekit.engine.recovering.ledger with the driver of SQL Server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipekit.drivers.base import LedgerEntry
from pipekit.drivers.sqlserver.driver import DRIVER
from pipekit.engine.recovering.ledger import settle_merge
from pipekit.runner.native import NativeRunner
from tests.databases.sqlservers import Place, open_place
from tests.databases.tds.replies import Count, Error, Reply, Rows

ENTRY = LedgerEntry(run_key="0a1b2c3d-42", run_id=42, module="orders", fence=7)
APPLICATION = "pipekit:42@0a1b2c3d"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with open_place(tmp_path) as place:
        place.double.answer(r"SELECT SCHEMA_ID", Rows([("s", "int"), ("t", "int")], [(5, 6)]))
        place.double.answer(r"dm_exec_sessions", Rows([("n", "int")], [(0,)]), whole=True)
        yield place


def settle(place: Place, fence: Reply, outcome: str | None) -> str:
    """How the run ended, where the fence is answered so and the ledger then says this."""
    place.double.answer(r"sp_getapplock", fence, whole=True)
    rows = [] if outcome is None else [(outcome,)]
    place.double.answer(r"^SELECT \[state\]", Rows([("state", "varchar(8)")], rows))
    with NativeRunner() as runner:
        return settle_merge(runner, DRIVER, place.endpoint(), ENTRY, APPLICATION)


@pytest.mark.parametrize("outcome", ["merged", "fenced"])
@pytest.mark.parametrize(
    "refusal",
    [
        Error(2627, "Violation of PRIMARY KEY constraint 'PK__pipekit_'. Cannot insert duplicate key.", 14),
        Error(2601, "Cannot insert duplicate key row in object 'pipekit_ledger' with unique index.", 14),
    ],
    ids=["2627", "2601"],
)
def test_a_row_of_the_same_key_says_that_the_ledger_can_be_asked(place: Place, refusal: Error, outcome: str) -> None:
    assert settle(place, refusal, outcome) == {"merged": "merged", "fenced": "none"}[outcome]


@pytest.mark.parametrize(
    "refusal",
    [
        Error(233, "A connection was made, but then an error occurred.", 20),
        Error(2305, "XQuery: a number that begins like the class of SQLSTATE.", 16),
        Error(547, "The INSERT statement conflicted with the CHECK constraint.", 16),
    ],
    ids=["233", "2305", "547"],
)
def test_any_other_refusal_leaves_it_unknown(place: Place, refusal: Error) -> None:
    assert settle(place, refusal, "fenced") == "unknown"


def test_the_run_s_own_sessions_are_ended_first(place: Place) -> None:
    assert settle(place, Count(1), "fenced") == "none"
    texts = place.double.texts()
    ended = next(number for number, text in enumerate(texts) if "KILL" in text)
    fenced = next(number for number, text in enumerate(texts) if "sp_getapplock" in text)
    assert ended < fenced
    assert f"program_name = N'{APPLICATION}'" in texts[ended]
