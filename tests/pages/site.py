# An installation with pages, people and clients that are logged in, for tests of pages. Starts no server.
"""`Site`: a `Project` with an application over it, and `Visitor`s: clients with a session."""

from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response
from selectolax.lexbor import LexborHTMLParser, LexborNode

from pipekit import repo
from pipekit.http.auth import COOKIE
from pipekit.models import Module
from pipekit.serving.app import create_app
from tests.people import add_people
from tests.project import Project


class Page:
    """An answer's HTML, to be asked by selectors."""

    def __init__(self, answer: Response) -> None:
        self.answer = answer
        self.status = answer.status_code
        self.html = answer.text
        self.tree = LexborHTMLParser(answer.text)

    def one(self, selector: str) -> LexborNode:
        """The only element of a selector."""
        found = self.tree.css(selector)
        assert len(found) == 1, f"{len(found)} of {selector} in:\n{self.text}"
        return found[0]

    def all(self, selector: str) -> list[LexborNode]:
        return self.tree.css(selector)

    def has(self, selector: str) -> bool:
        return bool(self.tree.css(selector))

    def texts(self, selector: str) -> list[str]:
        """The texts of every element of a selector, blanks collapsed."""
        return [" ".join(node.text().split()) for node in self.tree.css(selector)]

    @property
    def text(self) -> str:
        """Everything a reader sees, blanks collapsed."""
        body = self.tree.body
        return " ".join(body.text(separator=" ").split()) if body else ""

    def form(self, selector: str) -> dict[str, Any]:
        """What a form would send as it stands: a value, or a list where a name stands more than once."""
        data: dict[str, Any] = {}
        for node in self.one(selector).css("input[name], textarea[name], select[name]"):
            for value in _values(node):
                name = node.attributes["name"] or ""
                if name in data:
                    data[name] = [*(data[name] if isinstance(data[name], list) else [data[name]]), value]
                else:
                    data[name] = value
        return data


def _values(node: LexborNode) -> list[str]:
    attributes = node.attributes
    if "disabled" in attributes:
        return []
    if node.tag == "textarea":
        return [node.text()]
    if node.tag == "select":
        options = node.css("option")
        chosen = [o for o in options if "selected" in o.attributes] or options[:1]
        return [value if (value := o.attributes.get("value")) is not None else o.text() for o in chosen]
    if attributes.get("type") in ("checkbox", "radio"):
        return [attributes.get("value") or "on"] if "checked" in attributes else []
    return [attributes.get("value") or ""]


class Visitor:
    """A client with the session of one person; `csrf` is what its posts repeat."""

    def __init__(self, site: "Site", name: str) -> None:
        self.name = name
        self.client = site.new_client()
        value = repo.open_session(site.db, repo.get_user_by_name(site.db, name).id)
        session = repo.find_session(site.db, value)
        assert session is not None
        self.csrf = session.csrf
        self.client.cookies.set(COOKIE, value)

    def get(self, path: str, **options: Any) -> Page:
        """A page; redirects are not followed."""
        return Page(self.client.get(path, **options))

    def get_fragment(self, path: str) -> Page:
        """A fragment, asked for as HTMX does."""
        return self.get(path, headers={"HX-Request": "true"})

    def post(self, path: str, data: dict[str, Any] | None = None, **options: Any) -> Page:
        """A form that repeats the session's CSRF value; redirects are not followed."""
        return Page(self.client.post(path, data={"csrf": self.csrf, **(data or {})}, **options))


class Site(Project):
    """A project with an application and three people: ana (admin), otto (operator), vera (viewer)."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, fill=add_people)
        self.app: FastAPI = create_app(self.config, self.secrets, with_service=False)

    def close(self) -> None:
        self.app.state.context.close()
        super().close()

    def new_client(self) -> TestClient:
        """A client without a session."""
        return TestClient(self.app, base_url="http://localhost", follow_redirects=False)

    def visit(self, name: str = "ana") -> Visitor:
        """A client logged in as somebody."""
        return Visitor(self, name)

    def make_pair(self) -> tuple[int, int]:
        """Ids of two SQLite connections, `shop` and `dw`."""
        return (
            self.add_connection("shop", "jdbc:sqlite:shop.db").id,
            self.add_connection("dw", "jdbc:sqlite:dw.db").id,
        )

    def make_module(self, name: str = "orders", **options: Any) -> Module:
        """A module from `shop` to `dw`, which are made when they are missing."""
        known = {item.name: item.id for item in repo.list_connections(self.db)}
        source, dest = (known["shop"], known["dw"]) if "shop" in known else self.make_pair()
        given = {"source_query": f"select * from {name}", "dest_table": name, **options}
        return repo.create_module(self.db, name=name, source_id=source, dest_id=dest, **given)
