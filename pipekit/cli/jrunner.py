# jrunner's own command line, on Pipekit's runner. Knows its flags and what it prints; nothing of how rows move.
"""`pipekit jrunner`: an old script works by changing one word."""

import re
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipekit.cli.run import terminate_like_interrupt
from pipekit.cli.session import Session
from pipekit.errors import DriverUnknown, Invalid, NotFound

if TYPE_CHECKING:
    from pipekit.config import Config
    from pipekit.drivers.base import Driver
    from pipekit.engine.events import Event
    from pipekit.engine.starting.copy_between import Site
    from pipekit.models import DriverRegistration, Run
    from pipekit.runner_contract import QueryResult
    from pipekit.secrets import Secrets

# How a value that does not fit is told: the switch of modules for it is a flag here. A NULL is no such value.
_NAMES_A_ROW = re.compile(r"(?!.*\bnull\b).*\brow [0-9]+", re.IGNORECASE | re.DOTALL)
_SEVERAL_HINT = "Give each how its addresses begin: `pipekit drivers add ... --url-template`."
_INEXACT_HINT = "Widen the dest column or cast in the query; --inexact would let the dest change such values."
_TSV = str.maketrans({"\t": "\\t", "\n": "\\n", "\r": "\\r"})


@click.command(short_help="Take jrunner's own flags: print a query's rows, or load them into a table.")
@click.option("scu", "-scu", metavar="URL", required=True, help="The source's JDBC URL.")
@click.option("scn", "-scn", metavar="NAME", help="The source's username.")
@click.option("scp", "-scp", metavar="PASSWORD", help="The source's password; $NAME is a secret of that name.")
@click.option("--scp-file", type=click.Path(exists=True), help="Read the source's password from a file's first line.")
@click.option("dcu", "-dcu", metavar="URL", help="The dest's JDBC URL; without it the rows are printed.")
@click.option("dcn", "-dcn", metavar="NAME", help="The dest's username.")
@click.option("dcp", "-dcp", metavar="PASSWORD", help="The dest's password; $NAME is a secret of that name.")
@click.option("--dcp-file", type=click.Path(exists=True), help="Read the dest's password from a file's first line.")
@click.option("sq", "-sq", metavar="FILE", required=True, type=click.Path(exists=True), help="The query's file.")
@click.option("dt", "-dt", metavar="TABLE", help="The dest table.")
@click.option("trim", "-t", is_flag=True, help="Take the blanks around text away.")
@click.option("clear", "-c", is_flag=True, help="Clear the dest table first.")
@click.option(
    "form", "-f", type=click.Choice(["csv", "tsv"], case_sensitive=False), default="csv", show_default=True,
    help="How rows are printed.",
)  # fmt: skip
@click.option("bulk", "-b", is_flag=True, help="Load in bulk; Pipekit always does, so it changes nothing.")
@click.option("--inexact", is_flag=True, help="Let the dest convert values that it cannot hold exactly.")
@click.pass_obj
def jrunner(session: Session, /, **options: Any) -> int:
    """Do what jrunner does with the same flags, so that an old script works by changing one word.

    Without -dcu and -dt the query's rows are printed, and nothing else. With them the rows are loaded into the table by
    position: a row counter as it goes, then the row count and the times. The load is one transaction; when it fails,
    the table is as it was.

    A password given with -scp or -dcp is taken off the process's command line at once, where Linux allows it, but a
    shell's history and other copies keep it: name a secret ('$NAME', in quotes), or use --scp-file and --dcp-file.
    """
    config = replace(session.config(), base_dir=Path.cwd(), runner="native", any_file=True)
    registered = _list_registered(config)
    source = _find_site(session, registered, "s", options)
    query = _read_query(Path(options["sq"]))
    if (options["dcu"] is None) != (options["dt"] is None):
        raise click.UsageError("A load needs both -dcu and -dt; to print rows, leave both away.")
    if options["dcu"] is None:
        _print_rows(config, source, query, options)
        return 0
    dest = _find_site(session, registered, "d", options)
    _check_file(dest)
    return _load(session, config, registered, source, dest, query, options)


