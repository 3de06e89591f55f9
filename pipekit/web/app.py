# The list of the pages' routers. A new noun adds its line.
"""`ROUTERS`, without a prefix."""

from fastapi import APIRouter

from pipekit.web import (
    account,
    alerts,
    drift,
    drivers,
    home,
    login,
    moved,
    search,
    secrets,
    settings,
    users,
)
from pipekit.web.connections import edit as connection_edit
from pipekit.web.connections import show as connection_show
from pipekit.web.groups import edit as group_edit
from pipekit.web.groups import runs as group_runs
from pipekit.web.groups import show as group_show
from pipekit.web.help import show as help_show
from pipekit.web.modules import altering, columns, dest, run_values, versions, watermark_trial
from pipekit.web.modules import bulk as module_bulk
from pipekit.web.modules import edit as module_edit
from pipekit.web.modules import show as module_show
from pipekit.web.modules.watermarks import _save_inline_watermarks
from pipekit.web.runs import archive as run_archive
from pipekit.web.runs import live as run_live
from pipekit.web.runs import show as run_show
from pipekit.web.runs import undo as run_undo
from pipekit.web.wizard import dest as wizard_dest
from pipekit.web.wizard import drafts as wizard_drafts
from pipekit.web.wizard import schema as wizard_schema
from pipekit.web.wizard import source as wizard_source

# The first that fits answers: what is asked for most stands first.
ROUTERS: tuple[APIRouter, ...] = (
    run_live.router,
    home.router,
    login.router,
    # Before the pages of one module: `new` and `bulk` are no ids.
    module_bulk.router,
    module_edit.router,
    run_values.router,
    module_show.router,
    versions.router,
    dest.router,
    run_show.router,
    run_undo.router,
    run_archive.router,
    group_runs.router,
    search.router,
    watermark_trial.router,
    wizard_source.router,
    wizard_dest.router,
    wizard_drafts.router,
    wizard_schema.router,
    columns.router,
    altering.router,
    connection_edit.router,
    connection_show.router,
    group_show.router,
    group_edit.router,
    secrets.router,
    users.router,
    account.router,
    drift.router,
    drivers.router,
    alerts.router,
    settings.router,
    help_show.router,
    moved.router,
)

__all__ = ["ROUTERS", "_save_inline_watermarks"]
