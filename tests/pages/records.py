# Runs in every state, written the way a run writes them. Starts no runner.
"""`start_run` and `end_run`: records as the engine leaves them."""

from typing import Any

from pipekit import repo
from pipekit.models import Check, Module, Run, RunStatus
from tests.pages.site import Site

OWNER = "tests:1"


def start_run(site: Site, module: Module, log: str = "", **fields: Any) -> Run:
    """A run that goes on."""
    run = repo.claim_module(
        site.db,
        module.id,
        owner=OWNER,
        lease_s=3600,
        triggered_by=fields.pop("triggered_by", "user:ana"),
        dry_run=fields.pop("dry_run", False),
        staging_table=f"pipekit_staging.{module.name}",
    )
    if log:
        repo.append_live_log(site.db, run.id, log)
    live: dict[str, Any] = {
        name: fields.pop(name) for name in ("stage", "stage_started_at", "rows_so_far") if name in fields
    }
    if live:
        repo.note_live_figures(site.db, run.id, live)
    if fields:
        repo.update_run(site.db, run.id, **fields)
    return repo.get_run(site.db, run.id)


def end_run(site: Site, run: Run, status: RunStatus = "success", **fields: Any) -> Run:
    """The end of a run that went on; a success has rows, stages and checks."""
    if status == "success":
        counts = {
            "rows_read": 1204,
            "rows_staged": 1204,
            "rows_inserted": 1204,
            "rows_deleted": 1100,
            "rows_updated": 0,
        }
        stages = {"watermark": 0.1, "plan": 0.1, "stage": 8.9, "check": 0.2, "merge": 3.0}
        checks = [Check(name="counts", ok=True, detail="read = staged = 1204")]
        fields = {"merge_state": "merged", "stages": stages, "checks": checks, **counts, **fields}
    repo.finish_run(site.db, run.id, owner=OWNER, status=status, **fields)
    return repo.get_run(site.db, run.id)


def make_run(site: Site, module: Module, status: RunStatus = "success", **fields: Any) -> Run:
    """A run that has ended."""
    return end_run(site, start_run(site, module), status, **fields)
