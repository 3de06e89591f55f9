# The list of the pages' routers. A new noun adds its line.
"""`ROUTERS`, without a prefix."""

from fastapi import APIRouter

from pipekit.web import login

ROUTERS: tuple[APIRouter, ...] = (login.router,)
