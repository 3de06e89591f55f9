# What every request works with. Knows the application's configuration, no route.
"""Dependencies: the state database for one request, configuration, secrets, the service behind it."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from pipekit import repo
from pipekit.config import Config
from pipekit.secrets import Secrets
from pipekit.server import Service


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """What the application was made with. `service` is None in tests that need nothing to run."""

    config: Config
    secrets: Secrets
    service: Service | None

    def wake(self) -> None:
        """Lets the queue look at once: something was put into it."""
        if self.service:
            self.service.wake()


def get_context(request: Request) -> Context:
    """The application's context."""
    context: Context = request.app.state.context
    return context


def open_db(context: Annotated[Context, Depends(get_context)]) -> Iterator[repo.State]:
    """The state database, open for one request, whose parts may run in different threads one after the other."""
    with closing(repo.open_state(context.config.state_path, any_thread=True)) as db:
        yield db


ContextDep = Annotated[Context, Depends(get_context)]
Db = Annotated[repo.State, Depends(open_db)]
