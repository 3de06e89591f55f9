# Whether a run's merge keeps what it changes, and noting that it did. Decides, builds no SQL.
"""`keep_images`, part of the plan, and `note_kept`, after the merge."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pipekit.drivers.base import MergePlan, TableColumn
from pipekit.drivers.facts import Keeping
from pipekit.drivers.undoing import RESERVED, name_images
from pipekit.engine.context import RunContext
from pipekit.errors import RunFailed

UNDO = "undo"
_SWITCH = "Take `undo` off the module."


def keep_images(context: RunContext, merge: MergePlan, columns: Sequence[TableColumn], exists: bool) -> MergePlan:
    """The merge with what it keeps, where the module asks for that; `columns` are the dest's.

    Raises RunFailed (stage `plan`) for a dest that cannot keep it: a run that nobody can take back must not look like
    one that can be.
    """
    if context.module.undo_runs is None:
        return merge
    driver, run = context.dest_driver, context.run
    keeping = Keeping(
        images=driver.staging_table(name_images(run.run_key)),
        columns=tuple(column for column in columns if not column.generated),
        whole=merge.strategy == "full" and not merge.keeps,
        note=f"What run {run.id} of {context.module.name} ({context.instance}) has changed in {merge.dest}",
    )
    why = "" if driver.can_undo else f"{driver.label} dests keep nothing of what a merge changes"
    reserved = [name for name in keeping.names if name.lower() in RESERVED]
    if not why and reserved:
        why = f"it has a column {reserved[0]}"
    if not why and exists:
        why = driver.find_unkept(context.ask_dest(), merge, keeping)
    if why:
        message = f"Runs into {merge.dest} cannot be taken back: {why}."
        raise RunFailed(message, stage="plan", hint=_SWITCH)
    return replace(merge, undo=keeping)


def announce(context: RunContext, merge: MergePlan) -> None:
    """Notes, before the merge begins, that its dest may hold what it keeps: a crash must not hide that from us."""
    if merge.undo:
        context.record.put(undo_rows=0)


def note_kept(context: RunContext, merge: MergePlan, counts: Mapping[str, int]) -> None:
    """How much is kept, and the receipt's line on it."""
    if not merge.undo:
        return
    rows, size = counts.get("kept", 0), counts.get("kept bytes")
    context.record.put(undo_rows=rows, undo_bytes=size)
    told = f"; {size:,} bytes" if size else ""
    keeps = context.module.undo_runs
    newest = "the newest run" if keeps == 1 else f"the newest {keeps} runs"
    context.record.check(UNDO, True, f"{rows:,} rows are kept{told}; {newest} can be taken back")
