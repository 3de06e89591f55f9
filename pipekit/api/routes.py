# The list of the API's routers. A new noun adds its line.
"""`ROUTERS`, all under /api."""

from fastapi import APIRouter

from pipekit.api import (
    alerts,
    audit,
    connections,
    drivers,
    group_runs,
    groups,
    health,
    hooks,
    introspect,
    members,
    metrics,
    modules,
    pause,
    runs,
    schedules,
    secrets,
    tokens,
    users,
    watermarks,
)

ROUTERS: tuple[APIRouter, ...] = (
    health.router,
    health.bare,
    metrics.router,
    drivers.router,
    connections.router,
    introspect.router,
    modules.router,
    watermarks.router,
    hooks.router,
    runs.router,
    groups.router,
    members.router,
    schedules.router,
    group_runs.router,
    pause.router,
    secrets.router,
    users.router,
    tokens.router,
    alerts.router,
    audit.router,
)
