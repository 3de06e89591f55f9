# What is attacked: a server of its own on 127.0.0.1 with three people, and clients of each of them. Judges nothing.
"""`Target`, and `Client`: one connection of somebody, or of nobody."""

import json
import re
import sqlite3
import time
from base64 import b64encode
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlencode

from pipekit import repo
from pipekit.runner.process import Program
from tests.pages.test_access import FOR_PROGRAMS
from tests.people import PASSWORD, PEOPLE, add_people
from tests.project import Project

START_WITHIN_S = 120
# An answer that takes longer is none.
ANSWER_WITHIN_S = 120
NOBODY = "nobody"


@dataclass(frozen=True)
class Answer:
    """What came back, and what it took."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float


class Client:
    """Somebody's requests, one after the other; a connection that the server has closed is opened again."""

    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=ANSWER_WITHIN_S)
        self.cookie = self.csrf = self.token = ""

    def send(
        self, method: str, path: str, *, body: bytes | str = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """An answer, with the login that fits the path: a program's token, else the cookie. Status 0: none came."""
        is_for_programs = path.startswith(FOR_PROGRAMS)
        given = {"Authorization": f"Bearer {self.token}"} if is_for_programs and self.token else {}
        given |= {"Cookie": self.cookie} if self.cookie and not is_for_programs else {}
        began = time.perf_counter()
        for _ in range(2):  # one that lay idle may have been closed meanwhile
            with suppress(OSError, HTTPException):
                self._connection.request(method, path, body or None, {**given, **(headers or {})})
                answer = self._connection.getresponse()
                content = answer.read()
                named = {name.lower(): value for name, value in answer.getheaders()}
                return Answer(answer.status, named, content, time.perf_counter() - began)
            self._connection.close()
        return Answer(0, {}, b"", time.perf_counter() - began)

    def post_form(self, path: str, fields: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Answer:
        """A form, with no value of the session but what `fields` holds."""
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.send("POST", path, body=urlencode(fields), headers={**kind, **(headers or {})})

    def log_in(self, name: str) -> None:
        """A session and a token, got as people and scripts get them."""
        answer = self.post_form("/login", {"name": name, "password": PASSWORD})
        self.cookie = answer.headers["set-cookie"].partition(";")[0]
        found = re.search(rb'name="csrf" value="([^"]+)"', self.send("GET", "/account").body)
        assert found is not None, answer
        self.csrf = found[1].decode()
        basic = b64encode(f"{name}:{PASSWORD}".encode()).decode()
        headers = {"Authorization": f"Basic {basic}", "Content-Type": "application/json"}
        made = self.send("POST", "/api/tokens", body=json.dumps({"name": "attack"}), headers=headers)
        self.token = json.loads(made.body)["token"]

    def close(self) -> None:
        self._connection.close()


class Target:
    """A server with a module, a group and a schedule; `close` ends it and removes nothing."""

    def __init__(self, folder: Path) -> None:
        self.log_path = folder / "serve.log"
        self.project = Project(folder, fill=add_people)
        (self.project.home / "config.yaml").write_text("port: 0\n")
        self._define(folder)
        self.server: Program = self.project.start_cli("serve", log_path=self.log_path)
        self.port = self._find_port()
        self.clients = {NOBODY: Client(self.port), **{name: Client(self.port) for name in PEOPLE}}
        for name in PEOPLE:
            self.clients[name].log_in(name)

    def _define(self, folder: Path) -> None:
        for name in ("src", "dw"):
            with closing(sqlite3.connect(folder / f"{name}.db")) as db:
                db.execute("create table t (id integer primary key)")
        source, dest = (self.project.add_connection(name, f"jdbc:sqlite:{folder / name}.db") for name in ("src", "dw"))
        module = self.project.add_module("orders", source=source, query="select * from t", dest=dest, table="t")
        group = repo.create_group(self.project.db, name="nightly")
        repo.create_member(self.project.db, group_id=group.id, module_id=module.id)
        repo.create_schedule(self.project.db, group_id=group.id, cron="0 4 1 1 *")

    def _find_port(self) -> int:
        until = time.monotonic() + START_WITHIN_S
        while time.monotonic() < until and self.server.poll() is None:
            if found := re.search(r"pages on http://127\.0\.0\.1:(\d+)", self.log_path.read_text(errors="replace")):
                return int(found[1])
            time.sleep(0.1)
        raise RuntimeError(f"The server did not start:\n{self.log_path.read_text(errors='replace')}")

    def read_memory(self) -> float:
        """MB that the server's process holds."""
        text = Path(f"/proc/{self.server.pid}/status").read_text()
        return int(re.findall(r"VmRSS:\s+(\d+)", text)[0]) / 1024

    def count_open(self) -> int:
        """What the server has open: files, connections."""
        return len(list(Path(f"/proc/{self.server.pid}/fd").iterdir()))

    def count_log(self) -> int:
        """Bytes of its log."""
        return self.log_path.stat().st_size

    def close(self) -> None:
        for client in self.clients.values():
            client.close()
        self.server.kill()
        self.server.close_pipes()
        self.project.close()