# -- what the flags say ------------------------------------------------------------------------------------------------


def _list_registered(config: "Config") -> "list[DriverRegistration]":
    """The drivers that this installation has registered; none where there is no installation."""
    from pipekit import repo

    if not config.state_path.exists():
        return []
    db = repo.open_state(config.state_path)
    try:
        return repo.list_driver_registrations(db)
    finally:
        db.close()


def _find_site(
    session: Session, registered: "list[DriverRegistration]", side: str, options: Mapping[str, Any]
) -> "Site":
    from pipekit.drivers import DRIVERS, get_driver
    from pipekit.drivers.jdbc.urls import get_fixed_part
    from pipekit.drivers.urls import list_kinds, split_login
    from pipekit.engine.starting.copy_between import Site

    given = options[f"{side}cu"]
    login = split_login(given)
    templates = {driver.kind: driver.url_template or "" for driver in registered if driver.jar}
    shown = f"the URL given with -{side}cu ({':'.join(given.split(':')[:2])}:...)"
    kinds = list_kinds(given, {kind: get_fixed_part(template) for kind, template in templates.items()})
    if len(kinds) > 1:
        raise Invalid(f"Several kinds are registered for {shown}: {', '.join(kinds)}.", hint=_SEVERAL_HINT)
    if not kinds or kinds[0] not in {*DRIVERS, *(driver.kind for driver in registered)}:
        raise DriverUnknown(f"There is no driver for {shown}.", hint=f"Kinds: {', '.join(sorted(DRIVERS))}.")
    kind = kinds[0]
    jdbc_url = _check_url(session, f"-{side}cu", get_driver(kind), login.jdbc_url, templates.get(kind, ""))
    password = options[f"{side}cp"]
    if options[f"{side}cp_file"]:
        password = _read_password(Path(options[f"{side}cp_file"]))
    elif password is not None:
        password = _resolve(session.secrets(), password)
    return Site(
        kind=kind,
        jdbc_url=jdbc_url,
        username=options[f"{side}cn"] or login.username,
        password=password if password is not None else login.password,
    )


def _check_url(session: Session, flag: str, driver: "Driver", jdbc_url: str, template: str) -> str:
    """The address as its kind takes it, the name of a file whole; what concerns the JDBC driver alone is told.

    Raises Invalid: a wrong address is a wrong flag, whether rows are printed or loaded.
    """
    from pipekit.drivers.urls import place_file

    if driver.needs_jar:
        jdbc_url = place_file(jdbc_url, str(Path.cwd()))
    driver.parse_url(jdbc_url)
    if template:
        driver.check_template(jdbc_url, template)
    for name in driver.list_unused(jdbc_url):
        session.tell(f"Note: '{name}' of {flag} concerns its JDBC driver alone and is left out.")
    return jdbc_url


def _check_file(dest: "Site") -> None:
    """A load fills a table that is there; SQLite would make an empty file of a name that is mistyped."""
    from pipekit.drivers import get_driver

    path = get_driver("sqlite").parse_url(dest.jdbc_url).database if dest.kind == "sqlite" else ""
    if path and not Path(path).exists():
        raise NotFound(
            f"There is no file {path}.", hint="The dest's table must be there before a load; nothing was made."
        )


def _resolve(secrets: "Secrets", given: str) -> str:
    """The value of `$NAME` where there is such a secret; any other text is the password itself, as jrunner takes it."""
    from pipekit.errors import SecretMissing

    try:
        return secrets.resolve(given, by_caller=True) or ""
    except (Invalid, SecretMissing):
        return given


def _read_password(path: Path) -> str:
    return _read(path).split("\n")[0].removesuffix("\r")


def _read_query(path: Path) -> str:
    from pipekit.drivers.sqltext import strip_query

    return strip_query(_read(path))


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise Invalid(f"{path} is not UTF-8 text.") from error


