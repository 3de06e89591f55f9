# A browser on a real server, and what it notices by itself: foreign hosts, refused scripts, bad contrast.
"""`House`: an installation with a server and people. `Desk`: somebody in front of it."""

import re
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, expect

from pipekit import repo
from pipekit.http.auth import COOKIE
from pipekit.models import Connection, Module
from pipekit.models.people import Role
from pipekit.passwords import hash_password
from pipekit.runner.process import Program, start_program, wait_until
from tests.patience import PATIENCE_S
from tests.project import Project
from tests.site import stop

ROOT = Path(__file__).resolve().parents[3]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
PASSWORD = "a password of tests"
WAIT_MS = PATIENCE_S * 1000
expect.set_options(timeout=WAIT_MS)

_AXE_RUN = "() => axe.run(document, {resultTypes: ['violations']})"


class House(Project):
    """A home with a shop in SQLite, people, and `pipekit serve` on a free port."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.folder = folder
        (self.home / "config.yaml").write_text("port: 0\n")
        with closing(sqlite3.connect(folder / "shop.db")) as db:
            db.execute("create table orders (order_no integer primary key, customer text, amount decimal(10,2))")
            db.executemany("insert into orders values (?, ?, ?)", [(n, f"c{n % 7}", n / 4) for n in range(1, 101)])
            db.commit()
        self.shop = self.add_connection("shop", "jdbc:sqlite:shop.db")
        self.attic = self.add_connection("attic", "jdbc:sqlite:attic.db")
        self._log = folder / "serve.log"
        self._server: Program | None = None

    def start(self) -> None:
        """Starts the server and waits until its pages are there."""
        argv = [sys.executable, "-m", "pipekit", "serve"]
        self._server = start_program(argv, env=self.environment(), log_path=self._log)
        assert wait_until(lambda: "pages on http" in self.log(), PATIENCE_S), self.log()

    @property
    def base(self) -> str:
        """The address of the pages."""
        found = re.search(r"pages on (http://\S+)", self.log())
        assert found, self.log()
        return found[1]

    def log(self) -> str:
        return self._log.read_text() if self._log.exists() else ""

    def add(self, name: str, query: str, *, table: str = "", dest: Connection | None = None, **options: Any) -> Module:
        """A module from the shop."""
        dest = dest or self.attic
        given = {"create_table": True, **options}
        return self.add_module(name, source=self.shop, query=query, dest=dest, table=table or name, **given)

    def add_person(self, name: str, role: Role = "admin") -> None:
        """Somebody with the password of tests."""
        if repo.find_user_by_name(self.db, name) is None:
            repo.create_user(self.db, name=name, password_hash=hash_password(PASSWORD), role=role)

    @staticmethod
    def wait(condition: Callable[[], bool]) -> bool:
        """Whether something comes true within the time a browser would wait for it."""
        return wait_until(condition, WAIT_MS / 1000)

    def close(self) -> None:
        if self._server is not None:
            stop(self._server)
        super().close()


class Desk:
    """A page of a browser; everything it asks for and complains about is kept."""

    def __init__(self, house: House, context: BrowserContext, looked: set[str], *, has_scripts: bool = True) -> None:
        self.house = house
        self.has_scripts = has_scripts
        self.context = context
        self.page: Page = context.new_page()
        self.page.set_default_timeout(WAIT_MS)
        self.page.set_default_navigation_timeout(WAIT_MS)
        self.complaints: list[str] = []
        self.foreign: list[str] = []
        self._looked = looked
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._hear)
        context.on("request", self._note)

    def _hear(self, message: ConsoleMessage) -> None:
        # A form with mistakes answers 422, which the browser tells as an error; what has no address is axe-core's own
        # doing: it tries styles that the policy refuses. Who leaves a page ends what it was still asking for.
        if message.text.startswith(("htmx:sendAbort", "htmx:afterRequest")):
            return
        if message.type == "error" and "status of 4" not in message.text and message.location["url"]:
            self.complaints.append(message.text)

    def _note(self, request: Request) -> None:
        if urlsplit(request.url).netloc != urlsplit(self.house.base).netloc and not request.url.startswith("data:"):
            self.foreign.append(request.url)

    def sit_down(self, name: str = "ana") -> None:
        """A session without the form."""
        self.house.add_person(name)
        value = repo.open_session(self.house.db, repo.get_user_by_name(self.house.db, name).id)
        self.context.add_cookies([{"name": COOKIE, "value": value, "url": self.house.base}])

    def log_in(self, name: str = "ana", password: str = PASSWORD) -> None:
        """Through the form, to the home page."""
        self.page.goto(f"{self.house.base}/login")
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_label("Password").fill(password)
        self.click("button", "Log in")
        self.expect_path("/$")

    def go(self, path: str) -> Page:
        """A page, scripts run."""
        self.page.goto(self.house.base + path)
        self.settle()
        return self.page

    def settle(self) -> None:
        """Waits until the page's scripts have run: before that a key or a button does not do what it will do."""
        self.page.wait_for_load_state("load")
        if self.has_scripts:
            self.page.wait_for_selector("html[data-ready]", state="attached")

    @contextmanager
    def next_page(self) -> Iterator[None]:
        """What is done in the block leads to another page, which is there afterwards."""
        with self.page.expect_navigation():
            yield
        self.settle()

    def click(self, role: Any, name: str) -> None:
        """A link or button by its words that leads to another page, and that page."""
        with self.next_page():
            self.press(role, name)

    def press(self, role: Any, name: str) -> None:
        """A link or button by its words that works in place."""
        self.page.get_by_role(role, name=name, exact=True).first.click()

    def expect_path(self, pattern: str) -> str:
        """Waits for an address, and returns its path."""
        self.page.wait_for_url(re.compile(re.escape(self.house.base) + pattern))
        self.settle()
        return urlsplit(self.page.url).path

    def see(self, text: str) -> None:
        """Waits until a text is on the page."""
        expect(self.page.locator("main")).to_contain_text(text)

    def look(self, name: str = "") -> None:
        """Asks axe-core for what is wrong with the page as it stands; a page of each kind once."""
        key = name or re.sub(r"\d+", "N", urlsplit(self.page.url).path)
        if key in self._looked or not AXE.exists():
            return
        self._looked.add(key)
        if self.page.evaluate("() => typeof axe") == "undefined":
            self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found = self.page.evaluate(_AXE_RUN)["violations"]
        bad = [
            f"{item['id']} ({item['impact']}): {node['html'][:160]} {node['failureSummary'][:300]}"
            for item in found
            if item["impact"] in ("serious", "critical")
            for node in item["nodes"][:3]
        ]
        assert bad == [], f"{key}:\n" + "\n".join(bad)

    # -- by keyboard ---------------------------------------------------------------------------------------------------

    def tab_to(self, label: str, most: int = 80) -> None:
        """Presses Tab until what has the focus is called so."""
        for _ in range(most):
            if self._focused() == label or (label.endswith("*") and self._focused().startswith(label[:-1])):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"Tab never comes to {label!r}; it stands on {self._focused()!r}")

    def _focused(self) -> str:
        """The name of what has the focus: its label, its aria-label, its text."""
        text: str = self.page.evaluate(
            """() => {
                const it = document.activeElement;
                const label = it.labels?.[0]?.querySelector("span") ?? it.labels?.[0];
                return (it.getAttribute("aria-label") ?? label?.textContent ?? it.textContent ?? "")
                    .trim().replace(/\\s+/g, " ");
            }"""
        )
        return text

    def type_over(self, text: str) -> None:
        """Replaces what stands in the field with the focus."""
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)

    def wait(self, condition: Callable[[], bool], what: str) -> None:
        """Waits for something that is no part of the page."""
        assert wait_until(condition, WAIT_MS / 1000), what
