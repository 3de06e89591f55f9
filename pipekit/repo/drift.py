# What the last run of each module has said of columns that are not as the dest has them. Reads only.
"""`list_drift`."""

import json
from dataclasses import dataclass

from pipekit.repo.state import State


@dataclass(frozen=True, kw_only=True, slots=True)
class Drifted:
    """A module whose last run met a difference: `ok` as its check says, `told` what differs, with the statements."""

    module_id: int
    module: str
    setting: str
    run_id: int
    finished_at: str | None
    ok: bool | None
    told: str


def list_drift(db: State) -> list[Drifted]:
    """By module; those that stop it first."""
    rows = db.rows(
        """
        SELECT m.id, m.name, m.drift, r.id AS run_id, r.finished_at, r.checks_json
        FROM module AS m JOIN run_log AS r
          ON r.id = (SELECT max(id) FROM run_log WHERE module_id = m.id AND checks_json IS NOT NULL)
        WHERE r.checks_json LIKE '%"drift"%'
        ORDER BY m.name
        """
    )
    found = [
        Drifted(
            module_id=row["id"],
            module=row["name"],
            setting=row["drift"],
            run_id=row["run_id"],
            finished_at=row["finished_at"],
            ok=check["ok"],
            told=check.get("detail", ""),
        )
        for row in rows
        for check in json.loads(row["checks_json"])
        if check["name"] == "drift"
    ]
    return sorted(found, key=lambda item: item.ok is not False)
