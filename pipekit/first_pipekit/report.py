# What an import of the first Pipekit's state tells a person. Writes names of secrets, never values.
"""`build_report`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipekit.drivers import get_driver
from pipekit.errors import DriverUnknown
from pipekit.first_pipekit.reading import Reader


@dataclass(frozen=True, slots=True)
class Runs:
    """How many runs a file has a record of, and when the first and the last one started."""

    count: int = 0
    first: str = ""
    last: str = ""


def build_report(reader: Reader, runs: Runs, users: int, refused: Sequence[str]) -> str:
    """The report as text."""
    others = [f"{users} user{'' if users == 1 else 's'}: make them with `pipekit set-password NAME`"] if users else []
    sections = (
        ("Modules", _list_drafts(reader)),
        ("Groups", _list_groups(reader)),
        ("Connections", _list_connections(reader)),
        ("Drivers: register each that a connection needs", _list_drivers(reader)),
        ("Secrets: set each with `pipekit secrets set NAME`; no value was copied", _list_secrets(reader.secrets)),
        ("Runs", _list_runs(runs)),
        ("Left out, or changed", [*reader.lost, *others]),
        ("`pipekit apply` will refuse", refused),
    )
    lines: list[str] = []
    for title, items in sections:
        told = [f"  {item}" for item in items]
        if told:
            lines += [f"{title}:", *told, ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _list_drafts(reader: Reader) -> Iterator[str]:
    for name, draft in sorted(reader.drafts.items()):
        module = draft.module
        by = f" by {', '.join(module.merge_key)}" if module.merge_key else ""
        how = f"{module.merge_strategy}{by} from {module.source} into {module.dest} {module.dest_table}"
        yield f"{name}: {how}{'' if module.enabled else ', DISABLED'}"
        yield from (f"  problem: {text}" for text in draft.problems)
        yield from (f"  note: {text}" for text in draft.notes)


def _list_groups(reader: Reader) -> Iterator[str]:
    for name, group in sorted(reader.groups.items()):
        when = ", ".join(group.schedules) or "no schedule"
        members = sorted(group.members, key=lambda module: group.members[module])
        yield f"{name}: {', '.join(members) or 'no module'} ({when}){'' if group.enabled else ', disabled'}"


def _list_connections(reader: Reader) -> Iterator[str]:
    for name, found in sorted(reader.connections.items()):
        yield f"{name}: {found.driver}, {found.jdbc_url}"
        yield from (f"  note: {text}" for text in reader.connection_notes[name])


def _list_drivers(reader: Reader) -> Iterator[str]:
    for kind in sorted({found.driver for found in reader.connections.values()}):
        jar = reader.jars.get(kind, "")
        if _needs_jar(kind):
            yield f"{kind}: `pipekit drivers add --kind {kind} --jar {jar or 'FILE'}`"
        elif jar:
            yield f"{kind}: needs no jar here"


def _needs_jar(kind: str) -> bool:
    try:
        return get_driver(kind).needs_jar
    except DriverUnknown:  # what `pipekit apply` says of it stands below
        return False


def _list_secrets(secrets: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for name, used in sorted(secrets.items()):
        yield f"{name}: {', '.join(used)}"


def _list_runs(runs: Runs) -> Iterator[str]:
    if runs.count:
        yield f"{runs.count} from {runs.first} to {runs.last}: `--runs` keeps them, `pipekit runs archive` shows them"
