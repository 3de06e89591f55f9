# A definition file's text -> checked records. Knows names, references and what a module needs; not the state database.
"""`parse_definitions`: YAML text in, `Definitions` out, or every problem of the file at once."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipekit.cron import check_cron, expand_cron
from pipekit.definitions.modules import ModuleReader
from pipekit.definitions.problems import DefinitionErrors, Problems
from pipekit.definitions.read import Read, read_object
from pipekit.definitions.records import (
    ConnectionDef,
    Definitions,
    GroupDef,
    ModuleDef,
    ScheduleDef,
    build_spelling,
    find_spelling,
    fold_name,
)
from pipekit.definitions.tree import read_tree
from pipekit.drivers import DRIVERS, get_driver
from pipekit.engine.embedded import check_registered_url
from pipekit.errors import PipekitError
from pipekit.models import MODULE_NAME, RESERVED_MODULE_NAMES, DriverRegistration, GroupFields

MAX_NAME = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What a file may refer to without defining it: name of a connection -> its driver, and names of modules.

    `registered` are the kinds that an installation has registered with a jar.
    """

    connections: Mapping[str, str] = field(default_factory=dict)
    modules: Mapping[str, object] = field(default_factory=dict)
    registered: Mapping[str, DriverRegistration] = field(default_factory=dict)


def parse_definitions(text: str, *, file: str = "definitions", known: Known | None = None) -> Definitions:
    """Reads a definition file; raises DefinitionErrors (an Invalid) with all that is wrong, by file, line and field."""
    problems = Problems(file)
    tree = read_tree(text, problems)
    read = read_object(tree, "file", "", 1, problems) if tree is not None else None
    parsed = _Parser(problems, known or Known()).parse(read) if read is not None else Definitions()
    problems.raise_any()
    return parsed


def list_refusals(text: str) -> list[str]:
    """What `pipekit apply` would say of a file that a program has made; nothing where it would be taken."""
    try:
        parse_definitions(text)
    except DefinitionErrors as errors:
        return [f"line {problem.line}, {problem.field}: {problem.message}" for problem in errors.problems]
    return []


class _Parser:
    """One pass over what was read: connections first, then modules, then groups."""

    def __init__(self, problems: Problems, known: Known) -> None:
        self._problems = problems
        self._known = known

    def parse(self, read: Read) -> Definitions:
        sections = ("connections", "modules", "groups")
        reads: dict[str, dict[str, Read]] = {section: read[section] or {} for section in sections}
        for section, members in reads.items():
            self._check_names(section, members)
        connections = {name: self._connection(name, item) for name, item in reads["connections"].items()}
        spelling = build_spelling(connections, self._known.connections)
        kinds = {**self._known.connections, **{c.name: c.driver for c in connections.values()}}
        reader = ModuleReader(self._problems, spelling, kinds)
        modules = {name: reader.read(name, item) for name, item in reads["modules"].items()}
        return Definitions(connections=connections, modules=modules, groups=self._groups(reads["groups"], modules))

    def _check_names(self, section: str, reads: Mapping[str, Read]) -> None:
        seen: dict[str, str] = {}
        for name, read in reads.items():
            problem = _module_name_problem(name) if section == "modules" else _name_problem(name)
            if fold_name(name) in seen:
                problem = f"This is the same name as '{seen[fold_name(name)]}': case does not count."
            if problem:
                self._problems.add(read.line, read.path, problem)
            seen[fold_name(name)] = name

    def _connection(self, name: str, read: Read) -> ConnectionDef:
        if read["driver"] and self._is_known_kind(read) and read["jdbc_url"]:
            self._check_url(read)
        return ConnectionDef(**{**read.record(ConnectionDef, name), "username": read["username"] or None})

    def _is_known_kind(self, read: Read) -> bool:
        kinds = sorted({*DRIVERS, *self._known.registered})
        is_known = read["driver"] in kinds
        if not is_known:
            near = difflib.get_close_matches(read["driver"], kinds, n=1)
            told = f"did you mean '{near[0]}'?" if near else f"kinds are {', '.join(kinds)}."
            message = f"There is no driver '{read['driver']}'; {told} `pipekit drivers add` registers others."
            self._problems.add(read.line_of("driver"), read.path_of("driver"), message)
        return is_known

    def _check_url(self, read: Read) -> None:
        registration = self._known.registered.get(read["driver"])
        try:
            check_registered_url(get_driver(read["driver"]), registration, read["jdbc_url"])
        except PipekitError as error:
            told = f"{error.message} {error.hint}".strip()
            self._problems.add(read.line_of("jdbc_url"), read.path_of("jdbc_url"), told)

    def _groups(self, reads: Mapping[str, Read], modules: Mapping[str, ModuleDef]) -> dict[str, GroupDef]:
        spelling = build_spelling(modules, self._known.modules)
        return {name: self._group(name, read, spelling) for name, read in reads.items()}

    def _group(self, name: str, read: Read, spelling: Mapping[str, str]) -> GroupDef:
        members, verified = self._members(read["modules"], spelling)
        schedules = self._schedules(read["schedules"])
        return GroupDef(members=members, verified=verified, schedules=schedules, **read.record(GroupFields, name))

    def _members(self, reads: list[Read], spelling: Mapping[str, str]) -> tuple[dict[str, int], dict[str, int]]:
        """Those that are run, and those that are verified."""
        found: tuple[dict[str, int], dict[str, int]] = ({}, {})
        for place, read in enumerate(reads, 1):
            members = found[bool(read["verify"])]
            name = find_spelling(read["module"] or "", spelling)
            if not read["module"]:
                continue
            if name is None:
                self._problems.add(read.line, read.path, f"There is no module '{read['module']}'.")
            elif name in members:
                again = " to be verified" if read["verify"] else ""
                self._problems.add(read.line, read.path, f"The module '{name}' stands twice in this group{again}.")
            else:
                members[name] = place if read["order"] is None else int(read["order"])
        return found

    def _schedules(self, reads: list[Read]) -> dict[str, ScheduleDef]:
        schedules: dict[str, ScheduleDef] = {}
        for read in reads:
            cron = expand_cron(read["cron"] or "")
            if not cron:
                continue
            twice = f"The schedule '{cron}' stands twice in this group." if cron in schedules else ""
            problem = check_cron(cron) or twice
            if problem:
                self._problems.add(read.line, read.path, problem)
            schedules[cron] = ScheduleDef(**read.record(ScheduleDef))
        return schedules


def _name_problem(name: str) -> str:
    if len(name) > MAX_NAME:
        return f"A name has at most {MAX_NAME} characters; this one has {len(name)}."
    if name and name == name.strip() and name.isprintable():
        return ""
    return "A name must not be empty, begin or end with a space, or hold characters that cannot be printed."


def _module_name_problem(name: str) -> str:
    if fold_name(name) in RESERVED_MODULE_NAMES:
        return f"The name '{name}' is kept for Pipekit itself."
    if MODULE_NAME.match(name):
        return ""
    return "A module's name has at most 60 letters, digits, '_', '.' and '-', and begins with a letter, a digit or '_'."
