# The list of the pages' routers. A new noun adds its line.
"""`ROUTERS`, without a prefix."""

from fastapi import APIRouter

from pipekit.web import (
    account,
    columns,
    connections,
    group_parts,
    group_runs,
    groups,
    home,
    login,
    modules_read,
    modules_write,
    runs,
    search,
    secrets,
    settings,
    users,
    wizard,
    wizard_dest,
)
from pipekit.web.watermarks import _save_inline_watermarks

ROUTERS: tuple[APIRouter, ...] = (
    login.router,
    # Before the pages of one module: `new` is no id.
    modules_write.router,
    home.router,
    modules_read.router,
    runs.router,
    group_runs.router,
    search.router,
    wizard.router,
    wizard_dest.router,
    columns.router,
    connections.router,
    groups.router,
    group_parts.router,
    secrets.router,
    users.router,
    account.router,
    settings.router,
)

__all__ = ["ROUTERS", "_save_inline_watermarks"]
