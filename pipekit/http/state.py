# What every request works with. Knows the application's configuration, no route.
"""Dependencies: the state database for one request, configuration, secrets, the service behind it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from pipekit import repo
from pipekit.config import Config
from pipekit.engine.looking.looks import Looks
from pipekit.repo.memory import Memory
from pipekit.repo.pool import Pool
from pipekit.repo.trial import Trial
from pipekit.secrets import Secrets
from pipekit.server.service import Service


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """What the application was made with. `service` is None in tests that need nothing to run."""

    config: Config
    secrets: Secrets
    service: Service | None
    pool: Pool
    memory: Memory
    looks: Looks
    trial: Trial

    def close(self) -> None:
        """Closes the connections that wait for the next request, and ends the looks that do."""
        self.looks.close()
        self.memory.close()
        self.pool.close()

    def wake(self) -> None:
        """Lets the queue look at once: something was put into it."""
        if self.service:
            self.service.wake()


# What waits for nothing is async here: FastAPI sends a plain function to another thread, which costs more than it does.
# Each step in a chain of dependencies costs as well, so these ask for nothing but the request.


async def get_context(request: Request) -> Context:
    """The application's context."""
    context: Context = request.app.state.context
    return context


ContextDep = Annotated[Context, Depends(get_context)]


async def open_db(request: Request) -> AsyncIterator[repo.State]:
    """The state database for one request, whose parts may run in different threads one after the other."""
    pool: Pool = request.app.state.context.pool
    pooled = pool.find_idle()
    if pooled is None:
        pooled = await run_in_threadpool(pool.open)
    try:
        yield pooled.db
    except BaseException:
        # What failed may still hold a cursor, and with it the view of the moment it began.
        await run_in_threadpool(pooled.db.close)
        raise
    pool.give_back(pooled)


Db = Annotated[repo.State, Depends(open_db)]
