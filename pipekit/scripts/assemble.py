# What was found in scripts -> modules. Knows the records of a definition file, no shell.
"""`Assembler`: loads and the statements around them as `ModuleDef`s, with what a person must know of each."""

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pipekit.definitions.records import HookDef, ModuleDef, WatermarkDef
from pipekit.drivers.urls import find_kind
from pipekit.models import Column
from pipekit.scripts.found import MARKER, Alternative, Database, Event, Load, Notes, Place, ScriptCall, Statements, Unit
from pipekit.scripts.naming import Connections, clean_module_name, clean_watermark_name, is_same_database
from pipekit.scripts.places import find_taken
from pipekit.scripts.resolving import Resolver
from pipekit.scripts.shell import World
from pipekit.scripts.sqlreader import split_statements
from pipekit.scripts.statements import Statement, read_statement
from pipekit.scripts.strategy import Merge, find_merges, is_change, is_same_table


@dataclass(slots=True, eq=False)
class Draft:
    """A module and what was not understood of it: with `problems` or `questions` it is disabled."""

    module: ModuleDef
    place: Place
    wanted: str
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)

    def finish(self, name: str) -> None:
        """The module under its name, disabled and with what is in question where it was not understood whole."""
        told = [*self.problems, *self.questions]
        notes = "\n".join(["Not understood whole when it was imported:", *told])[:4_000] if told else ""
        self.module = replace(self.module, name=name, enabled=not told, notes=notes)


