# The application: middleware, routes, lifespan. Wires everything and knows what nothing else does: all of it.
"""`create_app`: the JSON API under /api and the pages beside it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.middleware.gzip import GZipMiddleware

from pipekit import __version__
from pipekit.api import openapi
from pipekit.api.routes import ROUTERS as API_ROUTERS
from pipekit.config import Config
from pipekit.engine.looking.looks import Looks
from pipekit.http.state import Context
from pipekit.repo.memory import Memory
from pipekit.repo.pool import Pool
from pipekit.repo.trial import Trial
from pipekit.secrets import Secrets
from pipekit.server.service import Service
from pipekit.serving import api_page
from pipekit.serving.errors import install_error_handlers
from pipekit.serving.hosts import AllowedHosts
from pipekit.serving.request_log import RequestLog, _RequestBodyCapture
from pipekit.serving.security import SecurityHeaders
from pipekit.web.app import ROUTERS as WEB_ROUTERS
from pipekit.web.kit.assets import STATIC, Assets


def create_app(
    config: Config, secrets: Secrets | None = None, *, with_service: bool = True, service: Service | None = None
) -> FastAPI:
    """The application of one installation. With `with_service` its lifespan runs queue, schedules and recovery.

    A `service` that is given runs already, and goes on when the application ends.
    """
    secrets = secrets or Secrets(config.secrets_path, declared=config.secret_variables)
    own = Service(config, secrets) if with_service and not service else None
    service = service or own
    pool = Pool(config.state_path)
    context = Context(
        config=config,
        secrets=secrets,
        service=service,
        pool=pool,
        memory=Memory(pool),
        looks=Looks(config, secrets),
        trial=Trial(config.state_path),
    )

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if own:
            await run_in_threadpool(own.start)
        yield
        if own:
            await run_in_threadpool(own.stop)
        context.close()

    app = FastAPI(
        title="Pipekit", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None
    )
    # A redirect of the framework would name whatever host the request did; errors.py leads to the page without it.
    app.router.redirect_slashes = False
    app.state.context = context
    app.add_middleware(AllowedHosts, config=config)
    app.add_middleware(RequestLog, get_masker=secrets.masker)
    app.add_middleware(SecurityHeaders, is_https=config.https)
    app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=5)
    install_error_handlers(app)
    for router in (*WEB_ROUTERS, *API_ROUTERS, openapi.router, api_page.router):
        app.router.routes.extend(router.routes)
    app.mount("/static", Assets(directory=STATIC), name="static")
    return app


__all__ = ["_RequestBodyCapture", "create_app"]
