# Running a module, or what was claimed from the queue. Knows how a run is asked for and claimed, not how it goes.
"""`run_module`: one execution of a module, from asking for it to its record; `run_claimed`: from its claim on."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pipekit import repo
from pipekit.engine.altering.following import settle_alterations
from pipekit.engine.definition import read_definition
from pipekit.engine.events import Listener, RunFinished
from pipekit.engine.installation import Installation
from pipekit.engine.previews import read_merged
from pipekit.engine.record import log_end
from pipekit.engine.recovering.owner import new_owner
from pipekit.engine.recovering.recover import recover_module
from pipekit.engine.running.corridor import execute_run
from pipekit.engine.running.entrance import get_ready
from pipekit.engine.starting.waiting import claim_asked, give_up, wait_for_turn
from pipekit.engine.variables import fill_definition
from pipekit.errors import ModuleBusy, PipekitError
from pipekit.models import Alteration, Module, Run, Verify


@dataclass(frozen=True, kw_only=True, slots=True)
class RunOptions:
    """How one run differs from its definition. `watermarks` overrides values by name without touching the module.

    A `preview` merges nothing; `merges` is a preview of the module whose staging is merged in place of new rows, and
    `user` who says so, for the audit trail.
    With `undoes` it takes that run back, with an `alteration` it changes a column of the dest. With `verify`
    it compares the dest with the source and loads nothing.
    """

    dry_run: bool = False
    preview: bool = False
    merges: int | None = None
    user: str = ""
    watermarks: Mapping[str, str] = field(default_factory=dict)
    triggered_by: str = "cli"
    undoes: int | None = None
    verify: Verify | None = None
    alteration: Alteration | None = None


def run_module(
    installation: Installation, module: Module, options: RunOptions | None = None, listener: Listener | None = None
) -> Run:
    """Runs a module, after waiting for a slot where none is free, and returns its record, whatever the outcome.

    Raises ModuleBusy when another run of it is alive or waits, Invalid for an override of a watermark it does not have.
    """
    options = options or RunOptions()
    module = _settle(installation, module)
    definition = fill_definition(read_definition(installation.db, module))
    if options.merges is not None:
        options = replace(options, watermarks=read_merged(installation.db, definition, options.merges).values)
    ready = get_ready(installation, definition, options.watermarks)
    asked: Run | None = None
    try:
        asked = _enqueue(installation, module, options)
        run = claim_asked(installation, asked)
    except BaseException:
        ready.runner.kill()
        if asked is not None:
            with contextlib.suppress(PipekitError):
                give_up(installation.db, asked)
        raise
    if run is not None:
        return execute_run(installation, run, ready, listener)
    # It may take hours: no child waits along, and what the module is then is read then.
    ready.runner.kill()
    run = wait_for_turn(installation, asked, listener)
    return run_claimed(installation, run, listener) if run else repo.get_run(installation.db, asked.id)


def _settle(installation: Installation, module: Module) -> Module:
    """The module as it is once a dead run that has changed a column of its dest is closed, and it has followed."""
    is_closed = module.running and recover_module(installation, module.id)
    is_settled = bool(settle_alterations(installation.db))
    return repo.get_module(installation.db, module.id) if is_closed or is_settled else module


def run_claimed(installation: Installation, run: Run, listener: Listener | None = None) -> Run:
    """Runs what its owner has claimed from the queue and returns its record, whatever the outcome."""
    assert run.module_id is not None
    db = installation.db
    try:
        settle_alterations(db)
        definition = fill_definition(read_definition(db, repo.get_module(db, run.module_id)))
        ready = get_ready(installation, definition, repo.get_overrides(db, run.id))
    except Exception as error:
        return _fail_early(installation, run, error, listener)
    return execute_run(installation, run, ready, listener)


def _fail_early(installation: Installation, run: Run, error: Exception, listener: Listener | None) -> Run:
    """Ends a claimed run that could not even begin; nobody else would before its lease has run out."""
    told, hint = f"Pipekit itself failed: {type(error).__name__}: {error}", ""
    if isinstance(error, PipekitError):
        told, hint = error.message, error.hint
    db, outcome = installation.db, {"error_stage": "claim", "error": told, "hint": hint or None}
    repo.finish_run(db, run.id, owner=run.owner or "", status="error", **outcome)
    if not isinstance(error, PipekitError):
        raise error
    finished = repo.get_run(db, run.id)
    log_end(finished)
    if listener:
        listener(RunFinished(finished))
    return finished


def _enqueue(installation: Installation, module: Module, options: RunOptions) -> Run:
    """Asks for the run; when the module's holder is dead, closes that run truthfully first."""
    db = installation.db
    for last_try in (False, True):
        try:
            with repo.transaction(db):
                run = repo.enqueue_run(
                    db,
                    module.id,
                    owner=new_owner(),
                    lease_s=installation.config.lease_s,
                    triggered_by=options.triggered_by,
                    dry_run=options.dry_run,
                    preview=options.preview,
                    merges=options.merges,
                    overrides=options.watermarks,
                    undoes=options.undoes,
                    verify=options.verify,
                    alteration=options.alteration,
                )
                if options.merges is not None:
                    detail = {"run_id": run.id, "merges": options.merges}
                    repo.note_audit(db, user=options.user, action="run", kind="module", name=module.name, detail=detail)
                return run
        except ModuleBusy:
            if last_try or not recover_module(installation, module.id):
                raise
    raise AssertionError("unreachable")