class Assembler:
    """Makes modules of every script of a folder."""

    def __init__(self, world: World, connections: Connections) -> None:
        self._world = world
        self._notes: Notes = world.notes
        self._connections = connections
        texts = world.tree.texts
        self._ddl = {path: _read_ddl(text) for path, text in texts.items() if path.endswith((".sql", ".ddl"))}
        self._by_unit: dict[int, tuple[Unit, list[Draft]]] = {}

    def add(self, unit: Unit) -> list[Draft]:
        """The modules of a script and of those that it starts, in order, each once."""
        known = self._by_unit.get(id(unit))
        if known is not None:
            return known[1]
        drafts = self._draft_all(unit, unit.events)
        self._by_unit[id(unit)] = (unit, drafts)
        for alternative in unit.alternatives:
            self._add_alternative(unit, drafts, alternative)
        for draft in drafts if unit.problems else ():
            draft.problems += [f"{unit.path} is broken: {problem}" for problem in unit.problems]
        return drafts

    def name_all(self) -> dict[str, Draft]:
        """Every module by its name; the same name is numbered in the order in which scripts were added."""
        named: dict[str, Draft] = {}
        for _, drafts in self._by_unit.values():
            for draft in drafts:
                if all(draft is not other for other in named.values()):
                    name = clean_module_name(draft.wanted, named)
                    draft.finish(name)
                    named[name] = draft
        return named

    def _add_alternative(self, unit: Unit, drafts: list[Draft], alternative: Alternative) -> None:
        """What a script does only when a condition comes out as it need not."""
        others = self._draft_all(unit, alternative.events)
        extra = [one for one in others if not any(_is_same(one, other) for other in drafts)]
        missing = [one for one in drafts if not any(_is_same(one, other) for other in others)]
        told = f"when {alternative.told} ({alternative.place})"
        if alternative.ends and not extra:
            for draft in missing:
                draft.notes.append(f"the script ends before it {told}; the module does not look at that")
            return
        for draft in missing:
            draft.questions.append(f"the script does something else {told}. Is this what is wanted?")
        for draft in extra:
            draft.questions.append(f"the script does this only {told}. Is this what is wanted?")
            drafts.append(draft)

    def _draft_all(self, unit: Unit, events: Sequence[Event]) -> list[Draft]:
        found = list(self._draft_own(unit, events))
        for event in events:
            if isinstance(event, ScriptCall):
                found += [draft for draft in self.add(event.unit) if draft not in found]
        return found

    def _draft_own(self, unit: Unit, events: Sequence[Event]) -> Iterator[Draft]:
        loads = [event for event in events if isinstance(event, Load)]
        for load, before, after, elsewhere in _share_out(events, loads):
            merges = find_merges(load.table, load.query, load.clear, before, after, self._find_ddl(unit.path))
            several = len(loads) > 1 or len(merges) > 1 or bool(unit.arguments)
            for merge in merges:
                yield self._draft(unit, self._want_name(unit.path, merge, several=several), load, merge, elsewhere)

    def _want_name(self, path: str, merge: Merge, *, several: bool) -> str:
        folder = posixpath.basename(posixpath.dirname(path))
        table = self._notes.assume(merge.table)
        return table.rpartition(".")[2] if several or not folder else folder

    def _find_ddl(self, path: str) -> dict[str, tuple[str, ...]]:
        """Tables by the folder's own files first."""
        folder = posixpath.dirname(path)
        own = [tables for file, tables in self._ddl.items() if posixpath.dirname(file) == folder]
        found: dict[str, tuple[str, ...]] = {}
        for tables in [*own, *self._ddl.values()]:
            for table, columns in tables.items():
                found.setdefault(table, columns)
        return found

    def _draft(self, unit: Unit, wanted: str, load: Load, merge: Merge, elsewhere: Sequence[str]) -> Draft:
        problems = [*merge.problems, *merge.columns.problems]
        notes = [*merge.notes, *merge.columns.notes, *load.taken]
        questions = list(load.doubts)
        if taken := find_taken(self._world, load.query):
            questions.append(f"{taken} takes away the file of its query: which query is it the next time?")
        problems += elsewhere
        trim_char = _read_trim(load, problems, notes)
        dest = self._connections.name(load.dest)
        query, watermarks = self._find_watermarks(load, merge.table, dest, questions, notes)
        notes += self._list_settings(unit, load.query)
        if unit.arguments:
            notes.append(f"started with `{' '.join(self._notes.assume(text) for text in unit.arguments)}`")
        hooks = tuple(HookDef(sql=self._plain(sql, problems), run_order=i) for i, sql in enumerate(merge.hooks, 1))
        problems += [f"is a command of psql, no SQL: `{sql[:60]}`" for sql in merge.hooks if sql.startswith("\\")]
        needs_key = merge.strategy in ("incremental", "upsert")
        module = ModuleDef(
            name=wanted,
            source=self._connections.name(load.source),
            source_query=query,
            dest=dest,
            dest_table=self._plain(merge.table, problems),
            merge_strategy="append" if needs_key and not merge.key else merge.strategy,
            merge_key=merge.key,
            trim_char=trim_char,
            match=merge.columns.match,
            watermarks=watermarks,
            hooks=hooks,
            columns=tuple(
                Column(id=f"c{i}", source_name=one, source_type="", dest_name=other, dest_type="")
                for i, (one, other) in enumerate(merge.columns.pairs, 1)
            ),
        )
        return Draft(module, load.place, wanted, notes, problems, questions)

    def _plain(self, text: str, problems: list[str]) -> str:
        """Text that no watermark is put into."""
        for unknown in self._notes.find_unknowns(text):
            problems.append(f"`{unknown.command}` gives a part of `{unknown.name or 'a value'}` outside of the query")
        return MARKER.sub("?", self._notes.assume(text))

    def _find_watermarks(
        self, load: Load, table: str, dest: str, questions: list[str], notes: list[str]
    ) -> tuple[str, tuple[WatermarkDef, ...]]:
        """The query with `{name}` for each value that is not known, and the watermarks that resolve them."""
        query, found = load.query, {}
        resolver = Resolver(self._world, load, table)
        for unknown in self._notes.find_unknowns(query):
            name = clean_watermark_name(unknown.name)
            while name in found:
                name += "_2"
            answer = resolver.find(name, unknown)
            questions += [answer.question] if answer.question else []
            notes += [answer.note] if answer.note else []
            connection = self._connections.name(answer.database) if answer.database else dest
            found[name] = WatermarkDef(
                name=name, connection=connection, resolver_sql=answer.sql, default_value=answer.default
            )
            query = self._notes.fill(query, unknown, f"{{{name}}}")
        return query, tuple(sorted(found.values(), key=lambda item: item.name))

    def _list_settings(self, unit: Unit, query: str) -> Iterator[str]:
        """Words of the query that come from a file of settings: they are what they are now."""
        texts = [self._world.tree.texts.get(unit.path, ""), *self._world.tree.texts.values()]
        for name, (value, place) in self._world.settings.items():
            is_in = len(value) > 1 and re.search(rf"(?<!\w){re.escape(value)}(?!\w)", query)
            if is_in and any(re.search(rf"\$\{{?{name}\b", text) for text in texts):
                yield f"`{value}` in the query is ${name} of {place}, taken as it stands"


