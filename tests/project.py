# An installation of Pipekit in a folder, for tests that run the real program on real databases.
"""`Project`: a home with connections and modules, run in this process or as a command."""

import json
import os
import sys
from pathlib import Path
from typing import Any

from pipekit import repo
from pipekit.config import load_config
from pipekit.engine import Installation, RunOptions, run_module
from pipekit.engine.events import Listener
from pipekit.models import Connection, Module, Run
from pipekit.runner.process import Finished, Program, run_program, start_program
from pipekit.secrets import Secrets
from tests.commands import run_here
from tests.patience import PATIENCE_S
from tests.states import new_state


class Project:
    """A Pipekit home with everything in it made by the test."""

    def __init__(self, folder: Path, **options: Any) -> None:
        """Options are those of `new_state`."""
        self.home = folder / ".pipekit"
        self.config = load_config({"PIPEKIT_HOME": str(self.home)})
        self.secrets = Secrets(self.config.secrets_path, {})
        self.db = new_state(self.config.state_path, **options)

    @property
    def installation(self) -> Installation:
        """What the engine's calls take, as it is now."""
        return Installation(db=self.db, config=self.config, secrets=self.secrets)

    def add_connection(self, name: str, jdbc_url: str, **options: Any) -> Connection:
        """A connection; its driver is read from the URL."""
        driver = jdbc_url.split(":")[1]
        return repo.create_connection(self.db, name=name, driver=driver, jdbc_url=jdbc_url, **options)

    def add_module(
        self, name: str, *, source: Connection, query: str, dest: Connection, table: str, **options: Any
    ) -> Module:
        """A module; options are those of `repo.create_module`, and `watermarks` and `hooks` as lists of fields."""
        watermarks, hooks = options.pop("watermarks", []), options.pop("hooks", [])
        module = repo.create_module(
            self.db, name=name, source_id=source.id, dest_id=dest.id, source_query=query, dest_table=table, **options
        )
        for fields in watermarks:
            repo.create_watermark(self.db, module_id=module.id, **fields)
        for fields in hooks:
            repo.create_hook(self.db, module_id=module.id, **fields)
        return module

    def run(self, module: Module, listener: Listener | None = None, **options: Any) -> Run:
        """Runs a module in this process."""
        return run_module(self.installation, module, RunOptions(**options), listener)

    def succeed(self, module: Module, **options: Any) -> Run:
        """Runs a module and insists on success."""
        run = self.run(module, **options)
        assert run.status == "success", f"{run.error_stage}: {run.error}"
        return run

    def get_run(self, run_id: int) -> Run:
        return repo.get_run(self.db, run_id)

    def last_run(self) -> Run:
        """The newest run there is."""
        return repo.list_runs(self.db, limit=1)[0]

    def read_log(self, run_id: int) -> str:
        return repo.read_live_log(self.db, run_id, limit=10_000_000)[0]

    def environment(self) -> dict[str, str]:
        """This process's environment with the project's home."""
        return {**os.environ, "PIPEKIT_HOME": str(self.home)}

    def cli(self, *words: str, input_text: str | None = None) -> Finished:
        """`pipekit WORDS...` to its end, in this process."""
        return run_here(words, env=self.environment(), input_text=input_text)

    def cli_apart(self, *words: str, timeout_s: float = PATIENCE_S, input_text: str | None = None) -> Finished:
        """`pipekit WORDS...` to its end, as a process."""
        return run_program(self._argv(words), timeout_s=timeout_s, env=self.environment(), input_text=input_text)

    def start_cli(self, *words: str, log_path: Path | None = None) -> Program:
        """`pipekit WORDS...` as a command that goes on."""
        return start_program(self._argv(words), env=self.environment(), log_path=log_path)

    def cli_json(self, *words: str) -> Any:
        """The document that `pipekit WORDS... --json` prints."""
        finished = self.cli(*words, "--json")
        return json.loads(finished.stdout)

    def _argv(self, words: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "pipekit", *words]

    def close(self) -> None:
        self.db.close()


def find_children(pid: int) -> list[int]:
    """The processes a process has started."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in text.split()]
