# The list of the pages' routers. A new noun adds its line.
"""`ROUTERS`, without a prefix."""

from fastapi import APIRouter

from pipekit.web import (
    account,
    columns,
    connections,
    drivers,
    group_parts,
    group_runs,
    groups,
    home,
    login,
    modules_bulk,
    modules_read,
    modules_write,
    run_live,
    run_values,
    runs,
    search,
    secrets,
    settings,
    users,
    watermark_trial,
    wizard,
    wizard_dest,
    wizard_drafts,
)
from pipekit.web.watermarks import _save_inline_watermarks

# The first that fits answers: what is asked for most stands first.
ROUTERS: tuple[APIRouter, ...] = (
    run_live.router,
    home.router,
    login.router,
    # Before the pages of one module: `new` and `bulk` are no ids.
    modules_bulk.router,
    modules_write.router,
    run_values.router,
    modules_read.router,
    runs.router,
    group_runs.router,
    search.router,
    watermark_trial.router,
    wizard.router,
    wizard_dest.router,
    wizard_drafts.router,
    columns.router,
    connections.router,
    groups.router,
    group_parts.router,
    secrets.router,
    users.router,
    account.router,
    drivers.router,
    settings.router,
)

__all__ = ["ROUTERS", "_save_inline_watermarks"]