def _is_same(one: Draft, other: Draft) -> bool:
    return one is other or replace(one.module, name="") == replace(other.module, name="")


def _read_trim(load: Load, problems: list[str], notes: list[str]) -> bool:
    """What becomes of jrunner's `-t`: the module's trim_char."""
    trim_char = load.trim and find_kind(load.source.jdbc_url) not in ("postgresql", "sqlite")
    if trim_char:
        notes.append("jrunner trims all text (-t); the module's trim_char drops the blanks behind CHAR columns only")
    elif load.trim:
        problems.append("jrunner trims text (-t), which a module does not do here: use trim() in the query")
    return trim_char


def _read_ddl(text: str) -> dict[str, tuple[str, ...]]:
    statements = [read_statement(sql) for sql in split_statements(text)]
    return {item.table: item.columns for item in statements if item.verb == "create" and item.columns}


Shared = tuple[Load, list[Statement], list[Statement], list[str]]


def _share_out(events: Sequence[Event], loads: Sequence[Load]) -> list[Shared]:
    """For each load the statements before and after it that concern it, and why these are not run as the load is."""
    before: dict[int, list[Statement]] = {i: [] for i in range(len(loads))}
    after: dict[int, list[Statement]] = {i: [] for i in range(len(loads))}
    elsewhere: dict[int, dict[str, None]] = {i: {} for i in range(len(loads))}
    passed = 0
    for event in events:
        if isinstance(event, Load):
            passed += 1
        if not isinstance(event, Statements) or not loads:
            continue
        for statement in map(read_statement, split_statements(event.sql)):
            place = _find_load(statement, loads, passed, after)
            (after if place < passed else before)[place].append(statement)
            if event.database is not None and is_change(statement):
                elsewhere[place] |= dict.fromkeys(_find_other_login(event.database, loads[place].dest, event.place))
    return [(load, before[i], after[i], list(elsewhere[i])) for i, load in enumerate(loads)]


def _find_other_login(one: Database, dest: Database, place: Place) -> Iterator[str]:
    """Why SQL that a script runs on a database cannot be run by the module, which knows its dest."""
    if not is_same_database(one.jdbc_url, dest.jdbc_url):
        yield "its SQL runs on another database than the one that jrunner fills"
    elif one.password and dest.password and one.username == dest.username and one.password.value != dest.password.value:
        yield f"its SQL logs in with another password than jrunner does ({place}); the module has jrunner's"


def _find_load(
    statement: Statement, loads: Sequence[Load], passed: int, after: Mapping[int, Sequence[Statement]]
) -> int:
    """The load a statement belongs to: by the table that was filled, by a dest that is fed from it, else the last."""
    touched = [name for name in (statement.table, *statement.others) if name]
    for i, load in reversed(list(enumerate(loads))):
        if any(is_same_table(name, load.table) for name in touched):
            return i
    for i, earlier in after.items():
        if any(item.verb in ("insert", "merge") and is_same_table(item.table, t) for item in earlier for t in touched):
            return i
    return max(passed - 1, 0)