# -- query mode --------------------------------------------------------------------------------------------------------


def _print_rows(config: "Config", source: "Site", query: str, options: Mapping[str, Any]) -> None:
    from pipekit.cli.rows import write_csv
    from pipekit.drivers import get_driver
    from pipekit.engine import open_look
    from pipekit.engine.starting.copy_between import build_secrets

    by_reading = options["trim"] and not get_driver(source.kind).trims_by_sql
    if options["trim"] and not by_reading:
        query = _trim(config, source, query)
    secrets = build_secrets(config.home / "none", source=source)
    with open_look(config, secrets, source.build_connection("source")) as look:
        blocks = look.runner.stream(replace(look.endpoint, trim_char=by_reading), query)
        if options["form"] == "csv":
            write_csv(blocks, Session())
        else:
            _write_tsv(blocks)


def _trim(config: "Config", source: "Site", query: str) -> str:
    """The query with its text trimmed; its columns have to be looked up for that."""
    from pipekit.engine import open_look
    from pipekit.engine.starting.copy_between import build_secrets, build_trimmed_sql

    secrets = build_secrets(config.home / "none", source=source)
    with open_look(config, secrets, source.build_connection("source")) as look:
        return build_trimmed_sql(look.driver, look.driver.introspect_query_columns(look.query, query), query)


def _write_tsv(blocks: "Iterable[QueryResult]") -> None:
    """NULL is an empty field; only what would break a line is escaped."""
    for number, block in enumerate(blocks):
        lines = [[column.name for column in block.columns]] if number == 0 else []
        lines += [[cell or "" for cell in row] for row in block.rows]
        sys.stdout.writelines("\t".join(cell.translate(_TSV) for cell in line) + "\n" for line in lines)


# -- migration mode ----------------------------------------------------------------------------------------------------


def _load(
    session: Session,
    config: "Config",
    registered: "list[DriverRegistration]",
    source: "Site",
    dest: "Site",
    query: str,
    options: Mapping[str, Any],
) -> int:
    from pipekit.drivers import get_driver
    from pipekit.engine.starting.copy_between import Copy, copy_between

    session.only_tell()
    started = time.monotonic()
    by_reading = options["trim"] and not get_driver(source.kind).trims_by_sql
    if options["trim"] and not by_reading:
        query = _trim(config, source, query)
    copy = Copy(
        trim_char=by_reading,
        source=source,
        query=query,
        dest=dest,
        table=options["dt"],
        clear=options["clear"],
        exact=not options["inexact"],
    )
    with terminate_like_interrupt():
        run = copy_between(config, copy, registered, _print_counter)
    if run.status != "success":
        session.tell_error(run.error or f"The load ended as {run.status}.")
        if hint := _find_hint(run):
            session.tell_hint(hint)
        return 1
    _print_end(run, time.monotonic() - started)
    return 0


def _find_hint(run: "Run") -> str:
    """What mends it for who has no module, and so none of its switches but one."""
    if run.error_stage in ("stage", "check") and _NAMES_A_ROW.match(run.error or ""):
        return _INEXACT_HINT
    hint = run.hint or ""
    return f"Of a module this would be said: {hint}" if "module" in hint else hint


def _print_counter(event: "Event") -> None:
    """One counter over the other on a terminal, one a line elsewhere."""
    from pipekit.engine.events import RowsMoved

    if isinstance(event, RowsMoved):
        sys.stdout.write(f"\r{event.rows}" if sys.stdout.isatty() else f"{event.rows}\n")
        sys.stdout.flush()


def _print_end(run: "Run", spent_s: float) -> None:
    if sys.stdout.isatty():
        sys.stdout.write("\n")
    click.echo(f"{run.rows_inserted} rows")
    click.echo(f"start    {run.started_at}")
    click.echo(f"end      {run.finished_at}")
    click.echo(f"elapsed  {spent_s:.3f} s")
