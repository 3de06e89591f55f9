# What was found in one script -> modules. Knows the records of a definition file, no shell.
"""`Assembler`: loads and the statements around them as `ModuleDef`s, with what a person must know of each."""

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipekit.definitions.records import HookDef, ModuleDef, WatermarkDef
from pipekit.drivers.urls import find_kind
from pipekit.models import Column
from pipekit.scripts.found import MARKER, Event, Load, Notes, Place, Statements, Unknown
from pipekit.scripts.naming import Connections, clean_module_name, clean_watermark_name, is_same_database
from pipekit.scripts.sqlreader import read_tokens, split_statements
from pipekit.scripts.statements import Statement, read_statement
from pipekit.scripts.strategy import Merge, find_merges, is_same_table

# Gives no value: a run says so, and does not go on with a wrong one.
_NO_VALUE = "select null"


@dataclass(slots=True)
class Draft:
    """A module and what was not understood of it: with `problems` it is disabled."""

    module: ModuleDef
    place: Place
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class Assembler:
    """Makes modules of every script of a folder."""

    def __init__(self, notes: Notes, connections: Connections, tree: Mapping[str, str]) -> None:
        self._notes = notes
        self._connections = connections
        self._ddl = {path: _read_ddl(text) for path, text in tree.items() if path.endswith((".sql", ".ddl"))}
        self.drafts: dict[str, Draft] = {}
        self.by_script: dict[str, list[str]] = {}

    def add_script(self, path: str, events: Sequence[Event]) -> None:
        """The modules of one script."""
        loads = [event for event in events if isinstance(event, Load)]
        made: list[str] = []
        for load, before, after, elsewhere in _share_out(events, loads):
            merges = find_merges(load.table, load.query, load.clear, before, after, self._find_ddl(path))
            for merge in merges:
                base = self._module_name(path, load, merge, several=len(loads) > 1 or len(merges) > 1)
                name = clean_module_name(base, self.drafts)
                self.drafts[name] = self._draft(name, load, merge, elsewhere)
                made.append(name)
        self.by_script[path] = made

    def _module_name(self, path: str, load: Load, merge: Merge, *, several: bool) -> str:
        folder = posixpath.basename(posixpath.dirname(path))
        if several or not folder:
            return merge.table.rpartition(".")[2]
        return folder

    def _find_ddl(self, path: str) -> dict[str, tuple[str, ...]]:
        """Tables by the folder's own files first."""
        folder = posixpath.dirname(path)
        own = [tables for file, tables in self._ddl.items() if posixpath.dirname(file) == folder]
        found: dict[str, tuple[str, ...]] = {}
        for tables in [*own, *self._ddl.values()]:
            for table, columns in tables.items():
                found.setdefault(table, columns)
        return found

    def _draft(self, name: str, load: Load, merge: Merge, elsewhere: bool) -> Draft:
        problems = [*merge.problems, *merge.columns.problems]
        notes = [*merge.notes, *merge.columns.notes]
        if elsewhere:
            problems.append("its SQL runs on another database than the one that jrunner fills")
        trim_char = load.trim and find_kind(load.source.jdbc_url) not in ("postgresql", "sqlite")
        if trim_char:
            notes.append(
                "jrunner trims all text (-t); the module's trim_char drops the blanks behind CHAR columns only"
            )
        elif load.trim:
            problems.append("jrunner trims text (-t), which a module does not do here: use trim() in the query")
        dest = self._connections.name(load.dest)
        query, watermarks = self._find_watermarks(load.query, dest, problems, notes)
        hooks = tuple(HookDef(sql=self._plain(sql, problems), run_order=i) for i, sql in enumerate(merge.hooks, 1))
        needs_key = merge.strategy in ("incremental", "upsert")
        module = ModuleDef(
            name=name,
            source=self._connections.name(load.source),
            source_query=query,
            dest=dest,
            dest_table=self._plain(merge.table, problems),
            merge_strategy="append" if needs_key and not merge.key else merge.strategy,
            merge_key=merge.key,
            enabled=not problems,
            trim_char=trim_char,
            match=merge.columns.match,
            watermarks=watermarks,
            hooks=hooks,
            columns=tuple(
                Column(id=f"c{i}", source_name=one, source_type="", dest_name=other, dest_type="")
                for i, (one, other) in enumerate(merge.columns.pairs, 1)
            ),
        )
        return Draft(module, load.place, notes, problems)

    def _plain(self, text: str, problems: list[str]) -> str:
        """Text that no watermark is put into."""
        for unknown in self._notes.find_unknowns(text):
            problems.append(f"`{unknown.command}` gives a part of `{unknown.name or 'a value'}` outside of the query")
        return MARKER.sub("?", text)

    # -- watermarks ----------------------------------------------------------------------------------------------------

    def _find_watermarks(
        self, query: str, dest: str, problems: list[str], notes: list[str]
    ) -> tuple[str, tuple[WatermarkDef, ...]]:
        """The query with `{name}` for each value that is not known, and the watermarks that resolve them."""
        found: dict[str, WatermarkDef] = {}
        for unknown in self._notes.find_unknowns(query):
            name = clean_watermark_name(unknown.name)
            while name in found:
                name += "_2"
            found[name] = self._watermark(name, unknown, dest, problems, notes)
            query = self._notes.fill(query, unknown, f"{{{name}}}")
        return query, tuple(sorted(found.values(), key=lambda item: item.name))

    def _watermark(self, name: str, unknown: Unknown, dest: str, problems: list[str], notes: list[str]) -> WatermarkDef:
        connection = self._connections.name(unknown.database) if unknown.database else dest
        if unknown.sql and not MARKER.search(unknown.sql):
            functions = {token.key for token in read_tokens(unknown.sql)}
            if unknown.default is None and not functions & {"coalesce", "ifnull", "nvl", "isnull", "value"}:
                notes.append(f"the watermark {name} has no default; give it one for the first run")
            return WatermarkDef(
                name=name, connection=connection, resolver_sql=unknown.sql, default_value=unknown.default
            )
        what = "the answer of a query that itself needs a value" if unknown.sql else f"`{unknown.command}`"
        told = f"the watermark {name} is {what}, which is no SQL that gives a value"
        (notes if unknown.default is not None else problems).append(f"{told} ({unknown.place})")
        return WatermarkDef(name=name, connection=dest, resolver_sql=_NO_VALUE, default_value=unknown.default)


def _read_ddl(text: str) -> dict[str, tuple[str, ...]]:
    statements = [read_statement(sql) for sql in split_statements(text)]
    return {item.table: item.columns for item in statements if item.verb == "create" and item.columns}


Shared = tuple[Load, list[Statement], list[Statement], bool]


def _share_out(events: Sequence[Event], loads: Sequence[Load]) -> list[Shared]:
    """For each load the statements before and after it that concern it, and whether they run somewhere else."""
    before: dict[int, list[Statement]] = {i: [] for i in range(len(loads))}
    after: dict[int, list[Statement]] = {i: [] for i in range(len(loads))}
    elsewhere = dict.fromkeys(range(len(loads)), False)
    passed = 0
    for event in events:
        if isinstance(event, Load):
            passed += 1
        if not isinstance(event, Statements) or not loads:
            continue
        for statement in map(read_statement, split_statements(event.sql)):
            place = _find_load(statement, loads, passed, after)
            (after if place < passed else before)[place].append(statement)
            other = event.database
            if other is not None and not is_same_database(other.jdbc_url, loads[place].dest.jdbc_url):
                elsewhere[place] = elsewhere[place] or statement.verb != "session"
    return [(load, before[i], after[i], elsewhere[i]) for i, load in enumerate(loads)]


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
