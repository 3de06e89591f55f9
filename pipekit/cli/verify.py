# The command that holds a module's dest against its source. Knows the engine's calls, nothing of how rows are compared.
"""`pipekit verify`."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from pipekit.cli.options import complete_module, json_option
from pipekit.cli.run import parse_watermarks, print_receipt, terminate_like_interrupt
from pipekit.cli.session import Session
from pipekit.cli.text import clean_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipekit.engine.events import Event, Listener
    from pipekit.models import Difference, Module, Run, Verified

SHOWN = 20


@click.command(short_help="Compare a module's dest with its source, value by value.")
@click.argument("modules", metavar="MODULE...", nargs=-1, required=True, shell_complete=complete_module)
@click.option("--repair", is_flag=True, help="Write what is missing, extra or differs into the dest, and look again.")
@click.option("--key-from", metavar="VALUE", help="Only rows from this value of the key's first column on.")
@click.option("--key-to", metavar="VALUE", help="Only rows up to this value of it.")
@click.option("--last-days", metavar="N", type=click.IntRange(1, 100_000), help="Only rows of the last N days.")
@click.option("--column", metavar="NAME", help="The dest column that --last-days counts in.")
@click.option(
    "--sample", metavar="PERCENT", type=click.FloatRange(0, 100, min_open=True), help="Only so many of the rows."
)
@click.option(
    "watermarks", "--watermark", multiple=True, metavar="NAME=VALUE", help="Use this value for a watermark; repeatable."
)
@click.option("-q", "--quiet", is_flag=True, help="Print nothing unless something differs.")
@json_option
@click.pass_obj
def verify(session: Session, /, modules: tuple[str, ...], quiet: bool, as_json: bool, **given: Any) -> int:
    """Compare what the queries of MODULEs give with what their dests hold, value by value.

    Each is a run in the record. `full` compares all rows both ways; where the strategy leaves rows in the dest, those
    the query gives with the watermarks' defaults are looked for, and others are told and are no difference. The exit
    code is 0 when all are equal, 1 when something differs or a run failed, 3 when a run of a module is alive.
    """
    from pipekit.models import Verify
    from pipekit.runner.ahead import Ahead

    if (given["last_days"] is None) != (given["column"] is None):
        raise click.UsageError("--last-days and --column go together.")
    values = parse_watermarks(given.pop("watermarks"))
    with Ahead() as ahead:
        from pipekit import repo
        from pipekit.engine import RunOptions, run_module

        db = session.db()
        found = [repo.get_module_by_name(db, name) for name in modules]
        ahead.load([repo.get_connection(db, each).driver for each in (found[0].source_id, found[0].dest_id)])
        session.only_tell()
        options = RunOptions(watermarks=values, triggered_by="cli", verify=Verify(**given))

        def start(module: "Module", listen: "Listener") -> "Run":
            return run_module(session.installation(ahead), module, options, listen)

        results = [_run(session, module.name, partial(start, module), quiet=quiet or as_json) for module in found]
    if as_json:
        answers = [result.to_json() for result in results]
        session.say_json(answers[0] if len(answers) == 1 else answers)
    else:
        for result in results:
            _print(session, result, quiet)
    return int(not all(result.is_equal for result in results))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Result:
    """A run that compared, and what it found with its values, first and last: a repair is looked at again."""

    run: "Run"
    seen: "list[Verified]"

    @property
    def is_equal(self) -> bool:
        """Whether the dest was seen to be equal."""
        return self.run.status == "success" and bool(self.seen) and self.seen[-1].equal

    def to_json(self) -> dict[str, Any]:
        """The answer of `--json`."""
        answer: dict[str, Any] = {"module": self.run.module, "run_id": self.run.id, "status": self.run.status}
        answer |= self.seen[-1].to_json() if self.seen else {"equal": False}
        return answer | {"error": self.run.error, "hint": self.run.hint}


def _run(session: Session, name: str, start: "Callable[[Listener], Run]", *, quiet: bool) -> _Result:
    from pipekit.cli.progress import show_progress
    from pipekit.engine.events import RowsCompared

    seen: list[Verified] = []

    def listen(event: "Event") -> None:
        if isinstance(event, RowsCompared):
            seen.append(event.found)
        elif listener:
            listener(event)

    with terminate_like_interrupt(), show_progress(session.tell, name, quiet=quiet) as listener:
        run = start(listen)
    return _Result(run=run, seen=seen)


def _print(session: Session, result: _Result, quiet: bool) -> None:
    if result.is_equal and quiet:
        return
    print_receipt(session, result.run)
    for difference in result.seen[0].examples[:SHOWN] if result.seen else ():
        session.say(f"  {clean_line(_describe(difference))}")


def _describe(difference: "Difference") -> str:
    """`differing id = 7: amount is 1.00 in the source, 1.01 in the dest`."""
    key = ", ".join(f"{name} = {_show(value)}" for name, value in difference.key.items())
    sides = "; ".join(
        f"{name} is {_show(one)} in the source, {_show(two)} in the dest"
        for name, (one, two) in zip(difference.columns, difference.values, strict=True)
    )
    return f"{difference.kind} {key}{': ' if sides else ''}{sides}"


def _show(value: str | None) -> str:
    return "NULL" if value is None else repr(value)
