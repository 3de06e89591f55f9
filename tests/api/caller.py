# An installation with an API and people with tokens, for tests. Starts no server unless it is told to.
"""`Home`: a `Project` with two SQLite files; `Caller`: a client that sends one person's token."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient

from pipekit import repo
from pipekit.models import Connection, Module
from pipekit.serving.app import create_app
from tests.people import add_people
from tests.project import Project


class Caller:
    """A client of the API that sends a token."""

    def __init__(self, app: FastAPI, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.client = TestClient(app, base_url="http://localhost", headers=headers, raise_server_exceptions=False)

    def ask(self, method: str, path: str, body: Any = None, *, expect: int | None = None, **options: Any) -> Any:
        """The answer's document, None where it has no body; insists on a status, or on any that is no error."""
        given = {"json": body} if body is not None else {}
        answer = self.client.request(method, f"/api{path}", **given, **options)
        told = f"{method} {path}: {answer.status_code} {answer.text[:2000]}"
        assert answer.status_code == expect if expect else answer.status_code < 400, told
        return answer.json() if answer.content else None

    def get(self, path: str, **options: Any) -> Any:
        return self.ask("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> Any:
        return self.ask("POST", path, body, **options)

    def patch(self, path: str, body: Any, **options: Any) -> Any:
        return self.ask("PATCH", path, body, **options)

    def delete(self, path: str, **options: Any) -> Any:
        return self.ask("DELETE", path, **options)

    def fail(self, method: str, path: str, status: int, body: Any = None, **options: Any) -> dict[str, str]:
        """The error of a request that must fail this way."""
        error: dict[str, str] = self.ask(method, path, body, expect=status, **options)["error"]
        assert set(error) == {"code", "message", "hint", "field"}
        return error


class Home(Project):
    """A project with an application, three people, and the files src.db (table t of 100 rows) and dw.db."""

    def __init__(self, folder: Path, *, with_service: bool = False) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        super().__init__(folder, fill=add_people)
        for name in ("src", "dw"):
            with closing(sqlite3.connect(folder / f"{name}.db")) as db:
                db.execute("create table t (id integer primary key, name text)")
                db.executemany("insert into t values (?, ?)", [(n, f"row {n}") for n in range(100)])
                db.commit()
        self.app: FastAPI = create_app(self.config, self.secrets, with_service=with_service)

    def close(self) -> None:
        self.app.state.context.close()
        super().close()

    def call(self, name: str | None = "ana") -> Caller:
        """A client that sends a new token of somebody; of nobody for None."""
        token = ""
        if name:
            user = repo.get_user_by_name(self.db, name)
            token = repo.create_token(self.db, user.id, f"test {len(repo.list_tokens(self.db, user.id))}")
        return Caller(self.app, token)

    def connect(self) -> tuple[Connection, Connection]:
        """Connections to the two files, `src` and `dw`."""
        return self.add_connection("src", "jdbc:sqlite:src.db"), self.add_connection("dw", "jdbc:sqlite:dw.db")

    def make_module(self, name: str = "orders", **options: Any) -> Module:
        """A module from table t of src to a table of its name in dw."""
        source, dest = repo.find_connection_by_name(self.db, "src"), repo.find_connection_by_name(self.db, "dw")
        if source is None or dest is None:
            source, dest = self.connect()
        given = {"query": "select * from t", "table": name, "create_table": True, **options}
        return self.add_module(name, source=source, dest=dest, **given)
