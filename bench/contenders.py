# The ways of moving a table that are compared. Knows nothing of measuring.
"""Each contender is one shell command: start-up, moving and committing all count."""

import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.data import TABLE
from bench.measure import measure
from bench.servers import DATABASE, Servers, psql_command

PIPE, STAGED_PIPE, STAGED_BINARY, PIPEKIT = "pipe", "staged pipe", "staged pipe, binary", "pipekit run"

DEFINITION = """
connections:
  source: {{driver: postgresql, jdbc_url: "{source}", username: postgres}}
  dest:   {{driver: postgresql, jdbc_url: "{dest}", username: postgres}}
modules:
"""
MODULE = """
  {name}:
    {{source: source, query: "{query}", dest: dest, table: "public.{table}", strategy: full}}
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Contender:
    """A named command that fills the dest's table from the source's."""

    name: str
    what: str
    argv: list[str]
    env: Mapping[str, str] | None = field(default=None)


def list_contenders(servers: Servers, home: Path) -> list[Contender]:
    """The pipe that is the limit, the same with staging by hand, and Pipekit."""
    return [
        Contender(name=PIPE, what="psql copy out | psql copy in, straight into the dest", argv=build_pipe(servers)),
        Contender(
            name=STAGED_PIPE,
            what="the same into an unlogged table, then truncate and insert in one transaction",
            argv=build_staged_pipe(servers),
        ),
        Contender(
            name=STAGED_BINARY,
            what="the same in COPY's binary form, which is safe only between equal types",
            argv=build_staged_pipe(servers, form="(format binary)"),
        ),
        build_pipekit_run(home, TABLE),
    ]


def build_pipekit_run(home: Path, module: str) -> Contender:
    """`pipekit run MODULE --json` with the state in `home`."""
    argv = [pipekit_path(), "run", module, "--json"]
    return Contender(name=PIPEKIT, what="a `full` run, guards and all", argv=argv, env=build_environment(home))


def apply_modules(servers: Servers, home: Path, modules: Mapping[str, tuple[str, str]]) -> None:
    """Makes a fresh Pipekit home with these modules: name -> (query, dest table)."""
    home.mkdir(parents=True)
    text = DEFINITION.format(source=servers.source.jdbc_url(DATABASE), dest=servers.dest.jdbc_url(DATABASE))
    for name, (query, table) in modules.items():
        text += MODULE.format(name=name, query=query, table=table)
    path = home / "bench.yaml"
    path.write_text(text)
    for arguments in (["init"], ["apply", str(path)]):
        measure([pipekit_path(), *arguments], cwd=home.parent, env=build_environment(home))


def pipekit_path() -> str:
    """The command that came with this interpreter's environment."""
    return str(Path(sys.executable).with_name("pipekit"))


def build_environment(home: Path) -> dict[str, str]:
    """Our own environment with `home` as Pipekit's."""
    return {**os.environ, "PIPEKIT_HOME": str(home)}


def build_pipe(servers: Servers, table: str = TABLE) -> list[str]:
    """psql's COPY as text from the source's table straight into the dest's of the same name."""
    out = psql_command(servers.source, "-c", f"copy {table} to stdout")
    into = psql_command(servers.dest, "-c", f"copy {table} from stdin")
    return ["sh", "-c", f"{shlex.join(out)} | {shlex.join(into)}"]


def build_staged_pipe(servers: Servers, table: str = TABLE, *, form: str = "") -> list[str]:
    """The same into an unlogged table, and from there into the dest's emptied table in one transaction."""
    out = psql_command(servers.source, "-c", f"copy {table} to stdout {form}")
    create = f"create unlogged table staging (like {table}) with (autovacuum_enabled = false)"
    into = psql_command(
        servers.dest,
        *("-c", f"drop table if exists staging; {create}", "-c", f"copy staging from stdin {form}"),
        *("-c", f"begin; truncate {table}; insert into {table} select * from staging; commit; drop table staging"),
    )
    return ["sh", "-c", f"{shlex.join(out)} | {shlex.join(into)}"]


def build_stepwise_script(servers: Servers, table: str, psql: str = "") -> str:
    """The staged pipe as scripts have it, a psql for each step; `psql` is another program than the server's own."""
    steps = (
        f"drop table if exists staging; create unlogged table staging (like {table})",
        "copy staging from stdin",
        f"begin; truncate {table}; insert into {table} select * from staging; commit; drop table staging",
    )
    out = psql_command(servers.source, "-c", f"copy {table} to stdout")
    make, load, merge = (psql_command(servers.dest, "-c", step) for step in steps)
    for argv in (out, make, load, merge):
        argv[0] = psql or argv[0]
    return f"{shlex.join(make)}\n{shlex.join(out)} | {shlex.join(load)}\n{shlex.join(merge)}"
