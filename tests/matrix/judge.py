# What must hold of a cell once its run has come to its end. Does no harm.
"""`judge` and `judge_next`: what is wrong, in sentences; nothing when all is well."""

import os
from collections.abc import Iterator
from pathlib import Path

from pipekit import repo
from pipekit.runner.process import wait_until
from tests.matrix.cell import ENDED, Cell
from tests.matrix.faults import Fault
from tests.matrix.works import BEFORE_MERGE, Kept
from tests.matrix.world import CANARY, pad_of

GONE_WITHIN_S = 30.0
# A module that is edited while a run waits for its turn is run as it is then.
VALUES = ("new", "edit")


def read(cell: Cell) -> Kept:
    """The dest's rows; one that is not whole is called so."""
    return sorted((number, v if pad == pad_of(number) else "torn") for number, v, pad in cell.place.read())


def judge(cell: Cell, fault: Fault, stage: str) -> Iterator[str]:
    """The dest, the record and the ledger tell the same story, and nothing is left."""
    run, rows = cell.run, read(cell)
    if run.status not in ENDED:
        yield f"the record says {run.status}"
    elif run.status not in fault.ends:
        yield f"it ended as {run.status}, by {run.error_stage}: {run.error}"
    if run.merge_state == "unknown":
        yield "nobody knows whether it merged"
    merged = run.run_key in cell.place.read_ledger()
    if merged != (run.merge_state == "merged"):
        yield f"the record says {run.merge_state}, the ledger {'merged' if merged else 'nothing'}"
    if rows not in ([cell.work.after(v) for v in VALUES] if merged else [cell.work.before]):
        yield f"merge {run.merge_state}, and the dest holds {_describe(rows)}"
    if run.status == "success" and not merged:
        yield "success, and nothing was merged"
    if run.status in ("error", "cancelled") and not run.error:
        yield f"{run.status} without a word"
    if fault.asks_to_stop and stage in BEFORE_MERGE and (run.status != "cancelled" or merged):
        yield f"it was asked to stop in {stage}, and ended as {run.status} ({run.merge_state})"
    if repo.get_module(cell.project.db, cell.module.id).running:
        yield "the module is locked"
    yield from judge_left(cell)


def judge_next(cell: Cell) -> Iterator[str]:
    """The next run needs no help, and brings the dest to where it must be."""
    merged_before = len(cell.place.read_ledger())
    run = cell.run_near()
    if run.status != "success":
        yield f"the next run ended as {run.status}, in {run.error_stage}: {run.error}"
        return
    rows, once = read(cell), cell.work.next_after("new")
    wanted = once
    if cell.work.adds:
        wanted = sorted([*once, *[row for row in once if row[1] == "new"] * merged_before])
    # What an edited definition has loaded before may be there beside it, or as a version of its own.
    taken = sorted((number, "new" if v == "edit" else v) for number, v in rows)
    if wanted != (sorted(set(taken)) if cell.work.name == "snapshot" else taken):
        yield f"after the next run the dest holds {_describe(rows)}"
    yield from judge_left(cell)


def judge_left(cell: Cell) -> Iterator[str]:
    """Tables, claims, sessions, processes, and the password where it must not be."""
    yield from (f"left in the dest: {name}" for name in cell.place.list_left() if "undo" not in name)
    for side in ("source", "dest"):
        if not wait_until(lambda side=side: not cell.world.list_sessions(side), GONE_WITHIN_S):  # type: ignore[misc]
            yield f"sessions are left in {side}"
    if not wait_until(lambda: not any(map(_is_alive, cell.seen)), GONE_WITHIN_S):
        yield f"processes are left: {[pid for pid in cell.seen if _is_alive(pid)]}"
    yield from (f"the password stands in {path}" for path in find_canary(cell))


def find_canary(cell: Cell) -> Iterator[str]:
    """Files of the installation, its log and the words of its processes that hold the password."""
    for path in sorted(cell.folder.rglob("*")):
        is_kept_there = path == cell.project.config.secrets_path
        if path.is_file() and not is_kept_there and CANARY.encode() in path.read_bytes():
            yield path.name
    for pid in cell.seen:
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        if CANARY.encode() in words:
            yield f"the words of process {pid}"


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def _describe(rows: Kept) -> str:
    """`20 old, 40 new`."""
    found = [v for _, v in rows]
    return ", ".join(f"{found.count(v)} {v}" for v in sorted(set(found))) or "nothing"
