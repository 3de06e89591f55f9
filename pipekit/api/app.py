# The application: middleware, routes, lifespan. Wires everything and knows what nothing else does: all of it.
"""`create_app`: the JSON API under /api and the pages beside it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.concurrency import run_in_threadpool

from pipekit import __version__
from pipekit.api.errors import install_error_handlers
from pipekit.api.request_log import RequestLog, _RequestBodyCapture
from pipekit.api.routes import ROUTERS as API_ROUTERS
from pipekit.api.security import SecurityHeaders
from pipekit.api.state import Context
from pipekit.config import Config
from pipekit.secrets import Secrets
from pipekit.server import Service
from pipekit.web.app import ROUTERS as WEB_ROUTERS
from pipekit.web.pages import STATIC


def create_app(config: Config, secrets: Secrets | None = None, *, with_service: bool = True) -> FastAPI:
    """The application of one installation. With `with_service` its lifespan runs queue, schedules and recovery."""
    secrets = secrets or Secrets(config.secrets_path)
    service = Service(config, secrets) if with_service else None

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if service:
            await run_in_threadpool(service.start)
        yield
        if service:
            await run_in_threadpool(service.stop)

    app = FastAPI(
        title="Pipekit", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None
    )
    app.state.context = Context(config=config, secrets=secrets, service=service)
    app.add_middleware(RequestLog, get_masker=secrets.masker)
    app.add_middleware(SecurityHeaders)
    install_error_handlers(app)
    for router in (*API_ROUTERS, *WEB_ROUTERS):
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    return app


__all__ = ["_RequestBodyCapture", "create_app"]
