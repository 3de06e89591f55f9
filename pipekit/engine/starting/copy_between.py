# A state for one copy between two addresses that no installation knows. Knows the engine's calls, no command line.
"""`copy_between`: `copy_query` for somebody who has two URLs and nothing else; nothing of it is kept."""

import os
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from pipekit import repo
from pipekit.config import Config
from pipekit.drivers.base import Driver
from pipekit.drivers.sqltext import strip_query
from pipekit.engine.events import Listener
from pipekit.engine.installation import Installation
from pipekit.engine.recovering.owner import get_process_liveness, name_process
from pipekit.engine.starting.copy_query import CopySpec, copy_query
from pipekit.engine.starting.module import RunOptions
from pipekit.errors import Invalid
from pipekit.models import Connection, DriverRegistration, Guards, Run
from pipekit.runner_contract import ResultColumn
from pipekit.secrets import Secrets

# jrunner empties the dest and inserts nothing when the query gives nothing.
_GUARDS = Guards(empty_source=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Site:
    """A database by its address. The password is the value itself, held in memory only."""

    kind: str
    jdbc_url: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    def build_connection(self, name: str) -> Connection:
        """The connection of this name; `build_secrets` resolves its password."""
        return Connection(
            id=0,
            name=name,
            driver=self.kind,
            jdbc_url=self.jdbc_url,
            username=self.username,
            password=None if self.password is None else f"${_secret_name(name)}",
        )


def _secret_name(name: str) -> str:
    return f"PASSWORD_OF_{name.upper()}"


def build_secrets(folder: Path, **sites: Site) -> Secrets:
    """Secrets that hold the sites' passwords; no file and no environment variable is involved."""
    values = {_secret_name(name): site.password for name, site in sites.items() if site.password is not None}
    return Secrets(folder / "secrets.env", values)


@dataclass(frozen=True, kw_only=True, slots=True)
class Copy:
    """What to load into which table by position, after emptying it (`clear`) or not; `exact` as a module's guard."""

    source: Site
    query: str
    dest: Site
    table: str
    clear: bool = False
    exact: bool = True
    trim_char: bool = False


def copy_between(
    config: Config, copy: Copy, registered: Sequence[DriverRegistration] = (), listener: Listener | None = None
) -> Run:
    """Runs the copy and returns its record, whatever the outcome. `registered` are the drivers that may be used."""
    remove_dead_folders(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=f"pipekit-{name_process()}-") as folder:
        config = replace(config, runner="native", state_path=Path(folder, "pipekit.db"))
        secrets = build_secrets(Path(folder), source=copy.source, dest=copy.dest)
        with closing(repo.open_state(config.state_path, create=True)) as db:
            # So that whoever finds its staging table can tell whether it lives.
            repo.set_instance_id(db, name_process())
            for driver in registered:
                repo.register_driver(db, **asdict(driver))
            spec = CopySpec(
                source=_create(db, "source", copy.source),
                query=copy.query,
                dest=_create(db, "dest", copy.dest),
                table=copy.table,
                strategy="full" if copy.clear else "append",
                create_table=False,
                match="position",
                guards=replace(_GUARDS, exactness=copy.exact),
                trim_char=copy.trim_char,
            )
            installation = Installation(db=db, config=config, secrets=secrets)
            return copy_query(installation, spec, RunOptions(triggered_by="jrunner"), listener)


def remove_dead_folders(parent: Path) -> None:
    """States that copies of this user have left when they were killed; what cannot be removed stays."""
    for path in parent.glob("pipekit-process-*"):
        process = path.name.removeprefix("pipekit-").rpartition("-")[0]
        with suppress(OSError):
            if get_process_liveness(process) == "dead" and path.lstat().st_uid == os.getuid():
                shutil.rmtree(path)


def _create(db: repo.State, name: str, site: Site) -> Connection:
    made = site.build_connection(name)
    return repo.create_connection(
        db,
        name=name,
        driver=made.driver,
        jdbc_url=made.jdbc_url,
        username=made.username,
        password=made.password,
    )


def build_trimmed_sql(driver: Driver, columns: Sequence[ResultColumn], sql: str) -> str:
    """The query with the blanks around its text columns taken away. Raises Invalid for columns without usable names."""
    names = [column.name for column in columns]
    if len(set(names)) < len(names) or "" in names:
        raise Invalid("Trimming needs a name of its own for each column.", field="query", hint="Use AS to name them.")
    chosen = ",\n  ".join(_build_trimmed(driver, column) for column in columns)
    return f"SELECT\n  {chosen}\nFROM (\n{strip_query(sql)}\n) AS pipekit_query"


def _build_trimmed(driver: Driver, column: ResultColumn) -> str:
    name = driver.quote_identifier(column.name)
    return f"{driver.build_trimmed(column, f'pipekit_query.{name}')} AS {name}"
