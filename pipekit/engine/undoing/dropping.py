# Removing what dests keep of runs that nobody can take back any more. Knows which, and how one is removed.
"""`drop_after` at the end of a run of the module, `drop_unwanted` for everything else."""

from pipekit import repo
from pipekit.drivers import get_driver
from pipekit.drivers.undoing import name_images
from pipekit.engine.context import RunContext, open_endpoint
from pipekit.engine.installation import Installation
from pipekit.errors import PipekitError
from pipekit.logs import get_logger
from pipekit.models import Connection, Run
from pipekit.runner.native import NativeRunner
from pipekit.runner_contract import Endpoint, Runner, Statement

DROPPER = "pipekit:undo"
DROP_WITHIN_S = 60.0

_LOG = get_logger("undo")


def drop_after(db: repo.State, context: RunContext) -> None:
    """Over the session of a run that has merged; what its dest will not do now is done later."""
    try:
        if context.run.module_id is not None and repo.measure_undo(db, context.run.module_id)[0]:
            _drop_of(db, context, context.run.module_id)
    except PipekitError as error:
        context.record.log(f"what is kept of earlier runs was not removed: {error.message}\n")


def _drop_of(db: repo.State, context: RunContext, module_id: int) -> None:
    context.record.save()  # which has merged: what is kept of it counts, or is done with
    for run in repo.list_unwanted_undo(db, module_id):
        if run.id != context.run.id and _is_dest(repo.find_kept_dest(db, run), context.dest):
            _drop(db, context.runner, context.dest, run)


def drop_unwanted(installation: Installation, before: str = "", *, dry_run: bool = False) -> int:
    """Of all modules, and of runs that ended earlier than `before`; of how many runs it is removed, or would be."""
    unwanted = repo.list_unwanted_undo(installation.db, None, before)
    if dry_run:
        return len(unwanted)
    return sum(_drop_in_dest(installation, run) for run in unwanted)


def _drop_in_dest(installation: Installation, run: Run) -> bool:
    """Whether it is gone; a connection that is no more is as good as that, as nobody can follow it."""
    connection = repo.find_kept_dest(installation.db, run)
    if connection is None:
        repo.forget_undo(installation.db, run.id)
        return True
    try:
        dest = open_endpoint(installation.config, installation.secrets, connection, application=DROPPER)
        with NativeRunner(silence_timeout_s=DROP_WITHIN_S, kinds=[dest.kind]) as runner:
            _drop(installation.db, runner, dest, run)
    except PipekitError as error:
        _LOG.warning("what is kept of run %d (%s) was not removed: %s", run.id, run.module, error.message)
        return False
    return True


def _drop(db: repo.State, runner: Runner, dest: Endpoint, run: Run) -> None:
    driver = get_driver(dest.kind)
    images = driver.staging_table(name_images(run.run_key))
    runner.execute(dest, [Statement(sql=sql) for sql in driver.build_drop_images_sql(images)])
    repo.forget_undo(db, run.id)


def _is_dest(kept: Connection | None, dest: Endpoint) -> bool:
    return kept is not None and (kept.driver, kept.jdbc_url) == (dest.kind, dest.jdbc_url)
