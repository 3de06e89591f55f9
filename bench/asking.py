# A client of a running server's API that asks for runs. Knows two addresses of it, and where a state keeps a run.
"""`Asker`: asks for a run or a group run, and waits for its record."""

import http.client
import json
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Self

from bench.installation import make_users
from bench.measure import CommandFailed
from pipekit import repo
from pipekit.models.runs import Run

# The state is looked at so often; a look takes a twentieth of that.
LOOK_EVERY_S = 0.002
WITHIN_S = 300.0


@dataclass(slots=True)
class Asker:
    """A token, and a connection for each request; `db` is the state of the server that is asked."""

    db: repo.State
    port: int
    token: str

    @classmethod
    def make(cls, db: repo.State, port: int) -> Self:
        """A client with an admin of its own."""
        make_users(db, 1)
        token = repo.create_token(db, repo.get_user_by_name(db, "user0").id, "bench")
        return cls(db=db, port=port, token=token)

    def run_module(self, name: str) -> tuple[float, Run]:
        """Seconds from the request to the finished record, and the record; raises CommandFailed."""
        began = time.perf_counter()
        run_id = self._ask(f"/api/modules/{name}/run")["run_id"]
        self._wait(lambda: repo.get_run(self.db, run_id).finished_at)
        seconds = time.perf_counter() - began
        run = repo.get_run(self.db, run_id)
        if run.status != "success":
            raise CommandFailed(f"run {run_id} of {name} ended as {run.status}: {run.error}")
        return seconds, run

    def run_group(self, name: str) -> float:
        """Seconds from the request to the group run's finished record; raises CommandFailed."""
        began = time.perf_counter()
        group_run_id = self._ask(f"/api/groups/{name}/run")["group_run_id"]
        self._wait(lambda: repo.get_group_run(self.db, group_run_id).finished_at)
        seconds = time.perf_counter() - began
        status = repo.get_group_run(self.db, group_run_id).status
        if status != "success":
            raise CommandFailed(f"group run {group_run_id} of {name} ended as {status}")
        return seconds

    def _ask(self, path: str) -> dict[str, Any]:
        head = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=WITHIN_S)) as connection:
            connection.request("POST", path, body=b"{}", headers=head)
            answer = connection.getresponse()
            body = answer.read()
        if answer.status != 202:
            raise CommandFailed(f"{path}: {answer.status} {body.decode(errors='replace')}")
        asked: dict[str, Any] = json.loads(body)
        return asked

    def _wait(self, has_ended: Callable[[], Any]) -> None:
        deadline = time.monotonic() + WITHIN_S
        while not has_ended():
            if time.monotonic() > deadline:
                raise CommandFailed(f"no end within {WITHIN_S:g} s")
            time.sleep(LOOK_EVERY_S)
