# Photographs the pages of a demo installation for the documents. Needs the test packages and Debian's Chromium.
"""`python tools/make_screenshots.py`: writes docs/img/{home,modules,run,wizard}.png."""

import random
import re
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from pipekit import repo
from pipekit.config import load_config
from pipekit.engine import Installation, run_module
from pipekit.http.auth import COOKIE
from pipekit.models import Module
from pipekit.passwords import hash_password
from pipekit.runner.process import start_program, wait_until
from pipekit.secrets import Secrets

OUT = Path(__file__).resolve().parents[1] / "docs" / "img"
CHROMIUM = Path("/usr/bin/chromium")
MOST_BYTES = 200_000
TABLES = {
    "orders": "incremental",
    "customers": "upsert",
    "invoices": "incremental",
    "stock": "full",
    "shipments": "append",
    "gl_balances": "incremental",
    "price_list": "full",
    "returns": "upsert",
}
SLOW = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 9000000) select i as id from n"


class Demo:
    """A home with two SQLite files, modules with a past of some weeks, a group with a schedule, and a person."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = load_config({"PIPEKIT_HOME": str(folder / ".pipekit")})
        self.secrets = Secrets(self.config.secrets_path, {})
        self.db = repo.open_state(self.config.state_path, create=True)
        (self.config.home / "config.yaml").write_text("port: 0\n")
        self._make_shop()
        self.shop = repo.create_connection(self.db, name="shop", driver="sqlite", jdbc_url="jdbc:sqlite:shop.db")
        self.dw = repo.create_connection(self.db, name="dw", driver="sqlite", jdbc_url="jdbc:sqlite:dw.db")
        self.modules = [self._add_module(name, strategy) for name, strategy in TABLES.items()]
        self.slow = self._add_module("ledger_lines", "full", SLOW)
        self._add_group()
        self.installation = Installation(db=self.db, config=self.config, secrets=self.secrets)
        for module in self.modules:
            run_module(self.installation, module)
        self._tell_past()
        self._break(self.modules[2])
        self.user = repo.create_user(self.db, name="ana", password_hash=hash_password("only for the pictures"))

    def _make_shop(self) -> None:
        dice = random.Random(4)
        with closing(sqlite3.connect(self.folder / "shop.db")) as db:
            for name in TABLES:
                columns = f"{name}_id integer primary key, customer text, amount decimal(12,2), day date"
                db.execute(f"create table {name} ({columns})")
                rows = [(f"Customer {dice.randint(1, 90)}", dice.randint(1, 90_000) / 100) for _ in range(3000)]
                db.executemany(f"insert into {name} (customer, amount, day) values (?, ?, '2026-01-31')", rows)
            db.commit()

    def _add_module(self, name: str, strategy: str, query: str = "") -> Module:
        return repo.create_module(
            self.db,
            name=name,
            source_id=self.shop.id,
            dest_id=self.dw.id,
            source_query=query or f"select * from {name}",
            dest_table=name,
            merge_strategy=strategy,
            merge_key=f"{name}_id" if strategy in ("incremental", "upsert") else None,
            create_table=True,
        )

    def _add_group(self) -> None:
        group = repo.create_group(self.db, name="nightly")
        for place, module in enumerate(self.modules, 1):
            repo.create_member(self.db, group_id=group.id, module_id=module.id, run_order=place)
        repo.create_schedule(self.db, group_id=group.id, cron="0 4 * * *")

    def _tell_past(self) -> None:
        """Some weeks of runs, as a server would have left them behind."""
        dice = random.Random(7)
        now = datetime.now(UTC)
        with repo.transaction(self.db):
            for day in range(30, 0, -1):
                for place, module in enumerate(self.modules):
                    start = now - timedelta(days=day) + timedelta(hours=place * 3 - 1, seconds=dice.random() * 900)
                    took_s = 4 + place * 3 + dice.random() * 6
                    rows = 40_000 + place * 25_000 + dice.randint(0, 6000)
                    self._tell_run(module, start, took_s, rows, failed=dice.random() < 0.02)

    def _tell_run(self, module: Module, start: datetime, took_s: float, rows: int, *, failed: bool) -> None:
        values = {
            "run_key": f"demo-{module.id}-{start:%Y%m%dT%H%M%S}",
            "module_id": module.id,
            "module": module.name,
            "triggered_by": "schedule:1",
            "status": "error" if failed else "success",
            "started_at": _format(start),
            "finished_at": _format(start + timedelta(seconds=took_s)),
            "rows_read": rows,
            "rows_staged": rows,
            "rows_inserted": 0 if failed else rows,
            "merge_state": "none" if failed else "merged",
        }
        self.db.insert("run_log", values)

    def _break(self, module: Module) -> None:
        repo.update_module(self.db, module.id, source_query="select invoices_id, customer, amonut, day from invoices")
        run_module(self.installation, repo.get_module(self.db, module.id))

    def start_slow_run(self) -> int:
        """A run that goes on for some seconds."""
        return repo.enqueue_run(self.db, self.slow.id, triggered_by="user:ana").id


def _format(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


@contextmanager
def serve(demo: Demo) -> Iterator[str]:
    """A server of the demo; gives the address of its pages."""
    log = demo.folder / "serve.log"
    argv = [sys.executable, "-m", "pipekit", "--home", str(demo.config.home), "serve"]
    server = start_program(argv, log_path=log)
    try:
        if not wait_until(lambda: "pages on http" in log.read_text(), 30):
            raise SystemExit(f"the server does not start:\n{log.read_text()}")
        found = re.search(r"pages on (http://\S+)", log.read_text())
        assert found
        yield found[1]
    finally:
        server.stop(10)


def photograph(demo: Demo, base: str, page: Page) -> None:
    """The four pictures."""
    page.goto(f"{base}/modules")
    _take(page, "modules")
    page.goto(f"{base}/wizard/columns?source_id={demo.shop.id}&schema=main&table=orders")
    page.get_by_role("button", name="Next: the dest").click()
    page.get_by_label("Table", exact=True).fill("sales_orders")
    page.get_by_label("Module name").fill("sales_orders")
    page.get_by_role("radio", name="incremental").check()
    page.evaluate("() => scrollTo(0, 0)")
    page.mouse.move(0, 0)
    _take(page, "wizard")
    run_id = demo.start_slow_run()
    page.goto(f"{base}/runs/{run_id}")
    page.wait_for_selector("#run-live .status-running", timeout=15_000)
    page.wait_for_timeout(4500)
    _take(page, "run")
    page.goto(f"{base}/")
    _take(page, "home")
    repo.request_cancel(demo.db, run_id)


def _take(page: Page, name: str) -> None:
    page.wait_for_load_state("networkidle")
    path = OUT / f"{name}.png"
    page.screenshot(path=path)
    size = path.stat().st_size
    print(f"{path.relative_to(OUT.parents[1])}  {size // 1024} KB")
    if size > MOST_BYTES:
        raise SystemExit(f"{path} is larger than {MOST_BYTES:,} bytes")


def main() -> int:
    """Makes the demo, serves it, takes the pictures."""
    if not CHROMIUM.exists():
        raise SystemExit(f"{CHROMIUM} is needed: apt-get install chromium")
    OUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        demo = Demo(Path(folder))
        with serve(demo) as base, sync_playwright() as playwright:
            arguments = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
            browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=arguments)
            context = browser.new_context(viewport={"width": 1280, "height": 800})
            value = repo.open_session(demo.db, demo.user.id)
            context.add_cookies([{"name": COOKIE, "value": value, "url": base}])
            photograph(demo, base, context.new_page())
            browser.close()
        demo.db.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
