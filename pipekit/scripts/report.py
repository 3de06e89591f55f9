# What an import tells a person. Writes names and places of secrets, never values.
"""`build_report`."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipekit.definitions.records import GroupDef
from pipekit.drivers import get_driver
from pipekit.scripts.assemble import Draft
from pipekit.scripts.found import MARKER, Notes, Place
from pipekit.scripts.naming import Connections, SecretNames


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """Everything that a report is made of."""

    drafts: Mapping[str, Draft]
    connections: Connections
    secrets: SecretNames
    notes: Notes
    refused: Sequence[str]
    idle: Sequence[str]
    groups: Mapping[str, GroupDef]


def build_report(report: Report) -> str:
    """The report as text."""
    sections = (
        ("Modules", _list_drafts(report.drafts)),
        ("Groups", _list_groups(report.groups)),
        ("Connections", _list_connections(report.connections)),
        ("Secrets: set each with `pipekit secrets set NAME`; no value was copied", _list_secrets(report.secrets)),
        ("Taken to be so", (f"{place}: {text}" for place, text in report.notes.taken)),
        ("Not understood", (f"{place}: {text}" for place, text in report.notes.lines)),
        ("Scripts with SQL but no load by jrunner, left out", report.idle),
        ("`pipekit apply` will refuse", report.refused),
    )
    lines: list[str] = []
    for title, items in sections:
        told = [f"  {item}" for item in items]
        if told:
            lines += [f"{title}:", *told, ""]
    if not report.drafts:
        lines += ["No load by jrunner was found.", ""]
    return MARKER.sub("?", "\n".join(lines)).rstrip("\n") + "\n"


def _list_drafts(drafts: Mapping[str, Draft]) -> Iterator[str]:
    for name, draft in drafts.items():
        module = draft.module
        by = f" by {', '.join(module.merge_key)}" if module.merge_key else ""
        how = f"{module.merge_strategy}{by} into {module.dest_table}"
        yield f"{name}: {how} ({draft.place}){'' if module.enabled else ', DISABLED'}"
        yield from (f"  problem: {text}" for text in draft.problems)
        yield from (f"  question: {text}" for text in draft.questions)
        yield from (f"  note: {text}" for text in draft.notes)
        for mark in module.watermarks:
            default = "" if mark.default_value is None else f", default {mark.default_value}"
            yield f"  watermark {mark.name}: {' '.join(mark.resolver_sql.split())} on {mark.connection}{default}"


def _list_groups(groups: Mapping[str, GroupDef]) -> Iterator[str]:
    for name, group in groups.items():
        when = ", ".join(group.schedules) or "no schedule"
        yield f"{name}: {', '.join(group.members)} ({when})"


def _list_connections(connections: Connections) -> Iterator[str]:
    for name, found in connections.found.items():
        add = f"pipekit drivers add --kind {found.driver} --jar FILE"
        told = f" (needs its JDBC driver: {add})" if get_driver(found.driver).needs_jar else ""
        yield f"{name}: {found.driver}, {found.jdbc_url}{told}"


def _list_secrets(secrets: SecretNames) -> Iterator[str]:
    for name in sorted({*secrets.places, *secrets.missing}):
        places = [*sorted(secrets.places.get(name, ())), *sorted(secrets.missing.get(name, ()))]
        only_named = name not in secrets.places
        yield f"{name}: {_join(places)}{' (the scripts only name it)' if only_named else ''}"


def _join(places: Iterable[Place]) -> str:
    return ", ".join(str(place) for place in places)
