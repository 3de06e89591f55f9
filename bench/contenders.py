# The ways of moving a table that are compared, as commands. Knows nothing of measuring.
"""Each is one shell command: start-up, moving and committing all count."""

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.data import TABLE
from bench.race import Contender
from bench.servers import DATABASE, Servers, psql_command

PIPE, STAGED_PIPE, STAGED_BINARY, PIPEKIT = "pipe", "staged pipe", "staged pipe, binary", "pipekit run"
BINARY = "(format binary)"

_DEFINITION = """
connections:
  source: {{driver: postgresql, jdbc_url: "{source}", username: postgres}}
  dest:   {{driver: postgresql, jdbc_url: "{dest}", username: postgres}}
{connections}
modules:
{modules}
"""


def build_definition(servers: Servers, modules: Sequence[str], *, connections: str = "", groups: str = "") -> str:
    """A definition file with both servers, perhaps more connections, modules, perhaps groups."""
    urls = {"source": servers.source.jdbc_url(DATABASE), "dest": servers.dest.jdbc_url(DATABASE)}
    return _DEFINITION.format(**urls, connections=connections, modules="\n".join(modules)) + groups


def build_module(name: str, query: str, table: str, *, strategy: str = "full", more: str = "") -> str:
    """A module's line; `more` is further fields, and may say `source` and `dest` again."""
    where = "" if "source:" in more else "source: source, "
    where += "" if "dest:" in more else "dest: dest, "
    return f'  {name}: {{{where}query: "{query}", table: "{table}", strategy: {strategy}{more and ", "}{more}}}'


def build_pipekit_run(home: Path, module: str, *, name: str = PIPEKIT, dest: str = TABLE) -> Contender:
    """`pipekit run MODULE --json` with the state in `home`."""
    argv = [pipekit_path(), "run", module, "--json"]
    what = "`pipekit run`: all checks, one transaction, ledger, record"
    return Contender(name=name, what=what, argv=argv, env=build_environment(home), dest=dest)


def pipekit_path() -> str:
    """The command that came with this interpreter's environment."""
    return str(Path(sys.executable).with_name("pipekit"))


def build_environment(home: Path) -> dict[str, str]:
    """Our own environment with `home` as Pipekit's, and Python's caches, which an installation has, switched on."""
    return {**os.environ, "PIPEKIT_HOME": str(home), "PYTHONDONTWRITEBYTECODE": ""}


def build_pipe(
    servers: Servers, table: str = TABLE, *, dest: str = "", form: str = "", database: str = DATABASE
) -> list[str]:
    """psql's COPY from the source's table straight into the dest's, of the same name unless said otherwise."""
    out = psql_command(servers.source, "-c", f"copy {table} to stdout {form}")
    into = psql_command(servers.dest, "-c", f"copy {dest or table} from stdin {form}", database=database)
    return ["sh", "-c", f"{shlex.join(out)} | {shlex.join(into)}"]


def build_staged_pipe(
    servers: Servers,
    table: str = TABLE,
    *,
    dest: str = "",
    form: str = "",
    merge: str = "",
    database: str = DATABASE,
) -> list[str]:
    """The same into an unlogged table named `staging`, and from there into the dest by `merge` in one transaction.

    `merge` are statements; without it the dest is emptied and filled.
    """
    dest = dest or table
    out = psql_command(servers.source, "-c", f"copy {table} to stdout {form}")
    create = f"create unlogged table staging (like {dest}) with (autovacuum_enabled = false)"
    merge = merge or f"truncate {dest}; insert into {dest} select * from staging"
    into = psql_command(
        servers.dest,
        *("-c", f"drop table if exists staging; {create}", "-c", f"copy staging from stdin {form}"),
        *("-c", f"begin; {merge}; commit; drop table staging"),
        database=database,
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
