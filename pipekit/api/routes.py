# The list of the API's routers. A new noun adds its line.
"""`ROUTERS`, all under /api."""

from fastapi import APIRouter

from pipekit.api import health

ROUTERS: tuple[APIRouter, ...] = (health.router,)
