# Sequences behind columns that a load feeds: which, whether they are moved on, and what the receipt says. Knows no SQL.
"""An application that goes on where a load ended must not be given a number that a row already has."""

from collections.abc import Mapping

from pipekit.drivers.base import Driver, FedSequence, MergePlan, TableName
from pipekit.engine.context import RunContext
from pipekit.engine.planning.columns import ColumnMatch
from pipekit.models import Module
from pipekit.runner_contract import Statement

_SWITCH = "`guards: {sequences: true}` moves it on"


def moves_sequences(module: Module) -> bool:
    """As the module's switch says; without it for a dest that is fed whole.

    Elsewhere the application may number in a range of its own, and would be thrown out of it.
    """
    chosen = module.guards.sequences
    return module.merge_strategy == "full" if chosen is None else chosen


def find_sequences(context: RunContext, dest: TableName, match: ColumnMatch) -> tuple[FedSequence, ...]:
    """The sequences behind the columns that are fed; none where the module does not want to hear of them."""
    if context.module.guards.sequences is False:
        return ()
    fed = [column.dest.name for column in match.columns if column.dest.has_default or column.dest.in_key]
    return context.dest_driver.list_sequences(context.ask_dest(), dest, fed) if fed else ()


def build_sequence_statements(driver: Driver, merge: MergePlan) -> tuple[Statement, ...]:
    """The last statements of a merge: a sequence that was moved on stays so, even when the merge is rolled back."""
    return tuple(
        driver.build_sequence_sql(merge, sequence, _name(number))
        for number, sequence in enumerate(merge.sequences)
        if sequence.can_walk
    )


def note_sequences(context: RunContext, merge: MergePlan, counts: Mapping[str, int]) -> None:
    """Puts into the receipt which sequence was moved on, or is behind and why."""
    found = [
        _tell(sequence, counts.get(_name(number)), merge.moves_sequences)
        for number, sequence in enumerate(merge.sequences)
    ]
    if found:
        context.record.check("sequences", all(ok for ok, _ in found), "; ".join(text for _, text in found))


def _name(number: int) -> str:
    return f"sequence {number}"


def _tell(sequence: FedSequence, steps: int | None, moves: bool) -> tuple[bool, str]:
    name = f"{sequence.table}, behind {sequence.column},"
    if steps is None:
        wanted = f"SELECT and UPDATE on the sequence {sequence.table}"
        return not moves, f"{name} was not looked at: the login may not; grant it {wanted}"
    if steps == 0:
        return True, f"{name} stands beyond what was fed"
    if steps < 0:
        why = "its end is reached" if steps == -1 else "it is too far behind for a login that may not set it"
        return False, f"{name} was not moved on: {why}"
    if not moves:
        return True, f"{name} is {steps} behind what was fed; {_SWITCH}"
    return True, f"{name} was moved on by {steps}"
