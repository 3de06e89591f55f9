# An outcome the state database could not take, kept in a file beside it. Knows no remote, and masks nothing itself.
"""Side files: `pipekit.db.run-<id>.json`, written when a run has ended and its record cannot be; read back by recovery.

What comes in is masked already. A file belongs to one owner of one run: when somebody else has closed the run
meanwhile, that word stands and the file goes.
"""

import contextlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipekit import repo
from pipekit.errors import NotFound
from pipekit.logs import get_logger
from pipekit.models import Check, Run

_LOG = get_logger("recovery")
_NUMBER = re.compile(r"\.run-([0-9]+)\.json\Z")


def get_side_path(state_path: Path, run_id: int) -> Path:
    """Where the side file of a run lies."""
    return state_path.with_name(f"{state_path.name}.run-{run_id}.json")


def write_side_file(state_path: Path, run: Run, outcome: Mapping[str, Any]) -> bool:
    """Writes an outcome (fields of `finish_run`, and `log`) for its owner alone to read; whether that worked."""
    path = get_side_path(state_path, run.id)
    half = path.with_name(path.name + ".new")
    checks = [asdict(check) for check in outcome.get("checks", ())]
    text = json.dumps({"run_key": run.run_key, **outcome, "checks": checks})
    try:
        with open(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "w") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        half.replace(path)
    except OSError:
        remove_side_file(half)
        return False
    return True


def remove_side_file(path: Path) -> None:
    """Removes a file if it is there and can be."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        _LOG.warning("%s cannot be removed: %s", path, error.strerror)


def apply_side_file(db: repo.State, run: Run) -> bool:
    """Writes what a run's side file holds into its record; whether it had one that is still true."""
    path = get_side_path(db.path, run.id)
    found = _read(path)
    if found is None or (found.pop("run_key", None), found.get("owner")) != (run.run_key, run.owner):
        return False
    try:
        checks = tuple(Check(**check) for check in found.pop("checks"))
        repo.append_live_log(db, run.id, found.pop("log"))
        applied = repo.finish_run(db, run.id, **found, checks=checks)
    except (TypeError, KeyError, AttributeError) as error:
        _set_aside(path, error)
        return False
    if applied:
        _LOG.info("run %d (%s): its outcome was read from %s: %s", run.id, run.module, path, found["status"])
    remove_side_file(path)
    return applied


def apply_side_files(db: repo.State) -> list[Run]:
    """Reads back every side file there is; the runs whose record is whole again. Removes those nobody needs."""
    applied = []
    for path in sorted(db.path.parent.glob(f"{db.path.name}.run-*.json")):
        number = _NUMBER.search(path.name)
        try:
            run = repo.get_run(db, int(number[1])) if number else None
        except NotFound:
            continue  # of another state database, perhaps of one that was restored: not ours to remove
        if run and run.status != "running":
            remove_side_file(path)
        elif run and apply_side_file(db, run):
            applied.append(repo.get_run(db, run.id))
    return applied


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    except OSError as error:
        _LOG.warning("%s cannot be read: %s", path, error.strerror)
        return None
    except ValueError as error:
        found = error
    if isinstance(found, dict):
        return found
    _set_aside(path, found)
    return None


def _set_aside(path: Path, why: object) -> None:
    """A file that makes no sense must not keep recovery from asking the dest."""
    _LOG.error("%s holds no outcome of a run and is set aside: %s", path, why)
    with contextlib.suppress(OSError):
        path.rename(path.with_name(path.name + ".unreadable"))
